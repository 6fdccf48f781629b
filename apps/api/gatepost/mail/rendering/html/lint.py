"""Rules for the HTML of a template: what is unsafe, and what email clients do not show.

Values are escaped only for text and quoted attribute values, so Jinja anywhere else in the HTML is an error.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Final, NamedTuple

from jinja2 import TemplateSyntaxError

from gatepost.mail.rendering.html import links
from gatepost.mail.rendering.html.css import Color, Css, contrast, opaque_color, parse_style_attribute, parse_stylesheet
from gatepost.mail.rendering.html.markup import Attribute, Token, tokenize
from gatepost.mail.rendering.html.urls import URL_ATTRIBUTES, check_css_url, check_url_attribute
from gatepost.mail.rendering.language.lexer import MASK_FIRST, MASK_REST, MaskedSource, is_balanced, mask
from gatepost.mail.rendering.language.variables import Variable, link_names
from gatepost.mail.rendering.types import Diagnostic, Severity

MAX_BYTES = 102 * 1024

_FORBIDDEN: Final = frozenset(
    {
        "script", "object", "embed", "applet", "iframe", "frame", "frameset", "base", "svg", "math", "portal",
        "noscript", "xmp", "plaintext", "noembed", "noframes", "template", "listing", "param", "slot", "audio",
        "video", "source", "track", "canvas", "dialog",
    }
)  # fmt: skip
_FORM: Final = frozenset(
    {
        "form", "input", "button", "select", "textarea", "option", "optgroup", "fieldset", "label", "datalist",
        "output", "keygen",
    }
)  # fmt: skip
_ALLOWED: Final = frozenset(
    {
        "html", "head", "title", "meta", "style", "body", "a", "abbr", "acronym", "address", "area", "article",
        "aside", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup",
        "data", "dd", "del", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font", "footer", "h1", "h2",
        "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "legend", "li", "main", "map", "mark",
        "nav", "ol", "p", "picture", "pre", "q", "s", "samp", "section", "small", "span", "strike", "strong", "sub",
        "summary", "details", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul",
        "var", "wbr", "xml",
    }
)  # fmt: skip
# Elements of Outlook's own markup.
_OUTLOOK_PREFIXES: Final = ("v:", "o:", "w:")
# Elements whose end tag is required.
_NEED_END_TAG: Final = frozenset(
    {
        "a", "b", "i", "em", "strong", "span", "div", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6",
        "center", "font", "u", "small",
    }
)  # fmt: skip
_UNSUPPORTED_LAYOUT: Final = re.compile(r"(?:inline-)?(?:flex|grid)|absolute|fixed|sticky")
_ACTIVE_CSS: Final = re.compile(r"expression\(|javascript:|vbscript:|-moz-binding|behavior:")
_CONDITIONAL: Final = re.compile(r"\[if [^\]]*\]>")
_MARKUP: Final = re.compile(
    r"&(?:amp|lt|gt|quot|nbsp|#\d{1,7}|#x[0-9a-f]{1,6});|</?(?:b|i|em|strong|br|p|span)\s?/?>", re.IGNORECASE
)
_DASH_AND_MASK: Final = re.compile(rf"[-!][{MASK_FIRST}{MASK_REST}]|[{MASK_FIRST}{MASK_REST}]-")
_MASK_AND_END: Final = re.compile(rf"[{MASK_FIRST}{MASK_REST}]>")
# WCAG 2.2, 1.4.3
_MIN_CONTRAST: Final = 4.5


class Finding(NamedTuple):
    """A problem at an offset of the source."""

    offset: int
    rule: str
    severity: Severity
    msg: str


def lint(html: str, declared: Sequence[Variable], subject: str) -> list[Diagnostic]:
    """Check an author's HTML, a fragment or a whole document with Jinja, and the literal text of the subject.

    Takes linear time. HTML that cannot be read as Jinja is not checked: the grammar reports it. Diagnostics are in
    source order.
    """
    found: list[Diagnostic] = []
    if markup := _MARKUP.search(subject):
        msg = f"A subject is plain text: {markup[0]} is shown as it is. Remove it."
        found.append(Diagnostic("subject", "subject-markup", "warning", 1, markup.start() + 1, msg))
    size = len(html.encode(errors="replace"))
    if size > MAX_BYTES:
        msg = f"The HTML has {size // 1024} KB. Gmail clips emails larger than 102 KB. Shorten it."
        found.append(Diagnostic("html", "too-large", "warning", 1, 1, msg))
    try:
        masked = mask(html)
    except TemplateSyntaxError:
        return found
    lines = [0, *(newline.end() for newline in re.finditer("\n", masked.source))]
    types: dict[str, str] = {variable.name: variable.type for variable in declared}
    findings = set(_check(masked, types))
    for misplaced in links.check_html(masked.text, links.find_links(masked, link_names(declared)), masked):
        findings.add(Finding(misplaced.offset, links.RULE, "error", misplaced.msg))
    for each in sorted(findings, key=lambda finding: (finding.offset, finding.rule, finding.msg)):
        line = bisect_right(lines, each.offset)
        column = each.offset - lines[line - 1] + 1
        found.append(Diagnostic("html", each.rule, each.severity, line, column, each.msg))
    return found


def _check(
    masked: MaskedSource, types: Mapping[str, str], start: int = 0, stop: int | None = None
) -> Iterator[Finding]:
    """Check the source from `start` to `stop`; `types` are the types of the declared variables, by name."""
    opened: dict[str, int] = {}
    closed: set[str] = set()
    for token in tokenize(masked.text, start, stop):
        yield from _check_token(masked, token, types)
        if token.kind == "end":
            closed.add(token.name)
        elif token.name in _NEED_END_TAG:
            opened.setdefault(token.name, token.start)
    # Another conditional comment may close what one opens.
    if stop is None:
        for name, offset in opened.items():
            if name not in closed:
                msg = f"<{name}> is not closed. Add </{name}> where it ends."
                yield Finding(offset, "unclosed-tag", "warning", msg)


def _check_token(masked: MaskedSource, token: Token, types: Mapping[str, str]) -> Iterator[Finding]:
    match token.kind:
        case "broken":
            yield _jinja_in_tag(token.start)
        case "comment":
            yield from _check_comment(masked, token, types)
        case "raw":
            yield from _check_raw_text(masked, token)
        case _:
            yield from _check_name(token)
            yield from _check_tag(masked, token, types)


def _jinja_in_tag(offset: int, where: str = "in a tag, outside of a quoted attribute value") -> Finding:
    msg = f"Jinja {where} is not safe. Move it into quotes or around the element."
    return Finding(offset, "jinja-in-tag", "error", msg)


def _check_comment(masked: MaskedSource, token: Token, types: Mapping[str, str]) -> Iterator[Finding]:
    if not token.closed:
        yield Finding(token.start, "unclosed-tag", "error", "This comment is not closed. Add -->.")
    conditional = _CONDITIONAL.match(token.body)
    if MASK_FIRST in token.body:
        tags = masked.tags_in(token.start, token.end)
        if token.name == "bogus" or not is_balanced(tags) or _may_end_early(token.body):
            yield _jinja_in_tag(tags[0].start, "that can open or close a comment")
        elif token.body.lstrip().startswith("[") and conditional is None:
            yield _jinja_in_tag(tags[0].start, "in the condition of a comment")
    if conditional:
        inner = token.body.removesuffix("<![endif]").removesuffix("<!")
        yield from _check(masked, types, token.start + 4 + conditional.end(), token.start + 4 + len(inner))


def _may_end_early(body: str) -> bool:
    """Return whether a comment could end earlier if its Jinja, between pieces of `-->`, renders to nothing."""
    return _DASH_AND_MASK.search(body) is not None or (
        body.startswith(MASK_FIRST) and _MASK_AND_END.search(body) is not None
    )


def _check_raw_text(masked: MaskedSource, token: Token) -> Iterator[Finding]:
    if not token.closed:
        msg = f"<{token.name}> is not closed. Add </{token.name}>."
        yield Finding(token.start, "unclosed-tag", "error", msg)
    tags = masked.tags_in(token.start, token.end)
    if token.name == "style":
        if tags:
            msg = "Jinja in <style> is not safe. Use fixed styles."
            yield Finding(tags[0].start, "jinja-in-style", "error", msg)
        yield from _check_stylesheet(token)
    elif tags and ("<" in token.body or not is_balanced(tags)):
        yield _jinja_in_tag(tags[0].start, f"that can open or close <{token.name}>")


def _check_name(token: Token) -> Iterator[Finding]:
    name, offset = token.name, token.start
    if MASK_FIRST in name:
        yield _jinja_in_tag(offset)
    elif name in _FORM:
        msg = f"Email clients block forms. Remove <{name}> and link to a page instead."
        yield Finding(offset, "form", "error", msg)
    elif name == "link":
        msg = "Email clients do not load <link>. Put the styles into a <style> element."
        yield Finding(offset, "external-style", "error", msg)
    elif name in _FORBIDDEN or not (name in _ALLOWED or name.startswith(_OUTLOOK_PREFIXES)):
        yield Finding(offset, "script", "error", f"<{name[:30]}> is not allowed in an email. Remove it.")


def _check_tag(masked: MaskedSource, token: Token, types: Mapping[str, str]) -> Iterator[Finding]:
    offset = token.start
    if not token.closed:
        msg = "This tag is not closed. Add the missing > or quotation mark."
        yield Finding(offset, "unclosed-tag", "error", msg)
    if token.kind == "end":
        if any(MASK_FIRST in each.name + each.value for each in token.attributes):
            yield _jinja_in_tag(offset)
        return
    for attribute in token.attributes:
        yield from _check_attribute(masked, token, attribute, types)
    attributes = {each.name: each for each in reversed(token.attributes)}
    if token.name == "img" and "alt" not in attributes:
        msg = 'Many readers do not see images. Describe this one with alt="…".'
        yield Finding(offset, "missing-alt", "warning", msg)
    if token.name == "meta" and "http-equiv" in attributes:
        yield from _check_http_equiv(attributes["http-equiv"])


def _check_http_equiv(attribute: Attribute) -> Iterator[Finding]:
    value = unescape(attribute.value).strip().lower()
    if value not in {"content-type", "x-ua-compatible", "content-language"}:
        msg = "This http-equiv is not allowed in an email. Remove the <meta> element."
        yield Finding(attribute.start, "script", "error", msg)


def _check_attribute(
    masked: MaskedSource, token: Token, attribute: Attribute, types: Mapping[str, str]
) -> Iterator[Finding]:
    name, value = attribute.name, attribute.value
    if MASK_FIRST in name:
        yield _jinja_in_tag(attribute.start + name.index(MASK_FIRST))
        return
    tags = masked.tags_in(attribute.value_start, attribute.value_end)
    if value and not attribute.quote:
        severity: Severity = "error" if tags else "warning"
        msg = f'Put the value of {name[:30]} in quotation marks: {name[:30]}="…".'
        yield Finding(attribute.start, "unquoted-attribute", severity, msg)
    if not is_balanced(tags):
        yield _jinja_in_tag(tags[0].start, "that opens or closes a condition outside of this attribute value")
    yield from _check_value(masked, token, attribute, types)


def _check_value(
    masked: MaskedSource, token: Token, attribute: Attribute, types: Mapping[str, str]
) -> Iterator[Finding]:
    name, offset = attribute.name, attribute.start
    local_name = name.rpartition(":")[2]
    if name.startswith("on"):
        yield Finding(offset, "event-handler", "error", f"Emails cannot run scripts. Remove {name[:30]}.")
    elif local_name == "srcdoc":
        yield Finding(offset, "script", "error", "srcdoc is not allowed in an email. Remove it.")
    elif name == "style":
        yield from _check_style_attribute(masked, token, attribute)
    elif local_name in URL_ATTRIBUTES:
        position = masked, attribute.value_start, attribute.value_end
        is_image = token.name == "img" and name == "src"
        for problem in check_url_attribute(local_name, attribute.value, position, types, is_image=is_image):
            yield Finding(offset, *problem)


def _check_style_attribute(masked: MaskedSource, token: Token, attribute: Attribute) -> Iterator[Finding]:
    for tag in masked.tags_in(attribute.value_start, attribute.value_end):
        if tag.kind == "output":
            # Values are escaped for HTML, not for CSS: one could end this declaration and start another.
            msg = "A variable in a style is not safe. Choose between fixed styles with {% if %}."
            yield Finding(tag.start, "jinja-in-style", "error", msg)
    css = parse_style_attribute(unescape(attribute.value))
    yield from _check_css(css, attribute.start)
    for each in css.declarations:
        if each.name in {"display", "position"} and _UNSUPPORTED_LAYOUT.fullmatch(each.value):
            yield _unsupported_layout(attribute.start, each.name, each.value)
    if css.malformed:
        yield _malformed_css(attribute.start)
    colors = {each.name: each.color for each in css.declarations}
    bgcolor = next((opaque_color(unescape(each.value)) for each in token.attributes if each.name == "bgcolor"), None)
    background = colors.get("background-color", colors.get("background", bgcolor))
    yield from _check_contrast(colors.get("color"), background, attribute.start, "on this element")


def _check_stylesheet(token: Token) -> Iterator[Finding]:
    css = parse_stylesheet(token.body)
    yield from _check_css(css, token.start)
    for offset in css.malformed:
        yield _malformed_css(token.start + offset)
    for offset in css.imports:
        msg = "Email clients do not load @import. Put the styles here."
        yield Finding(token.start + offset, "external-style", "error", msg)
    # The colors of each selector in dark mode, and where the text color is.
    pairs: dict[str, dict[str, tuple[Color | None, int]]] = {}
    for each in css.declarations:
        offset = token.start + each.start
        if each.name in {"display", "position"} and _UNSUPPORTED_LAYOUT.fullmatch(each.value):
            yield _unsupported_layout(offset, each.name, each.value)
        if each.dark and each.name in {"color", "background", "background-color"}:
            pairs.setdefault(each.selector, {})[each.name.removesuffix("-color")] = each.color, offset
    for pair in pairs.values():
        if len(pair) == 2:
            yield from _check_contrast(pair["color"][0], pair["background"][0], pair["color"][1], "in dark mode")


def _check_css(css: Css, start: int) -> Iterator[Finding]:
    if found := _ACTIVE_CSS.search(css.code):
        yield Finding(start, "unsafe-url", "error", f"CSS must not run code. Remove {found[0]}.")
    for url in css.urls:
        for problem in check_css_url(url):
            yield Finding(start, *problem)


def _malformed_css(offset: int) -> Finding:
    # An error, because each email client reads it differently.
    msg = "This CSS cannot be parsed here. Close strings, and put URLs in quotation marks."
    return Finding(offset, "malformed-css", "error", msg)


def _unsupported_layout(offset: int, name: str, value: str) -> Finding:
    msg = f"Many email clients ignore {name}: {value}. Use a table instead."
    return Finding(offset, "unsupported-layout", "warning", msg)


def _check_contrast(text: Color | None, background: Color | None, offset: int, where: str) -> Iterator[Finding]:
    if text is not None and background is not None and (ratio := contrast(text, background)) < _MIN_CONTRAST:
        msg = (
            f"The contrast between text and background {where} is {ratio:.1f}. "
            f"Choose colors with a contrast of at least {_MIN_CONTRAST}."
        )
        yield Finding(offset, "dark-contrast", "warning", msg)
