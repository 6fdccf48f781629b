"""HTML split into tags, comments and raw text as browsers do it, with exact positions, in linear time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase
from typing import Final, Literal

from gatepost.mail.rendering.language.lexer import MASK_FIRST

_OPENING: Final = re.compile(f"<(?=[a-zA-Z/!?{MASK_FIRST}])")
# HTML whitespace, which a vertical tab is not
_NAME: Final = re.compile(r"[^\t\n\f\r />]+")
_BETWEEN: Final = re.compile(r"[\t\n\f\r /]+")
_ATTRIBUTE: Final = re.compile(r"=?[^\t\n\f\r />=]*")
_EQUALS: Final = re.compile(r"[\t\n\f\r ]*=[\t\n\f\r ]*")
_UNQUOTED: Final = re.compile(r"[^\t\n\f\r >]*")
_COMMENT_END: Final = re.compile(r"--!?>")
# `<!-->` and `<!--->` are empty comments for browsers.
_EMPTY_COMMENT: Final = re.compile(r"<!---?>")
_RAW_TEXT: Final = frozenset({"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"})
_RAW_END: Final = {name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE | re.ASCII) for name in _RAW_TEXT}

# Void elements, and those that the next of their kind ends.
_SELF_ENDING: Final = frozenset(
    {
        "area", "base", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta",
        "option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr",
    }
)  # fmt: skip
_MAX_DEPTH: Final = 200
# Not `str.lower`, which turns a Kelvin sign into a k.
_LOWER: Final = str.maketrans(ascii_uppercase, ascii_lowercase)


class ConversionError(ValueError):
    """HTML that cannot be converted without losing or moving Jinja; the message tells the author what to change."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """`name` in lower case; `value` as written, without its quotes; `quote` is `"`, `'` or empty."""

    name: str
    start: int
    end: int
    value: str
    value_start: int
    quote: str

    @property
    def value_end(self) -> int:
        """The offset after the value."""
        return self.value_start + len(self.value)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of HTML from `start` to `end`. `closed` is false if the source ends before it does.

    The kinds are:
    - `start` and `end`: a tag, its `name` in lower case, and its `attributes`.
    - `comment`: a comment with its `body`. With the name `bogus`, a declaration or a malformed end tag.
    - `raw`: the text between `<style>` and `</style>`, or in another element whose content is not markup.
    - `broken`: a `<` directly before Jinja.
    """

    kind: Literal["start", "end", "comment", "raw", "broken"]
    start: int
    end: int
    name: str = ""
    body: str = ""
    closed: bool = True
    attributes: list[Attribute] = field(default_factory=list)


def tokenize(text: str, start: int = 0, stop: int | None = None) -> Iterator[Token]:
    """Yield the tokens of HTML with masked Jinja, from `start` to `stop`; text between tags is left out."""
    stop = len(text) if stop is None else stop
    at = start
    while (found := _OPENING.search(text, at, stop)) is not None:
        token = _token(text, found.start(), stop)
        yield token
        at = token.end
        if token.kind == "start" and token.name in _RAW_TEXT and token.closed:
            ending = _RAW_END[token.name].search(text, at, stop)
            end = ending.start() if ending else stop
            yield Token("raw", at, end, token.name, text[at:end], ending is not None)
            at = end


def check_depth(tokens: Iterable[Token]) -> None:
    """Check the nesting of elements: the HTML parsers recurse, and a stack overflow would end the process.

    Raises:
        ConversionError: the elements are nested too deeply.
    """
    opened: Counter[str] = Counter()
    for token in tokens:
        if token.kind == "start" and token.name not in _SELF_ENDING:
            opened[token.name] += 1
            if opened.total() > _MAX_DEPTH:
                raise ConversionError(f"More than {_MAX_DEPTH} elements are open at once. Close them or flatten them.")
        elif token.kind == "end" and opened[token.name]:
            opened[token.name] -= 1


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
    assert named is not None  # noqa: S101 - both callers have seen a letter
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
    assert named is not None  # noqa: S101 - the pattern also matches nothing
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
    assert value is not None  # noqa: S101 - the pattern also matches nothing
    return Attribute(name, start, value.end(), value[0], at, "")
