"""Where links with tokens may be: as the whole value of an `<a href>`, or on their own in text.

Anywhere else, a link's token could be sent to another server: in the URL of an image, appended to another URL, or in
a style sheet that loads an image depending on what the token contains. The same rules are checked twice: in a source,
where the link is Jinja, and in what was rendered from it, where a marker stands for the link.
"""

from __future__ import annotations

import re
import secrets
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence, Set
from operator import attrgetter
from typing import Final, NamedTuple

from markupsafe import escape

from gatepost.mail.rendering.html.css import parse_stylesheet
from gatepost.mail.rendering.html.markup import Attribute, Token, tokenize
from gatepost.mail.rendering.language.lexer import JinjaTag, MaskedSource
from gatepost.mail.rendering.types import Part, render_error

RULE: Final = "link-variable"

_CONDITIONAL: Final = re.compile(r"\[if [^\]]*\]>")
# Elements that do not separate words: what they contain is read together with what is around them.
_INLINE: Final = frozenset(
    {
        "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
        "ins", "kbd", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u",
        "var", "wbr",
    }
)  # fmt: skip
_OPENING: Final = frozenset("([<\"'“„‘«‹")  # noqa: RUF001 - quotation marks
_PUNCTUATION: Final = re.compile(r"[)\]>.,;:!?\"'”“’»›]*")  # noqa: RUF001 - quotation marks
# Attributes of a link that send its URL to a server.
_REPORTING: Final = frozenset({"ping", "attributionsrc"})
_STYLE_LEAK: Final = re.compile(r"\[(?:[^\[\]=|]*\|)?href|@font-face")
_ELSEWHERE: Final = (
    'A link with a token can only be the whole value of href="…" in <a>, or stand on its own in text. Move it there.'
)
_NOT_ALONE: Final = (
    "A link with a token must stand on its own, with a space or a new line around it, so that it does not become a "
    "part of another URL."
)
_REPORTS: Final = "An <a> whose URL has a token must not have a ping or attributionsrc attribute. Remove it."
_SELECTS: Final = (
    "In a template with links, style sheets must not select by href or load fonts: that could reveal a token. "
    "Remove this rule."
)


class Misplaced(NamedTuple):
    """A link that is where it must not be: its offset, and what to do."""

    offset: int
    msg: str


class Span(NamedTuple):
    """Where a link is printed: from `start` to `end`."""

    start: int
    end: int


def find_links(masked: MaskedSource, names: Set[str]) -> list[Span]:
    """Return where the links with these names are printed in a source."""
    return [
        Span(tag.start, tag.end)
        for tag in masked.tags
        if tag.kind == "output" and not names.isdisjoint(_names(tag.tokens))
    ]


def _names(tokens: Sequence[str]) -> Iterator[str]:
    """Yield the tokens of an expression without the names of fields."""
    for at, token in enumerate(tokens):
        if not at or tokens[at - 1] != ".":
            yield token


def check_html(text: str, links: Sequence[Span], masked: MaskedSource | None = None) -> Iterator[Misplaced]:
    """Yield the links that are misplaced in HTML.

    Args:
        text: the HTML, with its Jinja masked, or rendered.
        links: where the links, or the markers that stand for them, are in the text.
        masked: the source that `text` is of; None if it was rendered.
    """
    if links:
        yield from _Html(text, links, masked).check()


def check_text(text: str, links: Sequence[Span], masked: MaskedSource | None = None) -> Iterator[Misplaced]:
    """Yield the links that are misplaced in plain text. The arguments are those of `check_html`."""
    words = _Words(text, masked)
    yield from (Misplaced(link.start, _NOT_ALONE) for link in links if not words.stands_alone(link))


class LinkMarkers:
    """The links of one rendering. Its template gets `markers` instead: random texts that are as long as the links."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        nonce = secrets.token_hex(8)
        self._urls = list(urls.values())
        self._lengths = [max(len(escape(url)), len(nonce) + 3) for url in self._urls]
        markers = [f"{nonce}{at:03}".ljust(length, "x") for at, length in enumerate(self._lengths)]
        self.markers: dict[str, str] = dict(zip(urls, markers, strict=True))
        self._pattern = re.compile(f"{nonce}([0-9]{{3}})")

    def insert(self, part: Part, rendered: str) -> str:
        """Return a rendered part with the links in place of their markers.

        Raises:
            RenderError: `link-variable`: a link is where it must not be.
        """
        if not self._urls:
            return rendered
        found = [(int(each[1]), each.start()) for each in self._pattern.finditer(rendered)]
        spans = [Span(start, start + self._lengths[at]) for at, start in found]
        check = check_html if part == "html" else check_text
        for misplaced in check(rendered, spans):
            raise render_error(part, RULE, misplaced.msg)
        pieces: list[str] = []
        end = 0
        for (at, start), span in zip(found, spans, strict=True):
            url = self._urls[at]
            pieces += [rendered[end:start], str(escape(url)) if part == "html" else url]
            end = span.end
        return "".join([*pieces, rendered[end:]])


class _Html:
    """Finds the misplaced links of one HTML text."""

    def __init__(self, text: str, links: Sequence[Span], masked: MaskedSource | None) -> None:
        self._text = text
        self._links = sorted(links)
        self._masked = masked
        self._words = _Words(text, masked)
        self._in_content = set(links)

    def check(self) -> Iterator[Misplaced]:
        yield from self._check_tokens(0, None)
        for link in self._links:
            if link in self._in_content and not self._words.stands_alone(link):
                yield Misplaced(link.start, _NOT_ALONE)

    def _check_tokens(self, start: int, stop: int | None) -> Iterator[Misplaced]:
        for token in tokenize(self._text, start, stop):
            conditional = _CONDITIONAL.match(token.body) if token.kind == "comment" else None
            if conditional is not None:
                inner = token.body.removesuffix("<![endif]").removesuffix("<!")
                begin = token.start + 4 + conditional.end()
                self._words.breaks.add(begin)
                yield from self._check_tokens(begin, token.start + 4 + len(inner))
            else:
                yield from self._check_token(token)
            if token.kind == "comment" or (token.kind in {"start", "end"} and token.name in _INLINE):
                self._words.unseen[token.end] = token.start
            else:
                self._words.breaks.add(token.end)

    def _check_token(self, token: Token) -> Iterator[Misplaced]:
        is_sheet = token.kind == "raw" and token.name == "style"
        # Style sheets contain no Jinja, so it is enough to check them in the source.
        if is_sheet and self._masked is not None and _STYLE_LEAK.search(parse_stylesheet(token.body).code):
            yield Misplaced(token.start, _SELECTS)
        first = bisect_left(self._links, token.start, key=attrgetter("start"))
        inside = self._links[first : bisect_left(self._links, token.end, lo=first, key=attrgetter("start"))]
        self._in_content.difference_update(inside)
        for link in inside:
            if not any(_is_whole_href(token, attribute, link) for attribute in token.attributes):
                yield Misplaced(link.start, _ELSEWHERE)
            elif any(each.name in _REPORTING for each in token.attributes):
                yield Misplaced(link.start, _REPORTS)


def _is_whole_href(token: Token, attribute: Attribute, link: Span) -> bool:
    return (
        (token.kind, token.name, attribute.name) == ("start", "a", "href")
        and attribute.quote != ""
        and (attribute.value_start, attribute.value_end) == link
    )


class _Words:
    """Tells whether a link stands on its own, whichever branches of conditions are rendered around it.

    `unseen` are the starts of HTML tags and comments that do not separate words, by where they end; `breaks` are where
    all others end.
    """

    def __init__(self, text: str, masked: MaskedSource | None) -> None:
        self.unseen: dict[int, int] = {}
        self.breaks = {0}
        self._text = text
        self._masked = masked
        # The offsets before which a tag's end may come, for each tag that prints nothing, by where it ends.
        self._before = _offsets_before(masked.tags) if masked is not None else {}
        self._known: dict[int, bool] = {}

    def stands_alone(self, link: Span) -> bool:
        """Return whether nothing that could be a part of a URL is directly before or after a link."""
        return self._starts_word(link.start) and self._ends_word(link.end)

    def _starts_word(self, at: int) -> bool:
        if at in self.breaks or self._text[at - 1].isspace():
            return True
        if at not in self._known:
            # While it is being found out; a loop comes back to where it began.
            self._known[at] = True
            self._known[at] = self._follows_break(at)
        return self._known[at]

    def _follows_break(self, at: int) -> bool:
        if at in self.unseen:
            return self._starts_word(self.unseen[at])
        if at in self._before:
            return all(map(self._starts_word, self._before[at]))
        return self._text[at - 1] in _OPENING and self._starts_word(at - 1)

    def _ends_word(self, at: int) -> bool:
        if self._masked is None:
            # What follows cannot change where a URL with a token leads. It is checked in sources only.
            return True
        punctuation = _PUNCTUATION.match(self._text, at)
        at = punctuation.end() if punctuation else at
        if following := self._masked.tags_in(at, at + 1):
            return following[0].kind != "output"
        return at == len(self._text) or self._text[at].isspace() or self._text[at] == "<"


def _offsets_before(tags: Sequence[JinjaTag]) -> dict[int, tuple[int, ...]]:
    """Return, by the end of each tag that prints nothing, the offsets of what may be rendered directly before it."""
    before: dict[int, tuple[int, ...]] = {}
    # The tags of the blocks that are open: the one that opens it, then those of its further branches.
    opened: list[list[JinjaTag]] = []
    for tag in tags:
        if tag.kind == "comment" or tag.keyword in {"raw", "endraw"}:
            before[tag.end] = (tag.start,)
        elif tag.keyword in {"if", "for"}:
            before[tag.end] = (tag.start,)
            opened.append([tag])
        elif tag.keyword in {"elif", "else"} and opened:
            before[tag.end] = (opened[-1][0].start,)
            opened[-1].append(tag)
        elif tag.keyword in {"endif", "endfor"} and opened:
            block = [*opened.pop(), tag]
            ends = tuple(each.start for each in block[1:])
            if tag.keyword == "endfor":
                before[block[0].end] = (block[0].start, ends[0])
            has_else = any(each.keyword == "else" for each in block)
            before[tag.end] = ends if has_else and tag.keyword == "endif" else (block[0].start, *ends)
    return before
