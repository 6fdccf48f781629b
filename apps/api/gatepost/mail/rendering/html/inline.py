"""The rules of a template's style sheets written onto its elements, for mail programs that read `style=` alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

import css_inline

from gatepost.mail.rendering.html.markup import Attribute, Token, tokens
from gatepost.mail.rendering.html.plaintext import CannotConvert, check_depth, to_text
from gatepost.mail.rendering.language.lexer import MASK_FIRST, Masked, mask

__all__ = ["CannotConvert", "inline_css", "to_text"]

_MASKS: Final = re.compile("[\ue000\ue001]+")
_KEPT_MEDIA: Final = frozenset({"", "all", "screen"})
_DOUBLE: Final = '"'
# An edit of the source: from, to, and what comes there.
_Edit = tuple[int, int, str]


def inline_css(html: str) -> str:
    """Write style rules onto the elements of a full document, Jinja and all, and give it back as Jinja.

    The source itself is edited, in `style` attributes and style sheets only: no parser prints it, so that nothing else
    is moved, escaped or lost. What cannot be inlined (media queries, dark mode, `:hover`, rules that fit nothing or a
    class that Jinja chooses) stays in its style sheet; a sheet of which nothing is left goes.

    Raises:
        TemplateSyntaxError: it cannot be read as Jinja.
        CannotConvert: the style sheets cannot be read, or no longer be told apart.
    """
    masked = mask(html)
    found = list(tokens(masked.text))
    check_depth(found)
    marker = "data-gp"
    while marker in masked.text:
        marker += "x"
    dynamic = _chooses_classes(masked, found)
    try:
        inliner = css_inline.CSSInliner(
            keep_style_tags=True, remove_inlined_selectors=not dynamic, load_remote_stylesheets=False
        )
        done = inliner.inline(_marked(masked, found, marker))
    except css_inline.InlineError as error:
        raise CannotConvert(f"The style sheets cannot be read: {error}") from error
    styles, sheets = _read(done, marker)
    return _apply(masked.source, _edits(masked, found, styles, sheets))


def _find(token: Token, name: str) -> Attribute | None:
    return next((each for each in token.attributes if each.name == name), None)


def _chooses_classes(masked: Masked, found: list[Token]) -> bool:
    return any(
        attribute.name in {"class", "id"} and MASK_FIRST in attribute.value
        for token in found
        if token.kind == "start"
        for attribute in token.attributes
    )


def _is_inlined_sheet(tag: Token, raw: Token) -> bool:
    media = _find(tag, "media")
    return MASK_FIRST not in raw.body and (media is None or media.value.strip().lower() in _KEPT_MEDIA)


def _marked(masked: Masked, found: list[Token], marker: str) -> str:
    """Give the document with every start tag numbered, without Jinja, and without what only confuses the inliner."""
    text = masked.text
    parts: list[str] = []
    last = 0
    for number, token in enumerate(found):
        parts.append(_MASKS.sub(" ", text[last : token.start]))
        last = token.end
        if token.kind == "start" and token.closed and token.name != "link":
            parts.append(_marked_tag(masked, token, f'{marker}="{number}"'))
        elif token.kind == "raw" and token.name == "style" and not _is_inlined_sheet(found[number - 1], token):
            continue
        elif token.kind in {"raw", "end"}:
            parts.append(text[token.start : token.end])
    parts.append(_MASKS.sub(" ", text[last:]))
    return "".join(parts)


def _marked_tag(masked: Masked, token: Token, mark: str) -> str:
    parts = [f"<{token.name} {mark}"]
    for each in token.attributes:
        if each.name == "style" and MASK_FIRST in each.value:
            continue
        value = _certain(masked, each) if each.name in {"class", "id"} else each.value
        quote = each.quote or '"'
        parts.append(f"{masked.text[each.start : each.start + len(each.name)]}={quote}{value}{quote}")
    return " ".join(parts) + (" />" if masked.text[token.end - 2] == "/" else ">")


def _certain(masked: Masked, attribute: Attribute) -> str:
    """Give an attribute's value without what stands between Jinja's conditions."""
    start, depth, last = attribute.value_start, 0, attribute.value_start
    parts: list[str] = []
    for span in masked.inside(start, start + len(attribute.value)):
        parts.append(masked.text[last : span.start] if depth == 0 else MASK_FIRST)
        parts.append(MASK_FIRST)
        word = span.words[0] if span.kind == "control" and span.words else ""
        depth += (word in {"if", "for"}) - word.startswith("end")
        last = span.end
    return "".join([*parts, masked.text[last : start + len(attribute.value)]])


def _read(done: str, marker: str) -> tuple[dict[int, str], dict[int, str]]:
    """Read what the inliner made: by number, the style of each element and the content of each sheet."""
    styles: dict[int, str] = {}
    sheets: dict[int, str] = {}
    number: int | None = None
    for token in tokens(done):
        if token.kind == "start":
            mark, style = _find(token, marker), _find(token, "style")
            number = int(mark.value) if mark is not None and mark.value.isdecimal() else None
            # what a parser repeats has the number of the first
            if number is not None and style is not None:
                styles.setdefault(number, unescape(style.value))
            if number is not None and token.name == "style":
                sheets[number] = ""
        elif token.kind == "raw" and token.name == "style" and number is not None:
            sheets[number] = token.body
    return styles, sheets


def _edits(masked: Masked, found: list[Token], styles: dict[int, str], sheets: dict[int, str]) -> Iterator[_Edit]:
    for number, token in enumerate(found):
        if token.kind != "start":
            continue
        raw = found[number + 1] if number + 1 < len(found) else None
        if token.name == "style" and raw is not None and raw.kind == "raw" and _is_inlined_sheet(token, raw):
            yield _sheet_edit(masked, token, raw, found[number + 2 : number + 3], sheets.get(number))
        elif number in styles:
            yield _style_edit(masked, token, styles[number])


def _sheet_edit(masked: Masked, tag: Token, raw: Token, after: list[Token], left: str | None) -> _Edit:
    if left is None:
        raise CannotConvert("A style sheet was lost; it stands where HTML allows none.")
    if not left.strip() and after and after[0].kind == "end":
        return tag.start, after[0].end, ""
    # css that only now looks like Jinja must not become it
    return raw.start, raw.end, re.sub(r"\{(?=[{%#])", "{ ", left)


def _style_edit(masked: Masked, token: Token, style: str) -> _Edit:
    own = _find(token, "style")
    if own is None:
        at = token.start + 1 + len(token.name)
        return at, at, f' style="{_escaped(style, _DOUBLE)}"'
    if MASK_FIRST not in own.value:
        return own.start, own.end, f'style="{_escaped(style, _DOUBLE)}"'
    # the author's own comes later and wins, as it does over a sheet
    quote = own.quote or _DOUBLE
    written = masked.source[own.value_start : own.value_start + len(own.value)]
    return own.start, own.end, f"style={quote}{_escaped(style.rstrip('; '), quote)}; {written}{quote}"


def _escaped(style: str, quote: str) -> str:
    # a brace that could begin Jinja, too
    plain = style.replace("&", "&amp;").replace("<", "&lt;").replace("{", "&#123;")
    return plain.replace(quote, f"&#{ord(quote)};")


def _apply(source: str, edits: Iterator[_Edit]) -> str:
    parts: list[str] = []
    last = 0
    for start, end, text in edits:
        parts += [source[last:start], text]
        last = end
    return "".join([*parts, source[last:]])
