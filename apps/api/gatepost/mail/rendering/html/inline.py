"""CSS inlining: style rules are copied into `style` attributes for email clients that ignore style sheets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Final, NamedTuple

import css_inline

from gatepost.mail.rendering.html.markup import Attribute, ConversionError, Token, check_depth, tokenize
from gatepost.mail.rendering.language.lexer import MASK_FIRST, MASK_REST, MaskedSource, mask

_MASKS: Final = re.compile(f"[{MASK_FIRST}{MASK_REST}]+")
_INLINED_MEDIA: Final = frozenset({"", "all", "screen"})


class _Edit(NamedTuple):
    """Replaces the source from `start` to `end`."""

    start: int
    end: int
    text: str


def inline_css(html: str) -> str:
    """Inline the style sheets of a full document that contains Jinja.

    Only `style` attributes and style sheets of the source are edited; it is not parsed and printed again, so nothing
    else is moved, escaped or lost. What cannot be inlined stays in its style sheet: media queries, dark mode, `:hover`,
    rules that match nothing, and rules for a class that Jinja chooses. A style sheet that becomes empty is removed.

    Raises:
        TemplateSyntaxError: it cannot be read as Jinja.
        ConversionError: the style sheets cannot be read, or an element cannot be found again.
    """
    masked = mask(html)
    tokens = list(tokenize(masked.text))
    check_depth(tokens)
    marker = "data-gp"
    while marker in masked.text:
        marker += "x"
    inliner = css_inline.CSSInliner(
        keep_style_tags=True,
        remove_inlined_selectors=not _has_dynamic_classes(tokens),
        load_remote_stylesheets=False,
    )
    try:
        inlined = inliner.inline(_number_tags(masked, tokens, marker))
    except css_inline.InlineError as error:
        raise ConversionError(f"The style sheets cannot be read: {error}") from error
    styles, sheets = _read_result(inlined, marker)
    return _apply(masked.source, _edits(masked, tokens, styles, sheets))


def _find(token: Token, name: str) -> Attribute | None:
    return next((each for each in token.attributes if each.name == name), None)


def _has_dynamic_classes(tokens: list[Token]) -> bool:
    return any(
        attribute.name in {"class", "id"} and MASK_FIRST in attribute.value
        for token in tokens
        if token.kind == "start"
        for attribute in token.attributes
    )


def _is_inlined_sheet(tag: Token, content: Token) -> bool:
    media = _find(tag, "media")
    return MASK_FIRST not in content.body and (media is None or media.value.strip().lower() in _INLINED_MEDIA)


def _number_tags(masked: MaskedSource, tokens: list[Token], marker: str) -> str:
    """Return the document for the inliner: start tags numbered, without Jinja and without sheets that are not inlined.

    The number is the index of the tag in `tokens`.
    """
    text = masked.text
    pieces: list[str] = []
    end = 0
    for number, token in enumerate(tokens):
        pieces.append(_MASKS.sub(" ", text[end : token.start]))
        end = token.end
        if token.kind == "start" and token.closed and token.name != "link":
            pieces.append(_numbered_tag(masked, token, f'{marker}="{number}"'))
        elif token.kind == "raw" and token.name == "style" and not _is_inlined_sheet(tokens[number - 1], token):
            continue
        elif token.kind in {"raw", "end"}:
            pieces.append(text[token.start : token.end])
    pieces.append(_MASKS.sub(" ", text[end:]))
    return "".join(pieces)


def _numbered_tag(masked: MaskedSource, token: Token, number: str) -> str:
    pieces = [f"<{token.name} {number}"]
    for each in token.attributes:
        if each.name == "style" and MASK_FIRST in each.value:
            continue
        value = _unconditional(masked, each) if each.name in {"class", "id"} else each.value
        quote = each.quote or '"'
        pieces.append(f"{masked.text[each.start : each.start + len(each.name)]}={quote}{value}{quote}")
    return " ".join(pieces) + (" />" if masked.text[token.end - 2] == "/" else ">")


def _unconditional(masked: MaskedSource, attribute: Attribute) -> str:
    """Return an attribute's value without the parts that depend on Jinja conditions or loops."""
    depth, end = 0, attribute.value_start
    pieces: list[str] = []
    for tag in masked.tags_in(attribute.value_start, attribute.value_end):
        pieces += [masked.text[end : tag.start] if depth == 0 else MASK_FIRST, MASK_FIRST]
        depth += (tag.keyword in {"if", "for"}) - tag.keyword.startswith("end")
        end = tag.end
    return "".join([*pieces, masked.text[end : attribute.value_end]])


def _read_result(inlined: str, marker: str) -> tuple[dict[int, str], dict[int, str]]:
    """Return, by number, the style of each element and the content of each style sheet."""
    styles: dict[int, str] = {}
    sheets: dict[int, str] = {}
    number: int | None = None
    for token in tokenize(inlined):
        if token.kind == "start":
            mark, style = _find(token, marker), _find(token, "style")
            number = int(mark.value) if mark is not None and mark.value.isdecimal() else None
            # Elements that a parser repeats have the number of the first.
            if number is not None and style is not None:
                styles.setdefault(number, unescape(style.value))
            if number is not None and token.name == "style":
                sheets[number] = ""
        elif token.kind == "raw" and token.name == "style" and number is not None:
            sheets[number] = token.body
    return styles, sheets


def _edits(
    masked: MaskedSource, tokens: list[Token], styles: dict[int, str], sheets: dict[int, str]
) -> Iterator[_Edit]:
    for number, token in enumerate(tokens):
        if token.kind != "start":
            continue
        content = tokens[number + 1] if number + 1 < len(tokens) else None
        if (
            token.name == "style"
            and content is not None
            and content.kind == "raw"
            and _is_inlined_sheet(token, content)
        ):
            yield _sheet_edit(token, content, tokens[number + 2 : number + 3], sheets.get(number))
        elif number in styles:
            yield _style_edit(masked, token, styles[number])


def _sheet_edit(tag: Token, content: Token, following: list[Token], remaining: str | None) -> _Edit:
    if remaining is None:
        raise ConversionError("A style sheet is where HTML does not allow it. Move it into <head>.")
    if not remaining.strip() and following and following[0].kind == "end":
        return _Edit(tag.start, following[0].end, "")
    # Inlining may bring braces together that would then be Jinja.
    return _Edit(content.start, content.end, re.sub(r"\{(?=[{%#])", "{ ", remaining))


def _style_edit(masked: MaskedSource, token: Token, style: str) -> _Edit:
    own = _find(token, "style")
    if own is None:
        start = token.start + 1 + len(token.name)
        return _Edit(start, start, f' style="{_escape(style)}"')
    if MASK_FIRST not in own.value:
        return _Edit(own.start, own.end, f'style="{_escape(style)}"')
    # The author's own style comes last and so overrides the style sheets.
    quote = own.quote or '"'
    written = masked.source[own.value_start : own.value_end]
    return _Edit(own.start, own.end, f"style={quote}{_escape(style.rstrip('; '), quote)}; {written}{quote}")


def _escape(style: str, quote: str = '"') -> str:
    # A brace too, which could start a Jinja tag.
    plain = style.replace("&", "&amp;").replace("<", "&lt;").replace("{", "&#123;")
    return plain.replace(quote, f"&#{ord(quote)};")


def _apply(source: str, edits: Iterator[_Edit]) -> str:
    pieces: list[str] = []
    end = 0
    for edit in edits:
        pieces += [source[end : edit.start], edit.text]
        end = edit.end
    return "".join([*pieces, source[end:]])
