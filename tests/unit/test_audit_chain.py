"""The audit chain: every change is detected, and located."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.audit import SealKeys, verify_lines
from gatepost.audit.chain import GENESIS, Anchor, ChainVerifier, Row, Seal, Tampering, create_seals, export_line

KEYS = SealKeys([b"s" * 40])
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
MAYBE = st.none() | TEXT
NUMBER = st.integers(0, 2**63 - 1)
ROW = st.builds(Row, NUMBER, TEXT, TEXT, TEXT, MAYBE, MAYBE, MAYBE, TEXT, NUMBER)
ROWS = st.lists(ROW, min_size=1, max_size=6, unique_by=lambda row: row.id)
Pairs = list[tuple[Row | None, Seal]]


def seal_rows(rows: list[Row]) -> Pairs:
    return list(zip(rows, create_seals(KEYS, rows, GENESIS, 7, 8, "2026-01-01T00:00:00.000000Z"), strict=True))


def verify_pairs(pairs: Pairs, anchor: Anchor | None = None) -> Anchor:
    chain = ChainVerifier(anchor=anchor, keys=KEYS)
    for pair in pairs:
        chain.verify(*pair)
    return chain.finish()


def export_pairs(pairs: Pairs) -> list[bytes]:
    previous, exported_lines = GENESIS.hash, []
    for row, seal in pairs:
        assert row is not None
        exported_lines.append(export_line(row, seal, previous) + b"\n")
        previous = seal.hash
    return exported_lines


@given(ROWS)
def test_a_sealed_chain_verifies(rows: list[Row]) -> None:
    pairs = seal_rows(rows)
    head = verify_pairs(pairs)
    assert verify_pairs(pairs, head) == head
    assert Anchor.parse(str(head)) == head
    assert verify_lines(export_pairs(pairs), head).head == head


@given(ROWS, st.data())
def test_a_change_of_any_field_is_detected_at_its_row(rows: list[Row], data: Any) -> None:
    pairs = seal_rows(rows)
    at = data.draw(st.integers(0, len(rows) - 1))
    row, seal = pairs[at]
    assert row is not None
    fields = [(0, name) for name in Row._fields] + [(1, name) for name in Seal._fields if name != "position"]
    side, name = data.draw(st.sampled_from(fields))
    current = getattr((row, seal)[side], name)
    is_number = isinstance(current, int) or name == "drops_to"
    values: Any = NUMBER if is_number else MAYBE if name in {"target", "reason", "ip"} else TEXT
    changed = data.draw(values.filter(lambda value: value != current))
    pairs[at] = (row._replace(**{name: changed}), seal) if side == 0 else (row, seal._replace(**{name: changed}))
    with pytest.raises(Tampering) as found:
        verify_pairs(pairs)
    assert found.value.position == at + 1


@given(ROWS, st.data())
def test_a_removed_and_a_missing_row_are_detected(rows: list[Row], data: Any) -> None:
    pairs = seal_rows(rows)
    at = data.draw(st.integers(0, len(rows) - 1))
    head = verify_pairs(pairs)
    with pytest.raises(Tampering) as found:
        verify_pairs([*pairs[:at], *pairs[at + 1 :]], head)
    assert found.value.position == at + 1
    with pytest.raises(Tampering) as found:
        verify_pairs([*pairs[:at], (None, pairs[at][1]), *pairs[at + 1 :]])
    assert (found.value.position, found.value.row) == (at + 1, rows[at].id)


@given(ROWS, st.data())
def test_a_changed_byte_of_an_export_is_detected_on_its_line(rows: list[Row], data: Any) -> None:
    exported_lines = export_pairs(seal_rows(rows))
    at = data.draw(st.integers(0, len(exported_lines) - 1))
    offset = data.draw(st.integers(0, len(exported_lines[at]) - 2))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte not in {exported_lines[at][offset], 10}))
    exported_lines[at] = exported_lines[at][:offset] + bytes([byte]) + exported_lines[at][offset + 1 :]
    with pytest.raises(Tampering) as found:
        verify_lines(exported_lines, keys=KEYS)
    assert found.value.line == at + 1


@given(ROWS, st.data())
def test_a_truncated_last_line_is_reported_and_the_rest_verifies(rows: list[Row], data: Any) -> None:
    pairs = seal_rows(rows)
    exported_lines = export_pairs(pairs)
    exported_lines[-1] = exported_lines[-1][: data.draw(st.integers(1, len(exported_lines[-1]) - 2))]
    found = verify_lines(exported_lines)
    assert (found.cut_line, found.rows) == (len(exported_lines), len(exported_lines) - 1)
    with pytest.raises(Tampering, match="cut off"):
        verify_lines(exported_lines, verify_pairs(pairs))


@pytest.mark.parametrize("text", ["", "1", "x:" + "0" * 64, "1:" + "0" * 63, "-1:" + "0" * 64, "1:" + "g" * 64])
def test_a_malformed_anchor_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="POSITION:HASH"):
        Anchor.parse(text)
