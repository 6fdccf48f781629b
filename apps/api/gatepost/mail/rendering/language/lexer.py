"""The Jinja tags and tokens of a template source, with their exact positions.

Jinja's own nodes know only their line. Diagnostics need columns, and the HTML tools need a source in which the Jinja is
hidden but every other character keeps its offset.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Final, Literal, NamedTuple

from jinja2 import Environment, TemplateSyntaxError

# Only lexes and parses: nothing is compiled or rendered with it.
PARSER: Final = Environment(autoescape=True, optimized=False, keep_trailing_newline=True)

# Private-use characters that mask a tag: for its first character and for the rest, so that adjacent tags stay apart.
MASK_FIRST: Final = "\ue000"
MASK_REST: Final = "\ue001"
# C0 and C1 controls except tab and line feed, and bidirectional embeddings, overrides and isolates. Directional marks
# and joiners are allowed: names and emoji need them.
CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SURROGATE: Final = re.compile(r"[\ud800-\udfff]")

TagKind = Literal["output", "control", "comment"]

_NEWLINE: Final = re.compile(r"\r\n|\r")
_MASK_CHARACTER: Final = re.compile(f"[{MASK_FIRST}{MASK_REST}]")
_BEGINS: Final[dict[str, tuple[TagKind, str]]] = {
    "variable_begin": ("output", "variable_end"),
    "block_begin": ("control", "block_end"),
    "comment_begin": ("comment", "comment_end"),
}
# The lexer returns each of these tags as one token.
_RAW: Final = {"raw_begin": "raw", "raw_end": "endraw"}
# More open brackets mean that the end of the expression is missing.
_MAX_BRACKETS: Final = 64


class Token(NamedTuple):
    """A Jinja token and where it starts: `offset` is 0-based, `line` and `column` are 1-based."""

    kind: str
    text: str
    offset: int
    line: int
    column: int

    @property
    def end(self) -> int:
        """The offset after its last character."""
        return self.offset + len(self.text)


@dataclass(frozen=True, slots=True)
class JinjaTag:
    """A `{{ }}`, `{% %}` or `{# #}` from `start` to `end`, including the whitespace that its `-` removes.

    `tokens` are the texts of the tokens inside.
    """

    start: int
    end: int
    kind: TagKind
    tokens: tuple[str, ...]

    @property
    def keyword(self) -> str:
        """The statement of a control tag, such as `if` or `endfor`; empty for the other kinds."""
        return self.tokens[0] if self.kind == "control" and self.tokens else ""


@dataclass(frozen=True, slots=True)
class MaskedSource:
    """A source with normalized newlines, its Jinja tags in order, and `text`: the source with the tags masked.

    `text` has the same length as `source`.
    """

    source: str
    text: str
    tags: tuple[JinjaTag, ...]

    def tags_in(self, start: int, end: int) -> Sequence[JinjaTag]:
        """Return the tags that start at or after `start` and before `end`."""
        first = bisect_left(self.tags, start, key=attrgetter("start"))
        return self.tags[first : bisect_left(self.tags, end, lo=first, key=attrgetter("start"))]


class TokenIndex:
    """The tokens of one part of a template, up to the first that cannot be read."""

    def __init__(self, source: str) -> None:
        self.source = _normalize_newlines(source)
        self.tokens: list[Token] = []
        try:
            self.tokens.extend(_lex(self.source))
        except TemplateSyntaxError:
            return

    @cached_property
    def _by_line(self) -> dict[int, list[Token]]:
        lines: dict[int, list[Token]] = {}
        for token in self.tokens:
            if token.kind != "whitespace":
                lines.setdefault(token.line, []).append(token)
        return lines

    def column(self, line: int, text: str, nth: int = 1) -> int:
        """Return the column of the nth token with this text in a line.

        Tokens that are no field names are preferred. Without such a token it is the column of the line's first tag, or
        1.
        """
        tokens = self._by_line.get(line, [])
        same = [
            token for at, token in enumerate(tokens) if token.text == text and (not at or tokens[at - 1].text != ".")
        ]
        if same:
            return same[min(nth, len(same)) - 1].column
        same = [token for token in tokens if token.text == text]
        if same:
            return same[0].column
        return next((token.column for token in tokens if token.kind.endswith("_begin")), 1)

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and column of a character."""
        return self.source.count("\n", 0, offset) + 1, offset - self.source.rfind("\n", 0, offset)


def mask(source: str) -> MaskedSource:
    """Find and mask the Jinja tags of a source.

    Raises:
        TemplateSyntaxError: it cannot be read as Jinja, or a tag is not closed.
    """
    source = _normalize_newlines(source)
    tags = tuple(_jinja_tags(source))
    pieces: list[str] = []
    end = 0
    for tag in tags:
        pieces += [_without_masks(source[end : tag.start]), MASK_FIRST, MASK_REST * (tag.end - tag.start - 1)]
        end = tag.end
    pieces.append(_without_masks(source[end:]))
    return MaskedSource(source, "".join(pieces), tags)


def is_balanced(tags: Sequence[JinjaTag]) -> bool:
    """Return whether every `if`, `for` and `raw` among these tags is closed among them."""
    stack: list[str] = []
    for tag in tags:
        keyword = tag.keyword
        if keyword in {"if", "for", "raw"}:
            stack.append(keyword)
        elif keyword in {"elif", "else"}:
            if not stack:
                return False
        elif keyword.startswith("end") and (not stack or stack.pop() != keyword[3:]):
            return False
    return not stack


def _normalize_newlines(source: str) -> str:
    return _NEWLINE.sub("\n", source)


def _without_masks(text: str) -> str:
    return _MASK_CHARACTER.sub("\ufffd", text)


def _lex(source: str) -> Iterator[Token]:
    """Yield the tokens of a source with normalized newlines; whitespace that a `-` removes is in none of them."""
    end = line_start = 0
    line = 1
    for _, kind, text in PARSER.lexer.tokeniter(source, None):
        start = source.find(text, end)
        if start < 0:
            raise TemplateSyntaxError("the template cannot be read", line)
        if skipped := source.count("\n", end, start):
            line, line_start = line + skipped, source.rfind("\n", end, start) + 1
        yield Token(kind, text, start, line, start - line_start + 1)
        end = start + len(text)
        if newlines := text.count("\n"):
            line, line_start = line + newlines, source.rfind("\n", start, end) + 1


def _jinja_tags(source: str) -> Iterator[JinjaTag]:
    end = 0
    opened: tuple[int, int, TagKind, str] | None = None
    texts: list[str] = []
    brackets = 0
    for token in _lex(source):
        start, end = end, token.end
        if opened is None:
            if token.kind in _BEGINS:
                opened, texts, brackets = (start, token.line, *_BEGINS[token.kind]), [], 0
            elif token.kind in _RAW:
                yield JinjaTag(start, end, "control", (_RAW[token.kind],))
        elif token.kind == opened[3]:
            yield JinjaTag(opened[0], end, opened[2], tuple(texts))
            opened = None
        elif token.kind not in {"whitespace", "comment"}:
            texts.append(token.text)
            brackets += token.text in {"{", "[", "("}
            _check_brackets(brackets, token)
    if opened is not None:
        raise TemplateSyntaxError("a tag is not closed", opened[1])


def _check_brackets(brackets: int, token: Token) -> None:
    if brackets > _MAX_BRACKETS:
        raise TemplateSyntaxError("too many brackets in one tag", token.line)
