"""Variables: valid declarations, and valid values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.rendering import InvalidValues, Variable, VariableType, check_values
from gatepost.mail.rendering.language.variables import check_declarations

ALWAYS = {"locale": "en", "product_name": "Gatepost"}


@pytest.mark.parametrize(
    ("variable", "rule"),
    [
        (Variable("Name"), "bad-name"),
        (Variable("1a"), "bad-name"),
        (Variable("a" * 51), "bad-name"),
        (Variable("a\n"), "bad-name"),
        (Variable("__class__"), "bad-name"),
        (Variable("{{ x }}"), "bad-name"),
        (Variable(7), "bad-name"),  # type: ignore[arg-type]
        (Variable("locale"), "reserved-name"),
        (Variable("loop"), "reserved-name"),
        (Variable("self"), "reserved-name"),
        (Variable("true"), "reserved-name"),
        (Variable("a", "object"), "bad-type"),  # type: ignore[arg-type]
        (Variable("a", "number", example="7"), "bad-example"),
        (Variable("a", "list", example=[[]]), "bad-example"),
    ],
)
def test_invalid_declarations(variable: Variable, rule: str) -> None:
    assert [(one.rule, one.line) for one in check_declarations([Variable("ok"), variable])] == [(rule, 2)]


def test_lists_of_declarations() -> None:
    assert check_declarations([Variable("a"), Variable("b_2", "list", example=[1, {"x": None}])]) == []
    assert [one.rule for one in check_declarations([Variable("a"), Variable("a")])] == ["duplicate-name"]
    assert [one.rule for one in check_declarations([Variable(f"a{at}") for at in range(101)])] == ["too-many-variables"]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("string", ["", "x" * 20_000, "\r\n\x00{{ x }}"]),
        ("number", [0, -1, 1.5, 999_999_999_999_999]),
        ("boolean", [True, False]),
        ("date", ["2026-01-31", "2026-01-31T18:30:00Z", "2026-01-31 18:30:00+02:00"]),
        ("url", ["https://a.example", "http://a.example:80/x?y='z'&é=1#f", "mailto:a@b.example?subject=x"]),
        ("list", [[], ["a", 1, True, None], [{"a": "b"}], [0] * 1000]),
    ],
)
def test_valid_values(kind: VariableType, values: list[Any]) -> None:
    for value in values:
        assert check_values([Variable("v", kind)], {"v": value}, **ALWAYS) == {"v": value, **ALWAYS}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("string", [1, True, None, [], {}, "x" * 20_001]),
        ("number", ["1", True, float("nan"), float("inf"), 1e15, 10**15, 10**400, -(10**15)]),
        ("boolean", [0, 1, "true"]),
        ("date", ["", "31.01.2026", "2026-02-30", "2026-01-31T25:00", "\uff12\uff10\uff12\uff16-01-31",
                 "2026-01-31\n", 20260131, "x" * 99]),
        (
            "url",
            [
                "", "javascript:alert(1)", "JaVaScRiPt:alert(1)", " https://a.example",
                "https://a.example/ x", "//a.example",
                "/path", "https:a.example", "https:///a", "https://user@a.example", "https://a.example\\@b.example",
                "https://a.example:99999", "https://[::1", "data:text/html,x", "https://a.example/\n", "java\tscript:x",
                "https://a.example/<b>", 'https://a.example/"', "https://a.example/\u202e", "mailto:", "mailto:x",
                "mailto:a@b.example?subject=x%0d%0aBcc:c", "https://a.example/" + "x" * 2000, "ftp://a.example", 1,
                "vbscript:x", "https://a.example/\x00", "https://{{ x }}/",
            ],
        ),
        ("list", ["abc", {}, [[]], [{"a": []}], [{"a": {}}], [{"": 1}], [0] * 1001, ["x" * 20_001], [float("nan")]]),
    ],
)  # fmt: skip
def test_invalid_values(kind: VariableType, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(InvalidValues) as caught:
            check_values([Variable("v", kind)], {"v": value}, **ALWAYS)
        assert [name for name, _ in caught.value.errors] == ["v"], value


def test_missing_and_unknown_values() -> None:
    kinds: list[VariableType] = ["string", "number", "boolean", "date", "url", "list"]
    declared = [Variable(f"a_{kind}", kind, required=False) for kind in kinds]
    context = check_values(declared, {"a_url": "", "a_date": None}, **ALWAYS)
    expected = {"a_string": "", "a_number": "", "a_boolean": False, "a_date": "", "a_url": "", "a_list": []}
    assert context == {**expected, **ALWAYS}
    with pytest.raises(InvalidValues) as caught:
        check_values([Variable("name")], {"nmae": "x", "locale": "de"}, **ALWAYS)
    assert [name for name, _ in caught.value.errors] == ["nmae", "locale", "name"]
    assert 'Did you mean "name"?' in caught.value.errors[0][1]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_any_json_value_is_accepted_or_rejected(value: Any) -> None:
    kinds: list[VariableType] = ["string", "number", "boolean", "date", "url", "list"]
    for kind in kinds:
        try:
            assert check_values([Variable("v", kind)], {"v": value}, **ALWAYS)["v"] == value
        except InvalidValues:
            continue
