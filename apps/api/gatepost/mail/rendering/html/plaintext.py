"""The plain-text version of an email, made from its HTML while both are still Jinja templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from typing import Final

from inscriptis import Inscriptis
from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from lxml import etree
from lxml.html import HtmlElement as Element
from lxml.html import HTMLParser, document_fromstring

from gatepost.mail.rendering.html.markup import ConversionError, check_depth, tokenize
from gatepost.mail.rendering.language.lexer import JinjaTag, MaskedSource, is_balanced, mask

# Replaces a Jinja tag during the conversion: its index between two private-use characters.
_PLACEHOLDER: Final = re.compile("\ue000([0-9]+)\ue001")
_LITERAL_BRACE: Final = re.compile(r"\{(?=[{%#\ue000])")
_HIDDEN: Final = re.compile(
    r"display:none|visibility:hidden|mso-hide:all|(?<![a-z-])max-height:0(?![.\d]*[1-9])|(?<![a-z-])font-size:0(?![.\d]*[1-9])"
)
_SPACE: Final = re.compile(r"\s+")
_TABLE_PARTS: Final = frozenset(("table", "tr", "tbody", "thead", "tfoot"))
_LEFT_OUT: Final = ("head", "script", "style", "title", "template", "noscript", "object")
_CSS: Final = STRICT_CSS_PROFILE | {
    "ul": HtmlElement(display=Display.block, margin_before=1, margin_after=1, padding_inline=2),
    "ol": HtmlElement(display=Display.block, margin_before=1, margin_after=1, padding_inline=3),
    "section": HtmlElement(display=Display.block),
    "center": HtmlElement(display=Display.block),
    "dl": HtmlElement(display=Display.block, margin_before=1, margin_after=1),
    "dt": HtmlElement(display=Display.block),
    "dd": HtmlElement(display=Display.block, padding_inline=2),
    "form": HtmlElement(display=Display.block),
}


def to_text(html: str) -> str:
    """Return the text version, as a Jinja template, of a full HTML document with its Jinja.

    Links are followed by their URLs, images become their alternative texts, hidden elements are left out. The tags of
    conditions and loops are put at the start of the line that they control, so that they leave no lines of their own.
    Blank lines around lines that a condition removes are collapsed after rendering.

    Raises:
        TemplateSyntaxError: it cannot be read as Jinja.
        ConversionError: the HTML around conditions or loops is not well formed, and they would end up elsewhere.
    """
    masked = mask(html)
    check_depth(tokenize(masked.text))
    try:
        document = _with_placeholders(masked).encode()
        tree = document_fromstring(document, parser=HTMLParser(encoding="utf-8", huge_tree=False))
    except (etree.ParserError, etree.XMLSyntaxError):
        return ""
    dropped = _prepare_tree(tree, masked)
    # Inscriptis may change the elements of its configuration.
    css = {name: copy(element) for name, element in _CSS.items()}
    try:
        text = Inscriptis(tree, ParserConfig(css=css)).get_text()
    except RecursionError as error:
        raise ConversionError("The elements are nested too deeply. Flatten the HTML.") from error
    _check_order(masked, text, dropped)
    return _restore_jinja(masked, _join_lines(masked, text))


def _is_printed(tag: JinjaTag) -> bool:
    return tag.kind != "comment" and tag.keyword not in {"raw", "endraw"}


def _with_placeholders(masked: MaskedSource) -> str:
    pieces: list[str] = []
    end = 0
    for number, tag in enumerate(masked.tags):
        pieces.append(masked.text[end : tag.start].replace("\0", ""))
        if _is_printed(tag):
            pieces.append(f"\ue000{number}\ue001")
        end = tag.end
    return "".join([*pieces, masked.text[end:].replace("\0", "")])


def _prepare_tree(tree: Element, masked: MaskedSource) -> set[int]:
    """Drop what is not shown and turn links, images and cells into text. Return the numbers of the dropped tags."""
    dropped: set[int] = set()
    for element in list(tree.iter()):
        if element.getparent() is None:
            continue
        if not isinstance(element.tag, str) or element.tag in _LEFT_OUT or _is_hidden(element):
            dropped.update(int(number) for number in _PLACEHOLDER.findall(_text_of(element)))
            element.drop_tree()
    for element in list(tree.iter()):
        _simplify(element, masked)
    for element in tree.iter():
        element.attrib.clear()
    return dropped


def _simplify(element: Element, masked: MaskedSource) -> None:
    if element.tag == "a":
        _append_url(element, masked)
    elif element.tag == "img":
        element.tag, element.text = "span", element.get("alt", "").strip()
    elif element.tag in {"td", "th"}:
        element.tag, element.tail = "span", f" {element.tail or ''}"
    elif element.tag in _TABLE_PARTS:
        element.tag = "div"
    elif element.tag == "ol" and _PLACEHOLDER.search(
        (element.text or "") + "".join(each.tail or "" for each in element)
    ):
        # The numbers of items in a loop are not known yet.
        element.tag = "ul"
    elif element.tag == "hr":
        element.tag, element.text = "p", "---"


def _text_of(element: Element) -> str:
    # Comments and processing instructions have a function as their tag, and no text.
    return "".join(element.itertext()) if isinstance(element.tag, str) else ""


def _is_hidden(element: Element) -> bool:
    style = _SPACE.sub("", element.get("style", "")).lower()
    return "hidden" in element.attrib or _HIDDEN.search(style) is not None


def _append_url(element: Element, masked: MaskedSource) -> None:
    url = element.get("href", "").strip()
    shown = url[7:] if url[:7].lower() == "mailto:" else url
    if not shown or shown.startswith("#"):
        return
    text = _SPACE.sub(" ", _text_of(element)).strip()
    label = " ".join([text, *(image.get("alt", "") for image in element.iter("img"))]).strip()
    if _restore_jinja(masked, label) == _restore_jinja(masked, shown):
        return
    last = element[-1] if len(element) else None
    addition = f" ({shown})" if label else shown
    if last is None:
        element.text = (element.text or "").rstrip() + addition
    else:
        last.tail = (last.tail or "").rstrip() + addition


def _check_order(masked: MaskedSource, text: str, dropped: set[int]) -> None:
    """Check that the text has every tag of the HTML's text once and in order.

    Raises:
        ConversionError: a condition or loop is missing, repeated or moved.
    """
    expected = [number for number in _tags_in_text(masked) if number not in dropped]
    known = set(expected)
    found = [int(number) for number in _PLACEHOLDER.findall(text)]
    if [number for number in found if number in known] != expected:
        raise ConversionError("A condition or loop is where HTML allows no text. Put it around whole elements.")
    if not is_balanced([masked.tags[number] for number in found]):
        msg = (
            "A condition or loop starts in a hidden element or an attribute and ends outside. "
            "Put the whole block inside or "
            "outside that element."
        )
        raise ConversionError(msg)


def _tags_in_text(masked: MaskedSource) -> Iterator[int]:
    """Yield the numbers of the Jinja tags that are not inside HTML tags, comments and raw text."""
    numbers = {tag.start: number for number, tag in enumerate(masked.tags)}
    end = 0
    for token in tokenize(masked.text):
        for tag in masked.tags_in(end, token.start):
            if _is_printed(tag):
                yield numbers[tag.start]
        end = token.end
    for tag in masked.tags_in(end, len(masked.text)):
        if _is_printed(tag):
            yield numbers[tag.start]


def _join_lines(masked: MaskedSource, text: str) -> str:
    """Move conditions and loops that are alone on a line to the start of the next one, and collapse blank lines."""
    lines: list[str] = []
    # The tags since the last line of text: those that end a block, then those that start one.
    closing = opening = ""
    is_blank = has_gap = False
    for raw_line in text.splitlines():
        line = raw_line.replace("\u00a0", " ").rstrip()
        if not line:
            is_blank = bool(lines) and not has_gap
        elif _PLACEHOLDER.sub("", line).strip() or _has_output(masked, line):
            if is_blank:
                # The blank line comes after what ends and before what starts, so that a loop does not repeat it.
                lines.append(closing or opening)
                closing, opening = "", opening if closing else ""
            lines.append(closing + opening + line)
            closing = opening = ""
            is_blank = has_gap = False
        else:
            ends, begins = _split_tags(masked, line)
            closing, opening = (closing + opening + ends, begins) if ends else (closing, opening + begins)
            if begins and is_blank:
                before = opening.removesuffix(begins)
                lines.append(closing + before)
                closing, opening, is_blank, has_gap = "", begins, False, True
    return "\n".join(lines).rstrip("\n") + "\n" + closing + opening


def _split_tags(masked: MaskedSource, line: str) -> tuple[str, str]:
    """Split a line of conditions and loops after the last tag that ends one."""
    found = list(_PLACEHOLDER.finditer(line))
    ending = [number for number, each in enumerate(found) if masked.tags[int(each[1])].keyword in {"endif", "endfor"}]
    cut = ending[-1] + 1 if ending else 0
    return "".join(each[0] for each in found[:cut]), "".join(each[0] for each in found[cut:])


def _has_output(masked: MaskedSource, line: str) -> bool:
    return any(masked.tags[int(number)].kind == "output" for number in _PLACEHOLDER.findall(line))


def _restore_jinja(masked: MaskedSource, text: str) -> str:
    def restore(placeholder: re.Match[str]) -> str:
        tag = masked.tags[int(placeholder[1])]
        # The whitespace that its `-` removes is already gone.
        written = masked.source[tag.start : tag.end].strip()
        inner = written[2:-2].removeprefix("-").removeprefix("+").removesuffix("-").removesuffix("+").strip()
        return f"{written[:2]} {inner} {written[-2:]}"

    return _PLACEHOLDER.sub(restore, _LITERAL_BRACE.sub('{{ "{" }}', text))
