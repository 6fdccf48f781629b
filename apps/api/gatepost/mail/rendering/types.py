"""What is wrong with a template, said so that its author can mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal["subject", "preheader", "html", "text", "variables"]
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding, at a place in what the author typed.

    `line` and `column` count from 1; for the part `variables` the line is the position of the declaration in its list.
    `rule` is a stable name in kebab-case, `msg` a sentence that says what to do.
    """

    part: Part
    rule: str
    severity: Severity
    line: int
    column: int
    msg: str


class TemplateRefused(Exception):
    """The template, or this rendering of it, is refused; `diagnostics` says why and holds one error at least."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__("; ".join(found.msg for found in diagnostics))
        self.diagnostics = diagnostics


def refused(part: Part, rule: str, msg: str, line: int = 1, column: int = 1) -> TemplateRefused:
    """A refusal for one reason."""
    return TemplateRefused([Diagnostic(part, rule, "error", line, column, msg)])


def has_errors(diagnostics: list[Diagnostic]) -> bool:
    """Whether one of them is more than a warning."""
    return any(found.severity == "error" for found in diagnostics)
