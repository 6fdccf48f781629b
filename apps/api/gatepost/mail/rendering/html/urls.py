"""Which URLs may be in an HTML attribute or in a CSS `url(…)`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Final

from gatepost.mail.rendering.language.lexer import MASK_FIRST, MASK_REST, JinjaTag, MaskedSource
from gatepost.mail.rendering.types import Severity

URL_ATTRIBUTES: Final = frozenset(
    {
        "href", "src", "background", "action", "formaction", "cite", "poster", "data", "longdesc", "lowsrc", "dynsrc",
        "codebase", "classid", "archive", "usemap", "manifest", "ping", "profile", "srcset", "imagesrcset", "icon",
    }
)  # fmt: skip
_LISTS: Final = frozenset({"srcset", "imagesrcset", "ping", "archive"})
_ALLOWED_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "sms", "cid"})
_DATA_IMAGE: Final = re.compile(r"data:image/(?:png|gif|jpe?g|webp)[;,]", re.IGNORECASE)
_SCHEME: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
# Browsers strip these at both ends of a URL, and remove newlines and tabs everywhere.
_STRIPPED: Final = "".join(map(chr, range(0x21)))
_REMOVED: Final = re.compile("[\t\n\r]")
# A complete host before the first variable: no value can change where the URL leads.
_FIXED_HOST: Final = re.compile(
    rf"(?:https?://[^/?#\\@{MASK_FIRST}{MASK_REST}]+[/?#]|mailto:|tel:|sms:)", re.IGNORECASE
)
# Combinations of the conditions in one value; values with more are rejected.
_MAX_VARIANTS: Final = 32

# A text with one mask for each variable, and the tags of these variables.
_Variant = tuple[str, list[JinjaTag]]
# Rule, severity and message.
Problem = tuple[str, Severity, str]


def check_url_attribute(
    name: str, value: str, position: tuple[MaskedSource, int, int], types: Mapping[str, str], *, is_image: bool
) -> set[Problem]:
    """Check the value of an attribute that contains a URL.

    Args:
        name: the attribute's name.
        value: its masked text, HTML entities not resolved.
        position: the source, and where the value starts and ends in it.
        types: the types of the declared variables, by name.
        is_image: whether this is the `src` of an `<img>`, which may be a `data:` URL of an image.
    """
    masked, start, end = position
    variants = list(_variants(value, start, masked.tags_in(start, end)))
    if len(variants) > _MAX_VARIANTS or any(variant is None for variant in variants):
        msg = "A URL may contain only a few conditions and no loops. Put them around the element."
        return {("url-type", "error", msg)}
    found: set[Problem] = set()
    for variant in variants:
        text, tags = variant or ("", [])
        for url in _split(name, text):
            # In a variant each tag is a single mask character.
            used, tags = tags[: url.count(MASK_FIRST)], tags[url.count(MASK_FIRST) :]
            found |= set(_check_url(url, used, types, is_image=is_image))
    return found


def check_css_url(value: str) -> set[Problem]:
    """Check the value of a `url(…)` in CSS."""
    if MASK_FIRST in value:
        msg = "A variable inside url() in CSS is not safe. Use an <img> or a fixed URL."
        return {("url-type", "error", msg)}
    return set(_check_url(value, [], {}, is_image=True))


def _split(name: str, text: str) -> list[str]:
    if name not in _LISTS:
        return [text]
    separator = "," if name.endswith("srcset") else None
    return [part.split(maxsplit=1)[0] for part in text.split(separator) if part.strip()]


def _variants(value: str, start: int, tags: Sequence[JinjaTag]) -> Iterator[_Variant | None]:
    """Yield every text that the conditions in a value allow; None if they cannot be enumerated."""
    stack: list[tuple[list[_Variant], list[_Variant], bool]] = []
    current: list[_Variant] = [("", [])]
    end = start
    for tag in tags:
        current = [(text + value[end - start : tag.start - start], used) for text, used in current]
        end = tag.end
        if tag.kind == "output":
            current = [(text + MASK_FIRST, [*used, tag]) for text, used in current]
        elif tag.keyword == "if":
            stack.append((current, [], False))
        elif tag.keyword in {"elif", "else"} and stack:
            before, done, _ = stack.pop()
            stack.append((before, done + current, tag.keyword == "else"))
            current = before
        elif tag.keyword == "endif" and stack:
            before, done, has_else = stack.pop()
            current = done + current + ([] if has_else else before)
        elif tag.kind == "control":
            yield None
            return
        if len(current) > _MAX_VARIANTS or any(len(done) > _MAX_VARIANTS for _, done, _ in stack):
            yield None
            return
    tail = value[end - start :]
    yield from ((text + tail, used) for text, used in current)


def _check_url(part: str, tags: Sequence[JinjaTag], types: Mapping[str, str], *, is_image: bool) -> Iterator[Problem]:
    text = _REMOVED.sub("", unescape(part).strip(_STRIPPED))
    if MASK_FIRST in text:
        yield from _check_variables(text, tags, types)
        return
    scheme = _SCHEME.match(text)
    if scheme is None:
        if text.replace("\\", "/").startswith("//"):
            msg = "A URL that starts with // does not work in an email. Start it with https://."
            yield "unsafe-url", "error", msg
        elif not text.startswith("#"):
            msg = "A relative URL does not work in an email. Use an absolute URL that starts with https://."
            yield "unsafe-url", "warning", msg
    elif scheme[1].lower() not in _ALLOWED_SCHEMES and not (is_image and _DATA_IMAGE.match(text)):
        msg = f"{scheme[1].lower()[:20]}: URLs are not allowed. Use https:, mailto: or tel:."
        yield "unsafe-url", "error", msg


def _check_variables(text: str, tags: Sequence[JinjaTag], types: Mapping[str, str]) -> Iterator[Problem]:
    if text.startswith(MASK_FIRST):
        tokens = tags[0].tokens
        if text != MASK_FIRST or len(tokens) != 1 or types.get(tokens[0]) not in {"url", "link"}:
            msg = (
                "A URL that starts with a variable must be a single variable of the type url or link and nothing else."
            )
            yield "url-type", "error", msg
    elif _FIXED_HOST.match(text) is None:
        msg = "Start the URL with https:// and the complete host and a slash, before the first variable."
        yield "url-type", "error", msg
    elif any(tag.tokens[-2:] != ("|", "urlencode") for tag in tags):
        yield "url-type", "error", "Add | urlencode to the end of each variable in the URL."
