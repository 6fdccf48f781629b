"""The page on the OWASP ASVS: every requirement has a row, and every test that a row names exists."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache

import pytest

from tests.support.docs.markdown import ROOT

PAGE = ROOT / "docs" / "security" / "asvs.md"
# The requirements of the chapters V3, V6, V7, V8, V9 and V10 of version 5.0.0, by level.
LEVELS = {
    1: (
        "3.2.1 3.2.2 3.3.1 3.4.1 3.4.2 3.5.1 3.5.2 3.5.3 6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 "
        "6.2.8 6.3.1 6.3.2 6.4.1 6.4.2 7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 "
        "9.1.2 9.1.3 9.2.1 10.4.1 10.4.2 10.4.3 10.4.4 10.4.5 "
    ),
    2: (
        "3.3.2 3.3.3 3.3.4 3.4.3 3.4.4 3.4.5 3.4.6 3.5.4 3.5.5 3.7.1 3.7.2 6.1.2 6.1.3 6.2.9 6.2.10 6.2.11 "
        "6.2.12 6.3.3 6.3.4 6.4.3 6.4.4 6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 6.6.1 6.6.2 6.6.3 6.8.1 6.8.2 6.8.3 "
        "6.8.4 7.1.1 7.1.2 7.1.3 7.3.1 7.3.2 7.4.3 7.4.4 7.4.5 7.5.1 7.5.2 7.6.1 7.6.2 8.1.2 8.2.3 8.4.1 "
        "9.2.2 9.2.3 9.2.4 10.1.1 10.1.2 10.2.1 10.2.2 10.3.1 10.3.2 10.3.3 10.3.4 10.4.6 10.4.7 10.4.8 "
        "10.4.9 10.4.10 10.4.11 10.5.1 10.5.2 10.5.3 10.5.4 10.5.5 10.6.1 10.6.2 10.7.1 10.7.2 10.7.3 "
    ),
}
REQUIRED = {requirement: level for level, ids in LEVELS.items() for requirement in ids.split()}
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@dataclass(frozen=True)
class Row:
    """One requirement."""

    requirement: str
    level: int
    summary: str
    status: str
    answer: str
    tests: str


def rows() -> list[Row]:
    found = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and re.fullmatch(r"[\d.]+", cells[0]):
            assert len(cells) == 6, line
            found.append(Row(cells[0], int(cells[1]), *cells[2:]))
    return found


@cache
def functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_requirement_has_one_row_with_its_level() -> None:
    found = [(row.requirement, row.level) for row in rows()]
    assert len(found) == len(set(found))
    assert dict(found) == REQUIRED


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.requirement)
def test_a_row_says_what_it_must(row: Row) -> None:
    """A requirement that is met names its tests, and one that is not says why."""
    assert row.status in ("met", "not applicable", "open")
    assert row.summary
    assert row.answer
    named = _TEST.findall(row.tests)
    assert bool(named) == (row.status == "met")
    assert not _TEST.sub("", row.tests).strip(), row.tests
    for path, name in named:
        assert (ROOT / path).is_file(), path
        assert name in functions_of(path), f"{path} has no {name}"
