"""Where the Jinja is in a source: exact spans, and the same source with them masked, position by position."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from jinja2 import TemplateSyntaxError

from gatepost.mail.rendering.language.tokens import READER, normal

Kind = Literal["output", "control", "comment"]

# Two private-use characters: the first of a span and the rest of it, so that neighbours stay apart.
MASK_FIRST: Final = "\ue000"
MASK_REST: Final = "\ue001"
_OURS: Final = re.compile("[\ue000\ue001]")
_BEGINS: Final[dict[str, tuple[Kind, str]]] = {
    "variable_begin": ("output", "variable_end"),
    "block_begin": ("control", "block_end"),
    "comment_begin": ("comment", "comment_end"),
}
# These come from the lexer as one token each.
_WHOLE: Final = {"raw_begin": "raw", "raw_end": "endraw"}
# Deeper brackets than anybody writes: the end of the expression was forgotten.
_MAX_BRACKETS: Final = 64


@dataclass(frozen=True, slots=True)
class Span:
    """One Jinja tag: `start` to `end` in the source, with the white space that its `-` eats; `words` are its tokens."""

    start: int
    end: int
    kind: Kind
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Masked:
    """A source with line feeds only, its Jinja spans in order, and the text of the same length that hides them."""

    source: str
    text: str
    spans: tuple[Span, ...]

    def inside(self, start: int, end: int) -> list[Span]:
        """Spans that begin at or after `start` and before `end`."""
        starts = self.spans
        low, high = 0, len(starts)
        while low < high:
            middle = (low + high) // 2
            if starts[middle].start < start:
                low = middle + 1
            else:
                high = middle
        found = []
        while low < len(starts) and starts[low].start < end:
            found.append(starts[low])
            low += 1
        return found


def mask(source: str) -> Masked:
    """Find the Jinja of a source.

    Raises:
        TemplateSyntaxError: it cannot be read as Jinja, or a tag is not closed.
    """
    clean = normal(source)
    spans = tuple(_spans(clean))
    parts: list[str] = []
    last = 0
    for span in spans:
        parts += [_OURS.sub("\ufffd", clean[last : span.start]), MASK_FIRST, MASK_REST * (span.end - span.start - 1)]
        last = span.end
    parts.append(_OURS.sub("\ufffd", clean[last:]))
    return Masked(clean, "".join(parts), spans)


def _spans(source: str) -> Iterator[Span]:
    at = 0
    opened: tuple[int, Kind, str] | None = None
    words: list[str] = []
    brackets = 0
    for line, token, value in READER.lex(source):
        start = at
        # the lexer leaves out what a `-` at the beginning of the tag eats
        at = _skip_space(source, at, value) + len(value)
        if opened is None:
            if token in _BEGINS:
                opened, words = (start, *_BEGINS[token]), []
            elif token in _WHOLE:
                yield Span(start, at, "control", (_WHOLE[token],))
        elif token == opened[2]:
            yield Span(opened[0], at, opened[1], tuple(words))
            opened, brackets = None, 0
        elif token not in {"whitespace", "comment"}:
            words.append(value)
            brackets += value in {"{", "[", "("}
            _check_brackets(brackets, line)
    if opened is not None:
        raise TemplateSyntaxError("a tag is not closed", source.count("\n", 0, opened[0]) + 1)


def _check_brackets(brackets: int, line: int) -> None:
    if brackets > _MAX_BRACKETS:
        raise TemplateSyntaxError("too many brackets in one tag", line)


def _skip_space(source: str, at: int, value: str) -> int:
    while not source.startswith(value, at):
        at += 1
        if at >= len(source):
            raise TemplateSyntaxError("the template cannot be read", 1)
    return at


def balanced(spans: Sequence[Span]) -> bool:
    """Tell whether every `if`, `for` and `raw` among these control tags ends among them."""
    stack: list[str] = []
    for span in spans:
        word = span.words[0] if span.kind == "control" and span.words else ""
        if word in {"if", "for", "raw"}:
            stack.append(word)
        elif word in {"elif", "else"}:
            if not stack:
                return False
        elif word.startswith("end") and (not stack or stack.pop() != word[3:]):
            return False
    return not stack
