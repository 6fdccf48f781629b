"""What may stand in an attribute that holds an address, and in a `url(…)`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Final

from gatepost.mail.rendering.language.lexer import MASK_FIRST, MASK_REST, Masked, Span
from gatepost.mail.rendering.types import Severity

URL_ATTRIBUTES: Final = frozenset(
    {
        "href", "src", "background", "action", "formaction", "cite", "poster", "data", "longdesc", "lowsrc", "dynsrc",
        "codebase", "classid", "archive", "usemap", "manifest", "ping", "profile", "srcset", "imagesrcset", "icon",
    }
)  # fmt: skip
_LISTS: Final = frozenset({"srcset", "imagesrcset", "ping", "archive"})
_SAFE: Final = frozenset({"http", "https", "mailto", "tel", "sms", "cid"})
_IMAGE: Final = re.compile(r"data:image/(?:png|gif|jpe?g|webp)[;,]", re.IGNORECASE)
_SCHEME: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
# What a browser cuts off at both ends, and what it takes out everywhere.
_EDGES: Final = "".join(map(chr, range(0x21)))
_REMOVED: Final = re.compile("[\t\n\r]")
# A whole host before the first variable: nothing that follows can change where the address leads.
_ANCHORED: Final = re.compile(rf"(?:https?://[^/?#\\@{MASK_FIRST}{MASK_REST}]+[/?#]|mailto:|tel:|sms:)", re.IGNORECASE)
# Ways through the conditions of one value; more than that cannot be judged.
_MOST_WAYS: Final = 32

# A text, and the spans behind its masks.
_Way = tuple[str, list[Span]]
# Rule, severity and message.
Verdict = tuple[str, Severity, str]


def judge(
    name: str, value: str, on_image: bool, whole: tuple[Masked, int, int], types: Mapping[str, str]
) -> set[Verdict]:
    """Judge one address attribute; gives each finding's rule, severity and message.

    Args:
        name: of the attribute.
        value: its masked text, entities not resolved.
        on_image: it is the source of an `img`, where small pictures may stand as data.
        whole: the source, and where in it the value is, from and to.
        types: the declared variables' types by their names.
    """
    masked, start, end = whole
    ways = list(_ways(value, start, masked.inside(start, end)))
    if len(ways) > _MOST_WAYS or any(way is None for way in ways):
        return {
            ("url-type", "error", "An address may hold a few conditions and no loop; move them around the element.")
        }
    found: set[Verdict] = set()
    for way in ways:
        text, spans = way or ("", [])
        # each span is one private-use character here
        for part in _parts(name, text):
            used, spans = spans[: part.count(MASK_FIRST)], spans[part.count(MASK_FIRST) :]
            found |= set(_judge_one(part, used, on_image, types))
    return found


def judge_css(value: str) -> set[Verdict]:
    """Judge what stands in one `url(…)` of a style."""
    if MASK_FIRST in value:
        return {
            ("url-type", "error", "A variable in the url() of a style is not safe; use an <img> or a fixed address.")
        }
    return set(_judge_one(value, [], True, {}))


def _parts(name: str, text: str) -> list[str]:
    if name not in _LISTS:
        return [text]
    separator = "," if name.endswith("srcset") else None
    return [part.split(maxsplit=1)[0] for part in text.split(separator) if part.strip()]


def _ways(value: str, start: int, spans: Sequence[Span]) -> Iterator[_Way | None]:
    """Give the texts that the conditions in a value allow, a mask for each variable; None for what cannot be told."""
    stack: list[tuple[list[_Way], list[_Way], bool]] = []
    now: list[_Way] = [("", [])]
    last = start
    for span in spans:
        now = [(text + value[last - start : span.start - start], used) for text, used in now]
        last = span.end
        word = span.words[0] if span.kind == "control" and span.words else ""
        if span.kind == "output":
            now = [(text + MASK_FIRST, [*used, span]) for text, used in now]
        elif word == "if":
            stack.append((now, [], False))
        elif word in {"elif", "else"} and stack:
            before, done, _ = stack.pop()
            stack.append((before, done + now, word == "else"))
            now = before
        elif word == "endif" and stack:
            before, done, has_else = stack.pop()
            now = done + now + ([] if has_else else before)
        elif span.kind == "control":
            yield None
            return
        if len(now) > _MOST_WAYS or any(len(each[1]) > _MOST_WAYS for each in stack):
            yield None
            return
    tail = value[last - start :]
    yield from ((text + tail, used) for text, used in now)


def _judge_one(part: str, spans: Sequence[Span], on_image: bool, types: Mapping[str, str]) -> Iterator[Verdict]:
    text = _REMOVED.sub("", unescape(part).strip(_EDGES))
    if MASK_FIRST in text:
        yield from _judge_mixed(text, spans, types)
        return
    scheme = _SCHEME.match(text)
    if scheme is None:
        if text.replace("\\", "/").startswith("//"):
            yield (
                "unsafe-url",
                "error",
                "An address that begins with // has no meaning in an e-mail; write https:// before it.",
            )
        elif not text.startswith("#"):
            yield (
                "unsafe-url",
                "warning",
                "A relative address leads nowhere from an e-mail; write it in full, with https://.",
            )
    elif scheme[1].lower() not in _SAFE and not (on_image and _IMAGE.match(text)):
        yield (
            "unsafe-url",
            "error",
            f"Addresses with {scheme[1].lower()[:20]}: are not allowed; use https:, mailto: or tel:.",
        )


def _judge_mixed(text: str, spans: Sequence[Span], types: Mapping[str, str]) -> Iterator[Verdict]:
    if text.startswith(MASK_FIRST):
        words = spans[0].words
        if text != MASK_FIRST or len(words) != 1 or types.get(words[0]) != "url":
            yield (
                "url-type", "error",
                "An address that begins with a variable must be one variable declared as a url and nothing else.",
            )  # fmt: skip
    elif _ANCHORED.match(text) is None:
        yield "url-type", "error", "Before the first variable of an address write https://, the whole host and a slash."
    elif any(span.words[-2:] != ("|", "urlencode") for span in spans):
        yield "url-type", "error", "End each variable inside an address with | urlencode."
