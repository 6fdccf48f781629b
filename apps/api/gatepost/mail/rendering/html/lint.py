"""What is wrong with the HTML of a template: for its readers' safety, and for the programs they read it with."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from jinja2 import TemplateSyntaxError

from gatepost.mail.rendering.html.rules import Finding, look, subject_findings
from gatepost.mail.rendering.language.lexer import mask
from gatepost.mail.rendering.language.variables import Variable
from gatepost.mail.rendering.types import Diagnostic

MAX_BYTES = 102 * 1024
MAX_DIAGNOSTICS = 200


def lint(html: str, declared: Sequence[Variable], subject: str) -> list[Diagnostic]:
    """Check an author's HTML with its Jinja, a fragment or a whole document; linear in its length.

    What cannot be read as Jinja is not looked into: the grammar refuses it. At most `MAX_DIAGNOSTICS` are given, in the
    order of their places. The rules are those of what mail programs show and run, and of the escaping that Jinja does:
    it covers text and quoted attribute values, nothing else.
    """
    found = [
        Diagnostic("subject", each.rule, each.severity, 1, each.at + 1, each.msg) for each in subject_findings(subject)
    ]
    size = len(html.encode(errors="replace"))
    if size > MAX_BYTES:
        msg = f"This is {size // 1024} KB; Gmail cuts an e-mail off after 102 KB. Make it shorter."
        found.append(Diagnostic("html", "too-large", "warning", 1, 1, msg))
    try:
        masked = mask(html)
    except TemplateSyntaxError:
        return found
    lines = _line_starts(masked.source)
    types: dict[str, str] = {variable.name: variable.type for variable in declared}
    for each in sorted(set(_capped(look(masked, types))), key=lambda finding: (finding.at, finding.rule, finding.msg)):
        line = bisect_right(lines, each.at)
        column = each.at - lines[line - 1] + 1
        found.append(Diagnostic("html", each.rule, each.severity, line, column, each.msg))
    return found


def _capped(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Give the first findings; where there are too many, errors still come, so that none is let through."""
    for number, each in enumerate(findings):
        if number < MAX_DIAGNOSTICS:
            yield each
        elif each.severity == "error":
            yield each
            return


def _line_starts(source: str) -> list[int]:
    starts = [0]
    at = source.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = source.find("\n", at + 1)
    return starts
