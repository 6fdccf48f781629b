"""HTML cut into tags, comments and raw text as browsers cut it, with exact positions, in linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase
from typing import Final, Literal

from gatepost.mail.rendering.language.lexer import MASK_FIRST

_OPENING: Final = re.compile(f"<(?=[a-zA-Z/!?{MASK_FIRST}])")
# white space as HTML counts it: a vertical tab is not
_NAME: Final = re.compile(r"[^\t\n\f\r />]+")
_BETWEEN: Final = re.compile(r"[\t\n\f\r /]+")
_ATTRIBUTE: Final = re.compile(r"=?[^\t\n\f\r />=]*")
_EQUALS: Final = re.compile(r"[\t\n\f\r ]*=[\t\n\f\r ]*")
_UNQUOTED: Final = re.compile(r"[^\t\n\f\r >]*")
_COMMENT_END: Final = re.compile(r"--!?>")
# `--` and what a browser takes for a whole empty comment
_EMPTY_COMMENT: Final = re.compile(r"<!---?>")
RAW: Final = frozenset({"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"})
_RAW_END: Final = {name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE | re.ASCII) for name in RAW}

# not `str.lower`, for which a Kelvin sign is a k
_LOWER: Final = str.maketrans(ascii_uppercase, ascii_lowercase)


@dataclass(frozen=True, slots=True)
class Attribute:
    """`name` in lower case; `value` raw, without quotes, at `value_start`; `quote` is `"`, `'` or empty."""

    name: str
    start: int
    end: int
    value: str
    value_start: int
    quote: str


@dataclass(frozen=True, slots=True)
class Token:
    """A piece from `start` to `end`.

    `kind` start and end: a tag `name` in lower case with its `attributes`. comment: also declarations and broken end
    tags, from the first character of the `body`. raw: what is between `<style>` and `</style>`, likewise for the other
    names of `RAW`; `name` is whose. broken: `<` and Jinja. `closed` is false where the source ends first.
    """

    kind: Literal["start", "end", "comment", "raw", "broken"]
    start: int
    end: int
    name: str = ""
    body: str = ""
    closed: bool = True
    attributes: list[Attribute] = field(default_factory=list)


def tokens(text: str, start: int = 0, stop: int | None = None) -> Iterator[Token]:
    """Cut `text` from `start` to `stop`; plain text is left out. Jinja has been masked."""
    stop = len(text) if stop is None else stop
    at = start
    while (found := _OPENING.search(text, at, stop)) is not None:
        token = _token(text, found.start(), stop)
        yield token
        at = token.end
        if token.kind == "start" and token.name in RAW and token.closed:
            ending = _RAW_END[token.name].search(text, at, stop)
            end = ending.start() if ending else stop
            yield Token("raw", at, end, token.name, text[at:end], ending is not None)
            at = end


def _token(text: str, start: int, stop: int) -> Token:
    after = text[start + 1]
    if after == MASK_FIRST:
        return Token("broken", start, start + 1)
    if after == "/" and text[start + 2 : start + 3].isalpha() and text[start + 2].isascii():
        return _tag(text, start, start + 2, stop)
    if after not in "/!?":
        return _tag(text, start, start + 1, stop)
    if text.startswith("<!--", start):
        return _comment(text, start, stop)
    end = text.find(">", start, stop)
    body = text[start + 2 : stop if end < 0 else end]
    return Token("comment", start, stop if end < 0 else end + 1, "bogus", body, end >= 0)


def _comment(text: str, start: int, stop: int) -> Token:
    if empty := _EMPTY_COMMENT.match(text, start, stop):
        return Token("comment", start, empty.end())
    ending = _COMMENT_END.search(text, start + 4, stop)
    if ending is None:
        return Token("comment", start, stop, "", text[start + 4 : stop], closed=False)
    return Token("comment", start, ending.end(), "", text[start + 4 : ending.start()])


def _tag(text: str, start: int, at: int, stop: int) -> Token:
    kind: Literal["start", "end"] = "end" if text[start + 1] == "/" else "start"
    named = _NAME.match(text, at, stop)
    assert named is not None  # noqa: S101 - both callers saw a letter there
    name, at = named[0].translate(_LOWER), named.end()
    attributes: list[Attribute] = []
    while True:
        if between := _BETWEEN.match(text, at, stop):
            at = between.end()
        if at >= stop:
            return Token(kind, start, stop, name, closed=False, attributes=attributes)
        if text[at] == ">":
            return Token(kind, start, at + 1, name, attributes=attributes)
        attribute = _attribute(text, at, stop)
        if attribute is None:
            return Token(kind, start, stop, name, closed=False, attributes=attributes)
        attributes.append(attribute)
        at = attribute.end


def _attribute(text: str, start: int, stop: int) -> Attribute | None:
    named = _ATTRIBUTE.match(text, start, stop)
    assert named is not None  # noqa: S101 - the pattern fits everywhere
    name, at = named[0].translate(_LOWER), named.end()
    equals = _EQUALS.match(text, at, stop)
    if equals is None:
        return Attribute(name, start, at, "", at, "")
    at = equals.end()
    quote = text[at : at + 1] if at < stop else ""
    if quote in {'"', "'"}:
        end = text.find(quote, at + 1, stop)
        return None if end < 0 else Attribute(name, start, end + 1, text[at + 1 : end], at + 1, quote)
    value = _UNQUOTED.match(text, at, stop)
    assert value is not None  # noqa: S101 - the pattern fits everywhere
    return Attribute(name, start, value.end(), value[0], at, "")
