"""The chain: whatever is changed in it is found, and where."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.audit.chain import GENESIS, Anchor, Chain, Row, Seal, Tampering, chained, exported
from gatepost.audit.service import verify_lines

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
MAYBE = st.none() | TEXT
NUMBER = st.integers(0, 2**63 - 1)
ROW = st.builds(Row, NUMBER, TEXT, TEXT, TEXT, MAYBE, MAYBE, MAYBE, TEXT, NUMBER)
ROWS = st.lists(ROW, min_size=1, max_size=6, unique_by=lambda row: row.id)
Pairs = list[tuple[Row | None, Seal]]


def sealed(rows: list[Row]) -> Pairs:
    return list(zip(rows, chained(rows, GENESIS, 7, 8, "2026-01-01T00:00:00.000000Z"), strict=True))


def walk(pairs: Pairs, anchor: Anchor | None = None) -> Anchor:
    chain = Chain(anchor=anchor)
    for pair in pairs:
        chain.follow(*pair)
    return chain.end()


def lines(pairs: Pairs) -> list[bytes]:
    previous, made = GENESIS.hash, []
    for row, seal in pairs:
        assert row is not None
        made.append(exported(row, seal, previous) + b"\n")
        previous = seal.hash
    return made


@given(ROWS)
def test_what_was_sealed_verifies(rows: list[Row]) -> None:
    pairs = sealed(rows)
    head = walk(pairs)
    assert walk(pairs, head) == head
    assert Anchor.parse(str(head)) == head
    assert verify_lines(lines(pairs), head).head == head


@given(ROWS, st.data())
def test_any_change_of_any_field_is_found_at_its_row(rows: list[Row], data: Any) -> None:
    pairs = sealed(rows)
    at = data.draw(st.integers(0, len(rows) - 1))
    row, seal = pairs[at]
    assert row is not None
    fields = [(0, name) for name in Row._fields] + [(1, name) for name in Seal._fields if name != "position"]
    side, name = data.draw(st.sampled_from(fields))
    now = getattr((row, seal)[side], name)
    values: Any = NUMBER if isinstance(now, int) else MAYBE if name in {"target", "reason", "ip"} else TEXT
    changed = data.draw(values.filter(lambda value: value != now))
    pairs[at] = (row._replace(**{name: changed}), seal) if side == 0 else (row, seal._replace(**{name: changed}))
    with pytest.raises(Tampering) as found:
        walk(pairs)
    assert found.value.position == at + 1


@given(ROWS, st.data())
def test_a_removed_a_missing_and_a_swapped_row_are_found(rows: list[Row], data: Any) -> None:
    pairs = sealed(rows)
    at = data.draw(st.integers(0, len(rows) - 1))
    head = walk(pairs)
    with pytest.raises(Tampering) as found:
        walk([*pairs[:at], *pairs[at + 1 :]], head)
    assert found.value.position == at + 1
    with pytest.raises(Tampering) as found:
        walk([*pairs[:at], (None, pairs[at][1]), *pairs[at + 1 :]])
    assert (found.value.position, found.value.row) == (at + 1, rows[at].id)


@given(ROWS, st.data())
def test_any_changed_byte_of_an_export_is_found_on_its_line(rows: list[Row], data: Any) -> None:
    made = lines(sealed(rows))
    at = data.draw(st.integers(0, len(made) - 1))
    place = data.draw(st.integers(0, len(made[at]) - 2))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte not in {made[at][place], 10}))
    made[at] = made[at][:place] + bytes([byte]) + made[at][place + 1 :]
    with pytest.raises(Tampering) as found:
        verify_lines(made)
    assert found.value.line == at + 1


@given(ROWS, st.data())
def test_a_cut_last_line_is_told_and_the_rest_accepted(rows: list[Row], data: Any) -> None:
    pairs = sealed(rows)
    made = lines(pairs)
    made[-1] = made[-1][: data.draw(st.integers(1, len(made[-1]) - 2))]
    found = verify_lines(made)
    assert (found.cut_line, found.rows) == (len(made), len(made) - 1)
    with pytest.raises(Tampering, match="cut off"):
        verify_lines(made, walk(pairs))


@pytest.mark.parametrize("text", ["", "1", "x:" + "0" * 64, "1:" + "0" * 63, "-1:" + "0" * 64, "1:" + "g" * 64])
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="POSITION:HASH"):
        Anchor.parse(text)
