"""The rules behind `lint`: each looks at one tag, comment or style sheet of a masked source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Final, NamedTuple

from gatepost.mail.rendering.html.css import addresses, colour, contrast, declarations, decoded, without_comments
from gatepost.mail.rendering.html.markup import Attribute, Token, tokens
from gatepost.mail.rendering.html.urls import URL_ATTRIBUTES, judge, judge_css
from gatepost.mail.rendering.language.lexer import MASK_FIRST, MASK_REST, Masked, balanced
from gatepost.mail.rendering.types import Severity

_ACTIVE: Final = frozenset(
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
_KNOWN: Final = frozenset(
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
# Of Outlook's own markup.
_PREFIXES: Final = ("v:", "o:", "w:")
# Those that have no end in HTML, or whose end may be left out.
_ENDED: Final = frozenset(
    {
        "a", "b", "i", "em", "strong", "span", "div", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6",
        "center", "font", "u", "small",
    }
)  # fmt: skip
_LAYOUT: Final = re.compile(r"(?:inline-)?(?:flex|grid)|absolute|fixed|sticky")
_RUNS: Final = re.compile(r"expression\(|javascript:|vbscript:|-moz-binding|behavior:")
_SPACE: Final = re.compile(r"[\s\x00]+")
_CONDITIONAL: Final = re.compile(r"\[if [^\]]*\]>")
_ENTITY: Final = re.compile(
    r"&(?:amp|lt|gt|quot|nbsp|#\d{1,7}|#x[0-9a-f]{1,6});|</?(?:b|i|em|strong|br|p|span)\s?/?>", re.IGNORECASE
)
_DASH_JOINED: Final = re.compile(rf"[-!][{MASK_FIRST}{MASK_REST}]|[{MASK_FIRST}{MASK_REST}]-")
_JOINED_END: Final = re.compile(rf"[{MASK_FIRST}{MASK_REST}]>")
_MIN_CONTRAST: Final = 4.5


class Finding(NamedTuple):
    """One finding at an offset of the source."""

    at: int
    rule: str
    severity: Severity
    msg: str


def subject_findings(subject: str) -> Iterator[Finding]:
    """Look at a subject's literal text: it is plain, so that markup would be read as it stands."""
    if found := _ENTITY.search(subject):
        yield Finding(
            found.start(), "subject-markup", "warning", f"A subject is plain text: {found[0]} is shown as it stands."
        )


def look(masked: Masked, types: Mapping[str, str], start: int = 0, stop: int | None = None) -> Iterator[Finding]:
    """Look at the masked source from `start` to `stop`; `types` are the declared variables' by their names."""
    opened: dict[str, int] = {}
    ended: set[str] = set()
    for token in tokens(masked.text, start, stop):
        yield from _token(masked, token, types)
        if token.kind == "end":
            ended.add(token.name)
        elif token.name in _ENDED:
            opened.setdefault(token.name, token.start)
    for name, at in opened.items():
        # what a conditional comment opens, another one may close
        if name not in ended and stop is None:
            yield Finding(at, "unclosed-tag", "warning", f"<{name}> is never closed; write </{name}> where it ends.")


def _token(masked: Masked, token: Token, types: Mapping[str, str]) -> Iterator[Finding]:
    if token.kind == "broken":
        yield _jinja_in_tag(token.start)
    elif token.kind == "comment":
        yield from _comment(masked, token, types)
    elif token.kind == "raw":
        yield from _raw(masked, token)
    else:
        yield from _name(token)
        yield from _tag(masked, token, types)


def _jinja_in_tag(at: int, where: str = "a tag, outside of a quoted attribute value,") -> Finding:
    return Finding(
        at, "jinja-in-tag", "error", f"Jinja in {where} is not safe; move it into quotes or around the element."
    )


def _comment(masked: Masked, token: Token, types: Mapping[str, str]) -> Iterator[Finding]:
    if not token.closed:
        yield Finding(token.start, "unclosed-tag", "error", "This comment does not end; write --> after it.")
    conditional = _CONDITIONAL.match(token.body)
    if MASK_FIRST in token.body:
        spans = masked.inside(token.start, token.end)
        if token.name == "bogus" or not balanced(spans) or _may_end_early(token.body):
            yield _jinja_in_tag(spans[0].start, "a comment that it can open or close")
        elif token.body.lstrip().startswith("[") and conditional is None:
            yield _jinja_in_tag(spans[0].start, "the condition of a comment")
    if conditional:
        inner = token.body.removesuffix("<![endif]").removesuffix("<!")
        yield from look(masked, types, token.start + 4 + conditional.end(), token.start + 4 + len(inner))


def _may_end_early(body: str) -> bool:
    """Tell whether a comment could end before it seems to, when the Jinja between pieces of `-->` gives nothing."""
    return _DASH_JOINED.search(body) is not None or (
        body.startswith(MASK_FIRST) and _JOINED_END.search(body) is not None
    )


def _raw(masked: Masked, token: Token) -> Iterator[Finding]:
    if not token.closed:
        yield Finding(token.start, "unclosed-tag", "error", f"<{token.name}> is not closed; write </{token.name}>.")
    spans = masked.inside(token.start, token.end)
    if token.name == "style":
        if spans:
            yield Finding(spans[0].start, "jinja-in-style", "error", "Jinja in <style> is not safe; use fixed styles.")
        yield from _sheet(token)
    elif spans and ("<" in token.body or not balanced(spans)):
        yield _jinja_in_tag(spans[0].start, f"a <{token.name}> that it can open or close")


def _name(token: Token) -> Iterator[Finding]:
    name, at = token.name, token.start
    if MASK_FIRST in name:
        yield _jinja_in_tag(at)
    elif name in _FORM:
        yield Finding(at, "form", "error", f"Mail programs block forms: take <{name}> out and link to a page.")
    elif name == "link":
        yield Finding(at, "external-style", "error", "Mail programs load no <link>; put the styles into a <style>.")
    elif name in _ACTIVE or not (name in _KNOWN or name.startswith(_PREFIXES)):
        yield Finding(at, "script", "error", f"<{name[:30]}> is not allowed in an e-mail; take it out.")


def _tag(masked: Masked, token: Token, types: Mapping[str, str]) -> Iterator[Finding]:
    at = token.start
    if not token.closed:
        yield Finding(at, "unclosed-tag", "error", "This tag does not end: a > or a closing quote is missing.")
    if token.kind == "end":
        if any(MASK_FIRST in each.name + each.value for each in token.attributes):
            yield _jinja_in_tag(at)
        return
    for attribute in token.attributes:
        yield from _attribute(masked, token, attribute, types)
    seen = {each.name: each for each in reversed(token.attributes)}
    if token.name == "img" and "alt" not in seen:
        yield Finding(at, "missing-alt", "warning", 'Many readers do not see images: say what it shows in alt="…".')
    if token.name == "meta" and "http-equiv" in seen:
        yield from _meta(seen["http-equiv"])
    yield from _inline_contrast(seen)


def _meta(attribute: Attribute) -> Iterator[Finding]:
    value = unescape(attribute.value).strip().lower()
    if value not in {"content-type", "x-ua-compatible", "content-language"}:
        yield Finding(
            attribute.start, "script", "error", "This http-equiv is not allowed in an e-mail; take the <meta> out."
        )


def _attribute(masked: Masked, token: Token, attribute: Attribute, types: Mapping[str, str]) -> Iterator[Finding]:
    name, at, value = attribute.name, attribute.start, attribute.value
    if MASK_FIRST in name:
        yield _jinja_in_tag(at + name.index(MASK_FIRST))
        return
    spans = masked.inside(attribute.value_start, attribute.value_start + len(value))
    if value and not attribute.quote:
        severity: Severity = "error" if spans else "warning"
        yield Finding(at, "unquoted-attribute", severity, f'Put the value of {name[:30]} into quotes: {name[:30]}="…".')
    if not balanced(spans):
        yield _jinja_in_tag(spans[0].start, "an attribute value, with its {% if %} or {% endif %} elsewhere,")
    yield from _meaning(masked, token, attribute, types)


def _meaning(masked: Masked, token: Token, attribute: Attribute, types: Mapping[str, str]) -> Iterator[Finding]:
    name, at = attribute.name, attribute.start
    local = name.rpartition(":")[2]
    if name.startswith("on"):
        yield Finding(at, "event-handler", "error", f"Scripts do not run in e-mails: take {name[:30]} out.")
    elif local == "srcdoc":
        yield Finding(at, "script", "error", "srcdoc is not allowed in an e-mail; take it out.")
    elif name == "style":
        yield from _style(masked, attribute)
    elif local in URL_ATTRIBUTES:
        whole = masked, attribute.value_start, attribute.value_start + len(attribute.value)
        for verdict in judge(local, attribute.value, token.name == "img" and name == "src", whole, types):
            yield Finding(at, *verdict)


def _style(masked: Masked, attribute: Attribute) -> Iterator[Finding]:
    css = unescape(attribute.value)
    for span in masked.inside(attribute.value_start, attribute.value_start + len(attribute.value)):
        if span.kind == "output":
            # Escaping is for HTML: a value could close a declaration and begin another.
            yield Finding(span.start, "jinja-in-style", "error", "A value in a style is not safe; choose by {% if %}.")
    yield from _css_dangers(css, attribute.start)
    for each in declarations(css):
        if each.name in {"display", "position"} and _LAYOUT.fullmatch(each.value):
            yield _layout(attribute.start, f"{each.name}: {each.value}")


def _layout(at: int, what: str) -> Finding:
    return Finding(at, "unsupported-layout", "warning", f"Many mail programs ignore {what}; use a table instead.")


def _css_dangers(css: str, at: int) -> Iterator[Finding]:
    plain = _SPACE.sub("", decoded(without_comments(css))).lower()
    if found := _RUNS.search(plain):
        yield Finding(at, "unsafe-url", "error", f"Styles must not run anything: take {found[0]} out.")
    for address in addresses(css):
        for verdict in judge_css(address):
            yield Finding(at, *verdict)


def _sheet(token: Token) -> Iterator[Finding]:
    css, base = token.body, token.start
    yield from _css_dangers(css, base)
    if "@import" in decoded(without_comments(css)).lower():
        at = base + max(0, css.lower().find("@import"))
        yield Finding(at, "external-style", "error", "Mail programs load no @import; put the styles here.")
    pairs: dict[str, dict[str, tuple[str, int]]] = {}
    for each in declarations(css):
        if each.name in {"display", "position"} and _LAYOUT.fullmatch(each.value):
            yield _layout(base + each.start, f"{each.name}: {each.value}")
        if each.dark and each.name in {"color", "background", "background-color"}:
            name = "color" if each.name == "color" else "background"
            pairs.setdefault(each.selector, {})[name] = (each.value, base + each.start)
    for pair in pairs.values():
        if len(pair) == 2:
            yield from _contrast(pair["color"][0], pair["background"][0], pair["color"][1], "in dark mode")


def _inline_contrast(seen: Mapping[str, Attribute]) -> Iterator[Finding]:
    if "style" not in seen:
        return
    known = {each.name: each.value for each in declarations(unescape(seen["style"].value))}
    background = known.get("background-color") or known.get("background")
    if background is None and "bgcolor" in seen:
        background = unescape(seen["bgcolor"].value)
    if background is not None and "color" in known:
        yield from _contrast(known["color"], background, seen["style"].start, "on this element")


def _contrast(text: str, background: str, at: int, where: str) -> Iterator[Finding]:
    one, other = colour(text), colour(background)
    if one is not None and other is not None and (ratio := contrast(one, other)) < _MIN_CONTRAST:
        msg = (
            f"Text and background {where} have a contrast of {ratio:.1f}; choose colours with at least {_MIN_CONTRAST}."
        )
        yield Finding(at, "dark-contrast", "warning", msg)
