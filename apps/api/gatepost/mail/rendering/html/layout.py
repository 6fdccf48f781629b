"""The shared layout around templates that are HTML fragments, and the preheader."""

from __future__ import annotations

from html import escape

from gatepost.mail.rendering.language.lexer import TokenIndex
from gatepost.mail.rendering.types import Source

CONTENT = "<!-- content -->"
PREHEADER = "<!-- preheader -->"


def apply_layout(source: Source, layout: str) -> str:
    """Return the whole page of a template, still with its Jinja.

    A fragment is put into the layout; the preheader replaces its marker in the layout or in the author's own page.

    Raises:
        ValueError: the layout has no content marker.
    """
    preheader = _escape(source.preheader)
    if "<html" in source.html.lower():
        return source.html.replace(PREHEADER, preheader, 1)
    before, marker, after = layout.partition(CONTENT)
    if not marker:
        msg = f"the layout has no line {CONTENT}"
        raise ValueError(msg)
    return before.replace(PREHEADER, preheader, 1) + source.html + after


def _escape(preheader: str) -> str:
    """Escape the text outside of Jinja tags; their output is escaped when it is rendered."""
    index = TokenIndex(preheader)
    pieces, end = [], 0
    for token in index.tokens:
        pieces.append(index.source[end : token.offset])
        pieces.append(escape(token.text) if token.kind == "data" else token.text)
        end = token.end
    return "".join([*pieces, index.source[end:]])
