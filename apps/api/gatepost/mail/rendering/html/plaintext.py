"""The plain-text part of an e-mail, made from its HTML while both are still Jinja."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
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

from gatepost.mail.rendering.html.markup import Token, tokens
from gatepost.mail.rendering.language.lexer import Masked, Span, balanced, mask

# A span's place: its number between two private-use characters.
_PLACE: Final = re.compile("\ue000([0-9]+)\ue001")
_LITERAL_BRACE: Final = re.compile(r"\{(?=[{%#\ue000])")
_HIDDEN: Final = re.compile(
    r"display:none|visibility:hidden|mso-hide:all|(?<![a-z-])max-height:0(?![.\d]*[1-9])|(?<![a-z-])font-size:0(?![.\d]*[1-9])"
)
_ROWS: Final = frozenset(("table", "tr", "tbody", "thead", "tfoot"))
_ENDS: Final = {("endif",), ("endfor",)}
_MAX_DEPTH: Final = 200
# Void, or ended by the next of their kind.
_SELF_ENDING: Final = frozenset(
    {
        "area", "base", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta",
        "option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr",
    }
)  # fmt: skip
_SPACE: Final = re.compile(r"\s+")
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


class CannotConvert(ValueError):
    """The HTML cannot be converted without losing or moving Jinja; the text says why, for its author."""


def to_text(html: str) -> str:
    """Make the text part, as a Jinja template, from the HTML of a full document with its Jinja.

    Links have their addresses after them, images are their alternative texts, hidden elements are left out. The tags of
    conditions and loops stand at the beginning of the line that they govern, so that they leave no lines behind. Where
    conditions hold back whole lines, rendering takes out the blank ones that remain.

    Raises:
        TemplateSyntaxError: it cannot be read as Jinja.
        CannotConvert: conditions or loops would end up somewhere else; the HTML around them is not well formed.
    """
    masked = mask(html)
    check_depth(tokens(masked.text))
    try:
        tree = document_fromstring(_placed(masked).encode(), parser=HTMLParser(encoding="utf-8", huge_tree=False))
    except (etree.ParserError, etree.XMLSyntaxError):
        return ""
    dropped = _prepare(tree, masked)
    try:
        text = Inscriptis(tree, ParserConfig(css=_fresh_css())).get_text()
    except RecursionError as error:
        raise CannotConvert("The elements are nested too deeply; flatten the HTML.") from error
    _check(masked, text, dropped)
    return _restored(masked, _joined(masked, text))


def check_depth(found: Iterable[Token]) -> None:
    """Refuse what is nested so deeply that the parsers, which recurse, would run out of stack and end the process."""
    opened: Counter[str] = Counter()
    depth = 0
    for token in found:
        if token.kind == "start" and token.name not in _SELF_ENDING:
            opened[token.name] += 1
            if opened.total() > _MAX_DEPTH:
                raise CannotConvert(
                    f"More than {_MAX_DEPTH} elements are open at once; close them or flatten the HTML."
                )
        elif token.kind == "end" and opened[token.name]:
            opened[token.name] -= 1
            depth -= 1


def _fresh_css() -> dict[str, HtmlElement]:
    # the engine may write into what it is given
    return {name: copy(element) for name, element in _CSS.items()}


def _is_shown(span: Span) -> bool:
    return span.kind != "comment" and (span.kind == "output" or span.words[:1] not in {("raw",), ("endraw",)})


def _placed(masked: Masked) -> str:
    parts: list[str] = []
    last = 0
    for number, span in enumerate(masked.spans):
        parts.append(masked.text[last : span.start].replace("\0", ""))
        if _is_shown(span):
            parts.append(f"\ue000{number}\ue001")
        last = span.end
    return "".join([*parts, masked.text[last:].replace("\0", "")])


def _prepare(tree: Element, masked: Masked) -> set[int]:
    """Leave out what is not shown and put links, images and cells as text; tell which spans went with it."""
    dropped: set[int] = set()
    for element in list(tree.iter()):
        if element.getparent() is None:
            continue
        if not isinstance(element.tag, str) or element.tag in _LEFT_OUT or _is_hidden(element):
            dropped.update(int(number) for number in _PLACE.findall(_own_text(element)))
            element.drop_tree()
    for element in list(tree.iter()):
        _put_as_text(element, masked)
    for element in tree.iter():
        element.attrib.clear()
    return dropped


def _put_as_text(element: Element, masked: Masked) -> None:
    if element.tag == "a":
        _write_address(element, masked)
    elif element.tag == "img":
        element.tag, element.text = "span", element.get("alt", "").strip()
    elif element.tag in {"td", "th"}:
        element.tag, element.tail = "span", f" {element.tail or ''}"
    elif element.tag in _ROWS:
        element.tag = "div"
    elif element.tag == "ol" and _PLACE.search((element.text or "") + "".join(each.tail or "" for each in element)):
        # numbers cannot be known before the loop runs
        element.tag = "ul"
    elif element.tag == "hr":
        element.tag, element.text = "p", "---"


def _own_text(element: Element) -> str:
    # of a comment or an instruction: its text alone
    return "".join(element.itertext()) if isinstance(element.tag, str) else ""


def _is_hidden(element: Element) -> bool:
    style = _SPACE.sub("", element.get("style", "")).lower()
    return "hidden" in element.attrib or _HIDDEN.search(style) is not None


def _write_address(element: Element, masked: Masked) -> None:
    address = element.get("href", "").strip()
    shown = address[7:] if address[:7].lower() == "mailto:" else address
    if not shown or shown.startswith("#"):
        return
    text = _SPACE.sub(" ", _own_text(element)).strip()
    alternatives = [image.get("alt", "") for image in element.iter("img")]
    said = " ".join([text, *alternatives]).strip()
    if _restored(masked, said) == _restored(masked, shown):
        return
    last = element[-1] if len(element) else None
    addition = f" ({shown})" if said else shown
    if last is None:
        element.text = (element.text or "").rstrip() + addition
    else:
        last.tail = (last.tail or "").rstrip() + addition


def _check(masked: Masked, text: str, dropped: set[int]) -> None:
    """Refuse a text in which a condition or loop of the HTML's text is missing, twice there, or in another order."""
    expected = [number for number in _in_text(masked) if number not in dropped]
    known = set(expected)
    found = [int(number) for number in _PLACE.findall(text)]
    if [number for number in found if number in known] != expected:
        raise CannotConvert("A condition or loop stands where HTML allows no text; put it around whole elements.")
    spans = [masked.spans[number] for number in found]
    if not balanced(spans):
        raise CannotConvert("A condition or loop begins in a hidden element or attribute and ends outside it.")


def _in_text(masked: Masked) -> Iterator[int]:
    """Give the numbers of the spans that stand between tags, or in the text of elements that are left out."""
    numbers = {span.start: number for number, span in enumerate(masked.spans)}
    last = 0
    for token in tokens(masked.text):
        for span in masked.inside(last, token.start):
            if _is_shown(span):
                yield numbers[span.start]
        last = token.end
    for span in masked.inside(last, len(masked.text)):
        if _is_shown(span):
            yield numbers[span.start]


def _joined(masked: Masked, text: str) -> str:
    """Put lines of nothing but conditions and loops before the next line, and set the rest without gaps."""
    lines: list[str] = []
    # what ends and what begins before the next line
    closing = opening = ""
    blank = gapped = False
    for raw in text.splitlines():
        line = raw.replace("\u00a0", " ").rstrip()
        if not line:
            blank = bool(lines) and not gapped
        elif _PLACE.sub("", line).strip() or _has_output(masked, line):
            if blank:
                # after what ends, before what begins: so that no turn of a loop has the gap of the loop
                lines.append(closing or opening)
                closing, opening = "", opening if closing else ""
            lines.append(closing + opening + line)
            closing = opening = ""
            blank = gapped = False
        else:
            ends, begins = _sorted(masked, line)
            closing, opening = (closing + opening + ends, begins) if ends else (closing, opening + begins)
            if begins and blank:
                before = opening.removesuffix(begins)
                lines.append(closing + before)
                closing, opening, blank, gapped = "", begins, False, True
    return "\n".join(lines).rstrip("\n") + "\n" + closing + opening


def _sorted(masked: Masked, line: str) -> tuple[str, str]:
    """Cut a line of conditions and loops after the last that ends one."""
    places = list(_PLACE.finditer(line))
    ending = [number for number, place in enumerate(places) if masked.spans[int(place[1])].words[:1] in _ENDS]
    cut = ending[-1] + 1 if ending else 0
    return "".join(place[0] for place in places[:cut]), "".join(place[0] for place in places[cut:])


def _has_output(masked: Masked, line: str) -> bool:
    return any(masked.spans[int(number)].kind == "output" for number in _PLACE.findall(line))


def _restored(masked: Masked, text: str) -> str:
    def restore(place: re.Match[str]) -> str:
        span = masked.spans[int(place[1])]
        # its `-` has eaten already
        written = masked.source[span.start : span.end].strip()
        inner = written[2:-2].removeprefix("-").removeprefix("+").removesuffix("-").removesuffix("+").strip()
        return f"{written[:2]} {inner} {written[-2:]}"

    return _PLACE.sub(restore, _LITERAL_BRACE.sub('{{ "{" }}', text))
