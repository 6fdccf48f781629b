"""The shared layout around a template that is a part of a page, and the preheader at its place."""

from __future__ import annotations

import html
from dataclasses import dataclass

from gatepost.mail.rendering.language.tokens import Tokens
from gatepost.mail.rendering.shapes import Source

CONTENT = "<!-- content -->"
PREHEADER = "<!-- preheader -->"


@dataclass(frozen=True, slots=True)
class Composed:
    """A whole page, still a template; `offset` is how many lines stand before the author's own first one."""

    html: str
    offset: int


def compose(source: Source, layout: str) -> Composed:
    """Put a part of a page into the layout, and the preheader at its marker.

    Raises:
        ValueError: the layout has no place for the content.
    """
    preheader = _escaped(source.preheader)
    if "<html" in source.html.lower():
        head, mark, tail = source.html.partition(PREHEADER)
        return Composed(head + preheader + tail if mark else source.html, 0)
    before, mark, after = layout.partition(CONTENT)
    if not mark:
        msg = f"the layout has no line {CONTENT}"
        raise ValueError(msg)
    before = before.replace(PREHEADER, preheader, 1)
    return Composed(before + source.html + after, before.count("\n"))


def _escaped(preheader: str) -> str:
    """The preheader with what stands outside its tags escaped; what stands inside is escaped as it is rendered."""
    tokens = Tokens(preheader)
    pieces, at = [], 0
    for token in tokens.all:
        pieces.append(tokens.source[at : token.offset])
        pieces.append(html.escape(token.text) if token.kind == "data" else token.text)
        at = token.offset + len(token.text)
    return "".join([*pieces, tokens.source[at:]])
