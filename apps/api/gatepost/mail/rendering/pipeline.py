"""The steps from an author's source to a rendered email. Checking, publishing and previewing share them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from gatepost.mail.rendering.html import links
from gatepost.mail.rendering.html.inline import inline_css
from gatepost.mail.rendering.html.layout import apply_layout
from gatepost.mail.rendering.html.lint import lint
from gatepost.mail.rendering.html.markup import ConversionError
from gatepost.mail.rendering.html.plaintext import to_text
from gatepost.mail.rendering.language import grammar
from gatepost.mail.rendering.language import render as language
from gatepost.mail.rendering.language.lexer import TokenIndex, mask
from gatepost.mail.rendering.language.render import Compiled, compile_template
from gatepost.mail.rendering.language.variables import InvalidValues, Variable, check_values, link_names
from gatepost.mail.rendering.types import (
    Diagnostic,
    Part,
    Prepared,
    Rendered,
    RenderedPreview,
    RenderError,
    Source,
    has_errors,
    limit,
)

# HTML with these errors cannot be linted.
_UNREADABLE = frozenset({"syntax", "too-large", "too-deep", "forbidden-tag", "control-character"})


def prepare(
    source: Source, declared: Sequence[Variable], layout: str, reserved_links: Collection[str] = ()
) -> tuple[list[Diagnostic], Prepared | None]:
    """Check a template and, unless it has errors, prepare it for rendering, with an empty `key`.

    Variables with the names in `reserved_links` must be declared as links.

    Raises:
        RenderError: the whole page is too large or cannot be compiled.
    """
    found, done = _prepare(source, declared, layout, reserved_links)
    return limit(found), done[0] if done else None


def compile_prepared(prepared: Prepared) -> Compiled:
    """Compile a prepared template. Its grammar and its links are checked again: it may have been stored for long.

    Raises:
        RenderError: it contains something that templates must not contain.
    """
    parts: list[tuple[Part, str]] = [("subject", prepared.subject), ("html", prepared.html), ("text", prepared.text)]
    for part, text in parts:
        found = grammar.check_part(
            part, text, None, links=frozenset(prepared.links), limit_factor=grammar.PREPARED_FACTOR
        )
        found = found or list(_misplaced_links(part, text, prepared.links))
        if found:
            raise RenderError(limit(found))
    return compile_template(prepared)


def render(compiled: Compiled, context: Mapping[str, Any]) -> Rendered:
    """Render a template. Links are inserted last, and only where the rendered HTML and text allow it.

    Raises:
        RenderError: as for `language.render`, and `link-variable` if a link is where it must not be.
        MemoryError: the memory limit of the process is reached.
    """
    inserted = links.LinkMarkers({name: context[name] for name in compiled.links if context.get(name)})
    rendered = language.render(compiled, {**context, **inserted.markers})
    return Rendered(rendered.subject, inserted.insert("html", rendered.html), inserted.insert("text", rendered.text))


def preview(
    source: Source,
    declared: Sequence[Variable],
    layout: str,
    values: Mapping[str, Any],
    built_in: Mapping[str, str],
    reserved_links: Collection[str] = (),
) -> tuple[list[Diagnostic], RenderedPreview | None]:
    """Render a template as it would be sent. The declared examples are used for values that are not given.

    An example that is invalid or missing is a diagnostic of the rule `bad-value`. `built_in` are `locale` and
    `product_name`.

    Raises:
        InvalidValues: the values do not match the declarations.
        RenderError: as for `prepare`.
    """
    check_values([replace(each, required=False) for each in declared], values, **built_in)
    found, done = _prepare(source, declared, layout, reserved_links)
    if done is None:
        return limit(found), None
    given = {one.name: one.example for one in declared if one.example is not None} | dict(values)
    try:
        context = check_values(declared, given, locale=built_in["locale"], product_name=built_in["product_name"])
    except InvalidValues as error:
        return limit(found + _invalid_values(declared, error)), None
    try:
        return limit(found), RenderedPreview(**asdict(render(done[1], context)), text_source=done[0].text)
    except RenderError as error:
        return limit(found + _at_source_lines(source, done[0].links, context, error)), None


def _prepare(
    source: Source, declared: Sequence[Variable], layout: str, reserved_links: Collection[str]
) -> tuple[list[Diagnostic], tuple[Prepared, Compiled] | None]:
    names = link_names(declared)
    found = grammar.check(source, declared, reserved_links)
    if not any(one.part in {"html", "variables"} and one.rule in _UNREADABLE for one in found):
        found += lint(source.html, declared, source.subject)
    if source.text is not None and not any(one.part == "text" and one.rule in _UNREADABLE for one in found):
        found += _misplaced_links("text", source.text, names)
    if has_errors(found):
        return found, None
    page = apply_layout(source, layout)
    try:
        text = to_text(page) if source.text is None else source.text
        prepared = Prepared("", source.subject, inline_css(page), text, tuple(sorted(names)))
    except ConversionError as error:
        return [*found, Diagnostic("html", "not-well-formed", "error", 1, 1, str(error))], None
    if source.text is None and (misplaced := next(_misplaced_links("text", text, names), None)):
        # The text is generated from the HTML, where the link is to be moved.
        line, column = _first_link(source.html, names)
        return [*found, Diagnostic("html", links.RULE, "error", line, column, misplaced.msg)], None
    return found, (prepared, compile_prepared(prepared))


def _misplaced_links(part: Part, text: str, names: Collection[str]) -> Iterator[Diagnostic]:
    """Yield the diagnostics of links that are where they must not be, in the HTML or the text of a template."""
    if not names or part not in {"html", "text"}:
        return
    masked = mask(text)
    found = links.find_links(masked, frozenset(names))
    check = links.check_html if part == "html" else links.check_text
    index = TokenIndex(text)
    for each in check(masked.text, found, masked) if found else ():
        yield Diagnostic(part, links.RULE, "error", *index.position(each.offset), each.msg)


def _first_link(html: str, names: Collection[str]) -> tuple[int, int]:
    found = links.find_links(mask(html), frozenset(names))
    return TokenIndex(html).position(found[0].start) if found else (1, 1)


def _invalid_values(declared: Sequence[Variable], error: InvalidValues) -> list[Diagnostic]:
    lines = {variable.name: line for line, variable in enumerate(declared, 1)}
    return [
        Diagnostic(
            "variables",
            "bad-value",
            "error",
            lines.get(name, 1),
            1,
            f'The value of "{name}" is invalid. {msg}' if name else msg,
        )
        for name, msg in error.errors
    ]


def _at_source_lines(
    source: Source, names: tuple[str, ...], context: Mapping[str, Any], error: RenderError
) -> list[Diagnostic]:
    """Return the diagnostics of the same failure with the lines of the author's source, if that fails too."""
    try:
        render(compile_template(Prepared("", source.subject, source.html, source.text or "", names)), context)
    except RenderError as same:
        return same.diagnostics
    return error.diagnostics
