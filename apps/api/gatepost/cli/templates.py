"""`gatepost templates list|show|render|lint|pull|push`: templates in the database, and in a folder that is in git."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from gatepost import package_files
from gatepost.cli import output, variables
from gatepost.cli.database import with_runtime
from gatepost.errors import FieldError, NotFound, TemplateDiagnostic, TemplateInvalid, ValidationFailed
from gatepost.mail.templates import (
    CreateTemplate,
    EmailTemplate,
    Preview,
    PreviewTemplate,
    Renderer,
    SaveDraft,
    TemplateEntry,
    TemplateFiles,
    TemplateList,
    TemplateService,
    TemplateSource,
    read_templates,
    source_files,
    write_template,
)
from gatepost.settings import Settings

app = typer.Typer(
    help="List, show and render email templates, and synchronize them with a folder.", no_args_is_help=True
)

T = TypeVar("T")

_COLUMNS: output.Columns[TemplateEntry] = {
    "KEY": lambda template: template.key,
    "NAME": lambda template: template.name,
    "SOURCE": lambda template: template.source,
    "LOCALES": lambda template: " ".join(template.locales),
    "PUBLISHED": lambda template: "built-in" if template.published_version == 0 else template.published_version,
    "DRAFT": lambda template: "yes" if template.has_draft else "no",
    "UPDATED": lambda template: template.updated_at,
}

Key = Annotated[str, typer.Argument(metavar="KEY", help="Key of the template")]
Locale = Annotated[str, typer.Option(help="Language, such as en, de or fr-CA")]
Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", file_okay=False, help="Folder with one subfolder per template")
]


@app.command("list")
def list_templates(locale: Locale = "en", as_json: output.AsJson = False) -> None:
    """List all templates, built-in and custom."""
    found = _with_templates(lambda templates: templates.list_templates(locale))
    page = TemplateList(items=found, next_cursor=None)
    output.print_page(page, _COLUMNS, as_json, none_found="No templates found.")


@app.command()
def show(key: Key, locale: Locale = "en", as_json: output.AsJson = False) -> None:
    """Show a template in one language."""
    template = _with_templates(lambda templates: _read(templates, key, locale))
    if as_json:
        output.print_json(template)
        return
    published, draft = template.published, template.draft
    output.print_fields(
        [
            ("key", template.key),
            ("name", template.name),
            ("description", template.description),
            ("locales", " ".join(template.locales)),
            ("published", f"version {published.version}" if published else "built-in" if template.default else "no"),
            (
                "draft",
                f"saved {draft.updated_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC by {draft.updated_by}" if draft else "no",
            ),
            ("subject", template.current.subject if template.current else None),
            ("variables", " ".join(each.name for each in template.variables)),
            ("secrets", "yes" if template.contains_secrets else "no"),
        ]
    )


@app.command()
def render(
    key: Key,
    locale: Locale = "en",
    assignments: variables.Assignments = None,
    part: Annotated[str, typer.Option(help="What to print: subject, html or text")] = "html",
    as_json: output.AsJson = False,
) -> None:
    """Render a template as it would be sent. Variables without a value get their examples."""
    if part not in ("subject", "html", "text"):
        raise typer.BadParameter("must be subject, html or text", param_hint="--part")
    assigned = variables.split(assignments)

    async def preview_template(templates: TemplateService) -> Preview:
        declared = (await _read(templates, key, locale)).variables
        return await templates.preview(key, locale, PreviewTemplate(variables=variables.parse(assigned, declared)))

    try:
        preview = _with_templates(preview_template)
    except TemplateInvalid as error:
        _print_diagnostics(key, locale, error.errors or [])
        output.fail(error.detail)
    except ValidationFailed as error:
        output.fail_validation(error)
    if as_json:
        output.print_json(preview)
    else:
        output.print_text(getattr(preview, part))


@app.command()
def lint(folder: Folder) -> None:
    """Check the templates in a folder for errors and warnings. Needs no database."""
    found = _read_folder(folder)
    if asyncio.run(_lint(found)):
        output.fail("The templates have errors. Fix them first.")
    typer.echo(f"{output.counted(len(found), 'template')} checked, no errors.", err=True)


@app.command()
def pull(
    folder: Folder,
    key: Annotated[
        list[str] | None, typer.Argument(metavar="KEY", help="Only the templates with these keys; default: all")
    ] = None,
) -> None:
    """Write templates to a folder: what is published, or else the built-in template."""

    async def read_published(templates: TemplateService) -> list[TemplateFiles]:
        keys = key or [each.key for each in await templates.list_templates("en")]
        return [await _read_published(templates, each) for each in keys]

    pulled = [each for each in _with_templates(read_published) if each.sources]
    for each in pulled:
        write_template(folder, each)
    typer.echo(f"Wrote {output.counted(len(pulled), 'template')} to {folder}.")


@app.command()
def push(
    folder: Folder,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the differences")] = False,
    yes: output.Yes = False,
) -> None:
    """Publish the templates of a folder that differ from what is published. Their drafts are replaced."""
    found = _read_folder(folder)
    changes = _with_templates(lambda templates: _list_changes(templates, found))
    for change in changes:
        typer.echo(change.diff, nl=False)
    count = output.counted(len(changes), "change")
    if dry_run or not changes:
        typer.echo(f"{count} would be published." if changes else "No changes.", err=True)
        return
    output.confirm(yes, f"Publish {count}?")
    if not _with_templates(lambda templates: _publish(templates, changes)):
        output.fail("Nothing was published. Fix the errors first.")
    typer.echo(f"Published {count}.")


def _with_templates(work: Callable[[TemplateService], Awaitable[T]]) -> T:
    return with_runtime(lambda runtime: work(runtime.templates))


async def _read(templates: TemplateService, key: str, locale: str) -> EmailTemplate:
    try:
        return await templates.read(key, locale)
    except NotFound:
        raise NotFound(f"No template has the key {key}. List templates with `gatepost templates list`.") from None


def _read_folder(folder: Path) -> list[TemplateFiles]:
    found = list(read_templates(folder).values())
    if not found:
        output.fail(f"No templates in {folder}. Write some there with `gatepost templates pull`.")
    return found


async def _lint(found: Sequence[TemplateFiles]) -> bool:
    """Print the errors and warnings of templates; return whether there are errors."""
    renderer = Renderer(Settings(), package_files.emails())
    try:
        invalid = [
            _print_diagnostics(template.key, locale, await renderer.check(source))
            for template in found
            for locale, source in template.sources.items()
        ]
    finally:
        await renderer.close()
    return any(invalid)


async def _read_published(templates: TemplateService, key: str) -> TemplateFiles:
    first = await _read(templates, key, "en")
    sources: dict[str, TemplateSource] = {}
    for locale in first.locales:
        template = await templates.read(key, locale)
        if template.live is not None:
            sources[locale] = template.live
    declared = next((each.variables for each in sources.values()), [])
    return TemplateFiles(
        key,
        first.name,
        first.description,
        declared,
        sources,
        contains_secrets=first.contains_secrets and first.source == "custom",
    )


@dataclass(frozen=True)
class _Change:
    """A template of the folder in one language, where it differs from `current`, the template in the database."""

    template: TemplateFiles
    locale: str
    current: EmailTemplate | None
    diff: str

    @property
    def source(self) -> TemplateSource:
        return self.template.sources[self.locale]


async def _list_changes(templates: TemplateService, found: Iterable[TemplateFiles]) -> list[_Change]:
    known = {each.key for each in await templates.list_templates("en")}
    changes = []
    for template in found:
        for locale, source in template.sources.items():
            current = await templates.read(template.key, locale) if template.key in known else None
            if diff := _diff(f"{template.key}/{locale}", current.live if current else None, source):
                changes.append(_Change(template, locale, current, diff))
    return changes


def _diff(name: str, published: TemplateSource | None, source: TemplateSource) -> str:
    before, after = source_files(published) if published else {}, source_files(source)
    lines: list[str] = []
    for file in dict.fromkeys([*before, *after]):
        old, new = (content.get(file, "").splitlines(keepends=True) for content in (before, after))
        lines += difflib.unified_diff(old, new, f"published/{name}/{file}", f"folder/{name}/{file}")
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


async def _publish(templates: TemplateService, changes: Sequence[_Change]) -> bool:
    """Publish all changes, or none if any of them has errors; return whether they were published."""
    invalid = False
    for change in changes:
        diagnostics = await templates.check(change.source)
        invalid |= _print_diagnostics(change.template.key, change.locale, diagnostics)
    if invalid:
        return False
    created: set[str] = set()
    for change in changes:
        template, source = change.template, change.source.model_dump()
        if change.current is None and template.key not in created:
            form = CreateTemplate(
                **source,
                key=template.key,
                name=template.name,
                description=template.description,
                contains_secrets=template.contains_secrets,
            )
            await templates.create(form, change.locale, output.ACTOR)
            created.add(template.key)
        else:
            draft = change.current.draft if change.current else None
            etag = f'"{draft.etag}"' if draft else None
            await templates.save_draft(template.key, change.locale, SaveDraft(**source), etag, output.ACTOR)
        await templates.publish(template.key, change.locale, None, output.ACTOR)
    return True


def _print_diagnostics(key: str, locale: str, diagnostics: Sequence[TemplateDiagnostic | FieldError]) -> bool:
    """Print the errors and warnings of a template; return whether there are errors."""
    found = [each for each in diagnostics if isinstance(each, TemplateDiagnostic)]
    for each in found:
        position = f"{key}/{locale}/{each.part}:{each.line}:{each.column}"
        typer.echo(f"{position}: {each.severity}: {each.msg} [{each.rule}]", err=True)
    return any(each.severity == "error" for each in found)
