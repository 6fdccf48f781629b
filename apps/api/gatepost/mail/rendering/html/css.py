"""CSS of style sheets and `style` attributes, parsed by tinycss2, and the contrast of its colors.

Jinja in it is masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import tinycss2
from tinycss2.color3 import RGBA, parse_color

from gatepost.mail.rendering.language.lexer import MASK_FIRST, MASK_REST

_DARK_MODE: Final = re.compile(r"prefers-color-scheme\s*:\s*dark", re.IGNORECASE)
_NOT_CODE: Final = re.compile(rf"[\s\x00\\{MASK_FIRST}{MASK_REST}]+")
_COLOR_PROPERTIES: Final = frozenset({"color", "background", "background-color"})
_BLOCKS: Final = frozenset({"() block", "[] block", "{} block"})
# How a token of each type is written, escapes resolved.
_TEXTS: Final[dict[str, Callable[[Any], str]]] = {
    "ident": attrgetter("value"),
    "literal": attrgetter("value"),
    "whitespace": lambda _: " ",
    "at-keyword": lambda token: f"@{token.value}",
    "hash": lambda token: f"#{token.value}",
    "string": lambda token: f'"{token.value}"',
    "url": lambda token: f"url({token.value})",
    "number": attrgetter("representation"),
    "percentage": lambda token: f"{token.representation}%",
    "dimension": lambda token: f"{token.representation}{token.unit}",
    "function": lambda token: f"{token.name}(",
    "() block": lambda _: "(",
    "[] block": lambda _: "[",
    "{} block": lambda _: "{",
    "error": lambda _: "",
    "unicode-range": lambda _: "",
}
# Deeper than any real style sheet: declarations below are ignored.
_MAX_DEPTH: Final = 8

Color = tuple[float, float, float]
# A token of tinycss2, which has no type hints.
_Token = Any


@dataclass(frozen=True, slots=True)
class Declaration:
    """`name: value`, both in lower case, at the offset `start`.

    `color` is the value as a color where it is an opaque one. `selector` is empty in a `style` attribute, `dark` is
    true inside a media query for dark mode.
    """

    name: str
    value: str
    start: int
    color: Color | None
    selector: str
    dark: bool


@dataclass(frozen=True, slots=True)
class Css:
    """A parsed style sheet or `style` attribute.

    `code` are all tokens in lower case, escapes resolved, without comments, whitespace, closing brackets and masked
    Jinja. `urls` are the values of `url(…)`. `imports` and `malformed` are the offsets of `@import` rules and of
    malformed strings and URLs.
    """

    code: str
    urls: tuple[str, ...]
    imports: tuple[int, ...]
    malformed: tuple[int, ...]
    declarations: tuple[Declaration, ...]


def parse_stylesheet(css: str) -> Css:
    """Parse the content of a `<style>` element, its newlines normalized."""
    return _parse(css, is_stylesheet=True)


def parse_style_attribute(css: str) -> Css:
    """Parse the value of a `style` attribute, HTML entities resolved."""
    return _parse(css, is_stylesheet=False)


def opaque_color(value: str | Iterable[_Token]) -> Color | None:
    """Return red, green and blue from 0 to 1, or None if the value is not a single opaque color."""
    try:
        color = parse_color(tinycss2.parse_one_component_value(value))
    except (ValueError, OverflowError):
        # Numbers with hundreds of digits.
        return None
    if not isinstance(color, RGBA) or color.alpha != 1:
        return None
    red, green, blue = (min(1.0, max(0.0, channel)) for channel in color[:3])
    return red, green, blue


def contrast(one: Color, other: Color) -> float:
    """Return the contrast ratio of two colors (WCAG 2.2), from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Color) -> float:
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parse(css: str, *, is_stylesheet: bool) -> Css:
    css = re.sub(r"\r\n?|\f", "\n", css)
    try:
        tokens: list[_Token] = tinycss2.parse_component_value_list(css, skip_comments=True)
    except ValueError:
        # Python refuses to convert numbers with thousands of digits.
        return Css("", (), (), (0,), ())
    offsets = _Offsets(css)
    every = list(_flatten(tokens))
    parse = tinycss2.parse_stylesheet if is_stylesheet else tinycss2.parse_blocks_contents
    return Css(
        code=_NOT_CODE.sub("", _text(every)).lower(),
        urls=tuple(_urls(every)),
        imports=tuple(offsets.of(each) for each in every if each.type == "at-keyword" and each.lower_value == "import"),
        malformed=tuple(
            offsets.of(each) for each in every if each.type == "error" and each.kind in {"bad-url", "bad-string"}
        ),
        declarations=tuple(_declarations(parse(tokens, skip_whitespace=True), offsets)),
    )


class _Offsets:
    """Converts the lines and columns of tokens to offsets."""

    def __init__(self, css: str) -> None:
        self._lines = [0, *(newline.end() for newline in re.finditer("\n", css))]

    def of(self, token: _Token) -> int:
        """Return where a token starts."""
        line: int = token.source_line
        column: int = token.source_column
        return self._lines[line - 1] + column - 1


def _urls(tokens: Iterable[_Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "url":
            yield token.value
        elif token.type == "function" and token.lower_name in {"url", "src"}:
            yield from (argument.value for argument in token.arguments if argument.type == "string")


def _declarations(
    content: Sequence[_Token], offsets: _Offsets, selector: str = "", *, dark: bool = False, depth: int = 0
) -> Iterator[Declaration]:
    for node in content:
        if node.type == "declaration":
            color = opaque_color(node.value) if node.lower_name in _COLOR_PROPERTIES else None
            value = _text(_flatten(node.value)).strip().lower()
            yield Declaration(node.lower_name, value, offsets.of(node), color, selector, dark)
        elif node.type in {"qualified-rule", "at-rule"} and node.content and depth < _MAX_DEPTH:
            prelude = _text(_flatten(node.prelude)).strip()
            inner = tinycss2.parse_blocks_contents(node.content, skip_whitespace=True)
            if node.type == "at-rule":
                is_dark = dark or _DARK_MODE.search(prelude) is not None
                yield from _declarations(inner, offsets, selector, dark=is_dark, depth=depth + 1)
            else:
                yield from _declarations(inner, offsets, prelude, dark=dark, depth=depth + 1)


def _flatten(tokens: Iterable[_Token]) -> Iterator[_Token]:
    """Yield tokens and everything inside them, without recursion: they may be nested deeper than the call stack."""
    stack = [iter(tokens)]
    while stack:
        for token in stack[-1]:
            yield token
            if token.type == "function":
                stack.append(iter(token.arguments))
                break
            if token.type in _BLOCKS:
                stack.append(iter(token.content))
                break
        else:
            stack.pop()


def _text(tokens: Iterable[_Token]) -> str:
    """Return flattened tokens as text, without closing brackets and without what is malformed."""
    return "".join([_TEXTS[token.type](token) for token in tokens])
