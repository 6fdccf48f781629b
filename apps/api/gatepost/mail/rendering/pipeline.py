"""The steps from an author's source to a rendered email. Checking, publishing and previewing share them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gatepost.mail.rendering.html.inline import inline_css
from gatepost.mail.rendering.html.layout import apply_layout
from gatepost.mail.rendering.html.lint import lint
from gatepost.mail.rendering.html.markup import ConversionError
from gatepost.mail.rendering.html.plaintext import to_text
from gatepost.mail.rendering.language import grammar
from gatepost.mail.rendering.language.render import Compiled, compile_template, render
from gatepost.mail.rendering.language.variables import InvalidValues, Variable, check_values
from gatepost.mail.rendering.types import Diagnostic, Part, Prepared, RenderedPreview, RenderError, Source, has_errors

# HTML with these errors cannot be linted.
_UNREADABLE = frozenset({"syntax", "too-large", "too-deep", "forbidden-tag", "control-character"})


def prepare(source: Source, declared: Sequence[Variable], layout: str) -> tuple[list[Diagnostic], Prepared | None]:
    """Check a template and, unless it has errors, prepare it for rendering, with an empty `key`.

    Raises:
        RenderError: the whole page is too large or cannot be compiled.
    """
    found, done = _prepare(source, declared, layout)
    return found, done[0] if done else None


def compile_prepared(prepared: Prepared) -> Compiled:
    """Compile a prepared template. Its grammar is checked again, wherever it was stored in the meantime.

    Raises:
        RenderError: it contains something that templates must not contain.
    """
    parts: list[tuple[Part, str]] = [("subject", prepared.subject), ("html", prepared.html), ("text", prepared.text)]
    for part, text in parts:
        found = grammar.check_part(part, text, None, limit_factor=grammar.PREPARED_FACTOR)
        if found:
            raise RenderError(found)
    return compile_template(prepared)


def preview(
    source: Source,
    declared: Sequence[Variable],
    layout: str,
    values: Mapping[str, Any],
    built_in: Mapping[str, str],
) -> tuple[list[Diagnostic], RenderedPreview | None]:
    """Render a template as it would be sent. The declared examples are used for values that are not given.

    Invalid values are diagnostics of the rule `bad-value`. `built_in` are `locale` and `product_name`.

    Raises:
        RenderError: as for `prepare`.
    """
    found, done = _prepare(source, declared, layout)
    if done is None:
        return found, None
    given = {one.name: one.example for one in declared if one.example is not None} | dict(values)
    try:
        context = check_values(declared, given, locale=built_in["locale"], product_name=built_in["product_name"])
    except InvalidValues as error:
        return found + _invalid_values(declared, error), None
    try:
        return found, RenderedPreview(**asdict(render(done[1], context)), text_source=done[0].text)
    except RenderError as error:
        return found + _at_source_lines(source, context, error), None


def _prepare(
    source: Source, declared: Sequence[Variable], layout: str
) -> tuple[list[Diagnostic], tuple[Prepared, Compiled] | None]:
    found = grammar.check(source, declared)
    if not any(one.part in {"html", "variables"} and one.rule in _UNREADABLE for one in found):
        found += lint(source.html, declared, source.subject)
    if has_errors(found):
        return found, None
    page = apply_layout(source, layout)
    try:
        text = to_text(page) if source.text is None else source.text
        prepared = Prepared("", source.subject, inline_css(page), text)
    except ConversionError as error:
        return [*found, Diagnostic("html", "not-well-formed", "error", 1, 1, str(error))], None
    return found, (prepared, compile_prepared(prepared))


def _invalid_values(declared: Sequence[Variable], error: InvalidValues) -> list[Diagnostic]:
    lines = {variable.name: line for line, variable in enumerate(declared, 1)}
    return [
        Diagnostic("variables", "bad-value", "error", lines.get(name, 1), 1, f'The value of "{name}" is invalid. {msg}')
        for name, msg in error.errors
    ]


def _at_source_lines(source: Source, context: Mapping[str, Any], error: RenderError) -> list[Diagnostic]:
    """Return the diagnostics of the same failure with the lines of the author's source, if that fails too."""
    try:
        render(compile_template(Prepared("", source.subject, source.html, source.text or "")), context)
    except RenderError as same:
        return same.diagnostics
    return error.diagnostics
