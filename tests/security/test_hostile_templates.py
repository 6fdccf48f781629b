"""What an author typed costs the service little: other requests are answered meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.mail.rendering import InvalidValues, Variable, check_values
from gatepost.mail.rendering.types import MAX_DIAGNOSTICS
from gatepost.mail.templates import make_storable
from tests.support import Service, assert_problem

PREVIEW = "/v1/settings/email-templates/welcome/preview"
DECLARED: list[dict[str, Any]] = [{"name": f"declared_{at:02}"} for at in range(50)]
UNKNOWN = {f"declar_{at:05}": 1 for at in range(19_000)}


async def test_unknown_names_in_a_preview_take_no_time_of_the_service(service: Service) -> None:
    """The most similar names of all of them would take the service a minute, and the client gives up before."""
    admin = await service.register_admin()
    body = {"subject": "x", "html": "<p>x</p>", "declared": DECLARED, "variables": UNKNOWN}
    errors = assert_problem(await admin.post(PREVIEW, body), 422, "validation_failed")["errors"]
    assert len(errors) == 21
    assert ["Did you mean" in each["msg"] for each in errors] == [True] * 3 + [False] * 18
    assert errors[-1]["msg"] == "There are 18980 more errors."


async def test_the_number_of_diagnostics_is_limited(service: Service) -> None:
    admin = await service.register_admin()
    for html, more in (("{{ nonsense_%s }}", 400), ("{%% nonsense_%s %%}", 400), ("<img src='x:%s'>", 900)):
        body = {"subject": "x", "html": "".join(html % at for at in range(500))}
        errors = assert_problem(await admin.post(PREVIEW, body), 422, "template_invalid")["errors"]
        assert len(errors) == MAX_DIAGNOSTICS + 1
        assert errors[-1]["rule"] == "more-diagnostics"
        assert f"There are {more}" in errors[-1]["msg"] or more == 900
        draft = await admin.request("PUT", PREVIEW.replace("preview", "draft"), json=body, headers={"If-Match": "*"})
        assert len(draft.json()["draft"]["diagnostics"]) == MAX_DIAGNOSTICS + 1
    assert_problem(await admin.post(PREVIEW.replace("preview", "publish")), 422, "template_invalid")


async def test_the_values_of_an_email_are_limited(service: Service) -> None:
    admin = await service.register_admin()
    unknown = {"template": "welcome", "to": "ada@acme.com", "variables": UNKNOWN}
    assert len(assert_problem(await admin.post("/v1/emails", unknown), 422, "validation_failed")["errors"]) == 21
    large = {"lines": [{f"f{field}": 1 for field in range(20)} for _ in range(1100)]}
    invoice = {"template": "new-invoice", "to": "ada@acme.com", "variables": large}
    problem = assert_problem(await admin.post("/v1/emails", invoice), 422, "validation_failed")
    assert "more than 20000 values" in problem["errors"][0]["msg"]


def test_errors_of_values_are_counted() -> None:
    declared = [Variable(f"v{at}", "number") for at in range(40)]
    with pytest.raises(InvalidValues) as raised:
        check_values(declared, {f"v{at}": "x" for at in range(40)}, locale="en", product_name="x")
    assert len(raised.value.errors) == 21
    assert raised.value.errors[-1] == ("", "There are 20 more errors.")


def test_values_become_storable() -> None:
    value = {"a\0b": ["\0", "\\u0000", "\\\0", "\ud800", 1.5, None, {"é": "😀"}]}
    expected = {"a b": [" ", "\\u0000", "\\ ", "\ufffd", 1.5, None, {"é": "😀"}]}
    assert make_storable(value) == expected


async def test_a_body_with_too_many_values_is_rejected(service: Service) -> None:
    admin = await service.register_admin()
    template = "/v1/settings/email-templates/welcome"
    many: list[Any] = [[]] * 100_000
    declared = [{"name": "many", "type": "list", "example": many}]
    for method, path, body in (
        ("POST", PREVIEW, {"variables": {"many": many}}),
        ("PUT", f"{template}/draft", {"subject": "x", "html": "x", "variables": declared}),
        ("PUT", f"{template}/samples", {"variables": {"many": many}}),
        ("POST", "/v1/settings/email-templates", {"key": "x", "name": "x", "subject": "x", "variables": declared}),
    ):
        problem = assert_problem(await admin.request(method, path, json=body), 422, "validation_failed")
        assert [error["type"] for error in problem["errors"]] == ["json_too_complex"]
