"""Style sheets and `style` attributes cut into declarations, and how well their colours can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# A string without its end goes on to the end of its line.
_PIECES: Final = re.compile(r"""(?s:"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)|[{}();]""")
_COMMENT: Final = re.compile(r"(?s)/\*.*?(?:\*/|\Z)")
_ESCAPE: Final = re.compile(r"(?s)\\(?:([0-9a-fA-F]{1,6})[ \t\n\f]?|(.))")
_URL: Final = re.compile(r"""url\([ \t\n\f]*(["']?)([^"')]*)""", re.IGNORECASE)
_DARK: Final = re.compile(r"prefers-color-scheme\s{0,9}:\s{0,9}dark", re.IGNORECASE)
_HEX: Final = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})")
_RGB: Final = re.compile(r"rgb\(\s{0,9}(\d{1,3})\s{0,9},\s{0,9}(\d{1,3})\s{0,9},\s{0,9}(\d{1,3})\s{0,9}\)")
_NAMED: Final = {
    "black": (0, 0, 0), "silver": (192, 192, 192), "gray": (128, 128, 128), "grey": (128, 128, 128),
    "white": (255, 255, 255), "maroon": (128, 0, 0), "red": (255, 0, 0), "purple": (128, 0, 128),
    "fuchsia": (255, 0, 255), "green": (0, 128, 0), "lime": (0, 255, 0), "olive": (128, 128, 0),
    "yellow": (255, 255, 0), "navy": (0, 0, 128), "blue": (0, 0, 255), "teal": (0, 128, 128), "aqua": (0, 255, 255),
}  # fmt: skip

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Declaration:
    """`name: value` at `start`; `selector` is "" in a style attribute; `dark` in a block for dark colour schemes."""

    name: str
    value: str
    start: int
    selector: str = ""
    dark: bool = False


def without_comments(css: str) -> str:
    """Put spaces where comments are: places stay what they were."""
    return _COMMENT.sub(lambda found: " " * len(found[0]), css)


def decoded(css: str) -> str:
    r"""Resolve the escapes of CSS (`\6a` is j)."""

    def resolve(found: re.Match[str]) -> str:
        code = int(found[1], 16) if found[1] else 0
        return found[2] or (chr(code) if 0 < code < 0x110000 else "\ufffd")

    return _ESCAPE.sub(resolve, css)


def addresses(css: str) -> list[str]:
    """Give what stands in each `url(…)`, escapes resolved."""
    return [found[2] for found in _URL.finditer(decoded(without_comments(css)))]


def declarations(css: str) -> Iterator[Declaration]:
    """Cut a style sheet, or what is in a `style` attribute, into declarations."""
    text = without_comments(css)
    blocks: list[str] = []
    last = depth = 0
    for piece in _PIECES.finditer(text):
        sign = piece[0]
        if sign in {"(", ")"}:
            depth = max(0, depth + (1 if sign == "(" else -1))
        elif sign in {"{", "}"} or (sign == ";" and not depth):
            if sign != "{":
                yield from _declaration(text, last, piece.start(), blocks)
            else:
                # deeper than any style sheet: what follows is of no use
                blocks.append(text[last : piece.start()].strip()[:500])
                if len(blocks) > 8:
                    return
            if sign == "}" and blocks:
                blocks.pop()
            last, depth = piece.end(), 0
    yield from _declaration(text, last, len(text), blocks)


def _declaration(text: str, start: int, end: int, blocks: list[str]) -> Iterator[Declaration]:
    name, colon, value = text[start:end].partition(":")
    if not colon:
        return
    start += len(name) - len(name.lstrip())
    value = decoded(value).strip().lower().removesuffix("!important").strip()
    selector = blocks[-1] if blocks else ""
    yield Declaration(
        decoded(name).strip().lower(), value, start, selector, any(_DARK.search(block) for block in blocks[:-1])
    )


def colour(value: str) -> Colour | None:
    """Read an opaque colour; None for whatever is not certain."""
    value = value.strip().lower()
    if value in _NAMED:
        return _NAMED[value]
    if found := _HEX.fullmatch(value):
        digits = found[1] if len(found[1]) == 6 else "".join(each * 2 for each in found[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if found := _RGB.fullmatch(value):
        red, green, blue = (min(255, int(each)) for each in found.groups())
        return red, green, blue
    return None


def contrast(one: Colour, other: Colour) -> float:
    """Give the contrast ratio of WCAG 2.2, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(of: Colour) -> float:
    shares = [each / 255 for each in of]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
