"""From what an author wrote to what is rendered; checking, publishing and previewing go one way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gatepost.mail.rendering.html.inline import CannotConvert, inline_css, to_text
from gatepost.mail.rendering.html.layout import compose
from gatepost.mail.rendering.html.lint import lint
from gatepost.mail.rendering.language import grammar
from gatepost.mail.rendering.language.render import Compiled, compile_template, render
from gatepost.mail.rendering.language.variables import ValuesRefused, Variable, check_values
from gatepost.mail.rendering.shapes import Prepared, Rendered, Source
from gatepost.mail.rendering.types import Diagnostic, Part, TemplateRefused, has_errors

_BEFORE_LINT = frozenset({"syntax", "too-large", "too-deep", "forbidden-tag", "control-character"})


def prepare(source: Source, declared: Sequence[Variable], layout: str) -> tuple[list[Diagnostic], Prepared | None]:
    """Check a template and, where nothing is an error, make ready what is rendered; its `key` is empty.

    Raises:
        TemplateRefused: the whole of it is too large, or cannot be compiled.
    """
    found, made = _made(source, declared, layout)
    return found, made[0] if made else None


def compiled(prepared: Prepared) -> Compiled:
    """Check the grammar of a prepared template once more, wherever it was kept meanwhile, and make code of it.

    Raises:
        TemplateRefused: it says something that no template may.
    """
    parts: list[tuple[Part, str]] = [("subject", prepared.subject), ("html", prepared.html), ("text", prepared.text)]
    for part, text in parts:
        found = grammar.check_part(part, text, None, room=grammar.PREPARED)
        if found:
            raise TemplateRefused(found)
    return compile_template(prepared)


def preview(
    source: Source, declared: Sequence[Variable], layout: str, values: Mapping[str, Any], always: Mapping[str, str]
) -> tuple[list[Diagnostic], Rendered | None]:
    """Render as a sending would, with the examples of the declarations where no value is given.

    Values that do not fit are diagnostics of the rule `bad-value`.

    Raises:
        TemplateRefused: as `prepare`.
    """
    found, made = _made(source, declared, layout)
    if made is None:
        return found, None
    given = {one.name: one.example for one in declared if one.example is not None} | dict(values)
    try:
        context = check_values(declared, given, locale=always["locale"], product_name=always["product_name"])
    except ValuesRefused as refusal:
        return found + _unfit(declared, refusal), None
    try:
        return found, render(made[1], context)
    except TemplateRefused as refusal:
        return found + _as_typed(source, context, refusal), None


def _made(
    source: Source, declared: Sequence[Variable], layout: str
) -> tuple[list[Diagnostic], tuple[Prepared, Compiled] | None]:
    found = grammar.check(source, declared)
    if not any(one.part in {"html", "variables"} and one.rule in _BEFORE_LINT for one in found):
        found += lint(source.html, declared, source.subject)
    if has_errors(found):
        return found, None
    page = compose(source, layout).html
    try:
        text = to_text(page) if source.text is None else source.text
        prepared = Prepared("", source.subject, inline_css(page), text)
    except CannotConvert as problem:
        return [*found, Diagnostic("html", "not-well-formed", "error", 1, 1, str(problem))], None
    return found, (prepared, compiled(prepared))


def _unfit(declared: Sequence[Variable], refusal: ValuesRefused) -> list[Diagnostic]:
    lines = {variable.name: line for line, variable in enumerate(declared, 1)}
    return [
        Diagnostic(
            "variables", "bad-value", "error", lines.get(name, 1), 1, f'The value of "{name}" does not fit. {msg}'
        )
        for name, msg in refusal.errors
    ]


def _as_typed(source: Source, context: Mapping[str, Any], refusal: TemplateRefused) -> list[Diagnostic]:
    """The same failure with the lines of what the author typed, where that fails alike."""
    try:
        render(compile_template(Prepared("", source.subject, source.html, source.text or "")), context)
    except TemplateRefused as typed:
        return typed.diagnostics
    return refusal.diagnostics
