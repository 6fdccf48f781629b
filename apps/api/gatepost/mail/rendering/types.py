"""The data that rendering takes and returns. Plain dataclasses: both ends of the sandbox's pipes use them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal["subject", "preheader", "html", "text", "variables"]
Severity = Literal["error", "warning"]

MAX_DIAGNOSTICS = 100


@dataclass(frozen=True, slots=True)
class Source:
    """A template as its author writes it.

    `html` is a fragment for the layout or a whole page. If `text` is None, the text version is made from `html`.
    """

    subject: str
    html: str
    text: str | None = None
    preheader: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked template, ready to render: whole pages, CSS inlined. `key` identifies this exact content."""

    key: str
    subject: str
    html: str
    text: str
    # The names of the variables that are links.
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered email."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class RenderedPreview(Rendered):
    """A preview. `text_source` is the text part before its variables are filled in."""

    text_source: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem in a template, at a position in the author's source.

    `line` and `column` are 1-based; for the part `variables`, `line` is the index of the declaration. `rule` is a
    stable identifier in kebab-case. `msg` says what is wrong and what to do.
    """

    part: Part
    rule: str
    severity: Severity
    line: int
    column: int
    msg: str


class RenderError(Exception):
    """A template, or one rendering of it, failed. `diagnostics` says why and contains at least one error."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__("; ".join(found.msg for found in diagnostics))
        self.diagnostics = diagnostics


def render_error(part: Part, rule: str, msg: str, line: int = 1, column: int = 1) -> RenderError:
    """Return an exception with a single diagnostic."""
    return RenderError([Diagnostic(part, rule, "error", line, column, msg)])


def limit(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    """Return the first `MAX_DIAGNOSTICS` diagnostics and one that says how many more there are.

    That one is an error if any of those is, so that no template with errors passes.
    """
    more = diagnostics[MAX_DIAGNOSTICS:]
    if not more:
        return diagnostics
    last = diagnostics[MAX_DIAGNOSTICS - 1]
    msg = f"There are {len(more)} more errors and warnings. Fix the ones before them first."
    severity: Severity = "error" if has_errors(more) else "warning"
    counted = Diagnostic(last.part, "more-diagnostics", severity, last.line, last.column, msg)
    return [*diagnostics[:MAX_DIAGNOSTICS], counted]


def has_errors(diagnostics: list[Diagnostic]) -> bool:
    """Return whether one of the diagnostics is an error."""
    return any(found.severity == "error" for found in diagnostics)
