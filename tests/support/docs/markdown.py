"""The Markdown of the repository that a reader follows: its pages, their snippets, links and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(
    [
        *(path for path in ROOT.glob("*.md")),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        ROOT / "emails" / "README.md",
    ]
)

_OUTPUTS = {"json", "text"}
_DIRECTIVE = re.compile(r"<!-- (not run|background)(?:: (.+?))? -->")
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Snippet:
    """A fenced block that is run.

    `file` is the name that the block is shown under; `not_run` is why it is skipped; `output` is the `json` or `text`
    block right below, with `…` for what differs from run to run.
    """

    page: Path
    line: int
    language: str
    code: str
    file: str | None
    not_run: str | None
    background: bool
    output: str | None

    @property
    def location(self) -> str:
        """The line of the opening fence, as an editor opens it."""
        return f"{name_of(self.page)}:{self.line}"


def name_of(page: Path) -> str:
    """A page's path in the repository."""
    return page.relative_to(ROOT).as_posix() if page.is_relative_to(ROOT) else page.name


def tokens_of(page: Path) -> list[Token]:
    """The page as CommonMark with tables."""
    return MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))


def snippets_of(page: Path, languages: Sequence[str] = ("python", "sh", "sql")) -> list[Snippet]:
    """The blocks of a page that can be run, in their order."""
    tokens = tokens_of(page)
    found = []
    for number, token in enumerate(tokens):
        language = token.info.partition(" ")[0]
        if token.type != "fence" or language not in languages:
            continue
        directive, reason = _directive(tokens[number - 1]) if number else ("", None)
        title = _TITLE.search(token.info)
        below = tokens[number + 1] if number + 1 < len(tokens) else None
        output = below.content if below and below.type == "fence" and below.info in _OUTPUTS else None
        found.append(
            Snippet(
                page=page,
                line=token.map[0] + 1 if token.map else 0,
                language=language,
                code=token.content,
                file=title[1] if title else None,
                not_run=reason if directive == "not run" else None,
                background=directive == "background",
                output=output,
            )
        )
    return found


def links_of(page: Path) -> Iterator[str]:
    """The targets of a page's links and images."""
    for token in tokens_of(page):
        for child in token.children or []:
            target = child.attrs.get("href") or child.attrs.get("src")
            if target:
                yield str(target)


def anchors_of(page: Path) -> set[str]:
    """What a link to a heading of a page ends in, as GitHub and the documentation site make it."""
    tokens = tokens_of(page)
    titles = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def table_of(page: Path, heading: str) -> list[list[str]]:
    """The cells, as Markdown, of every row of a page's tables whose first column has this heading."""
    rows: list[list[str]] = []
    row: list[str] = []
    counts = False
    for token in tokens_of(page):
        if token.type == "table_open":
            counts, rows_before = False, len(rows)
        elif token.type == "inline" and token.level == 4:
            row.append(token.content)
        elif token.type == "tr_close":
            if row[0] == heading and len(rows) == rows_before:
                counts = True
            elif counts:
                rows.append(row)
            row = []
    return rows


def _directive(token: Token) -> tuple[str, str | None]:
    match = _DIRECTIVE.fullmatch(token.content.strip()) if token.type == "html_block" else None
    return (match[1], match[2] or "") if match else ("", None)
