"""`gatepost templates list|show|render|lint|pull|push`: so that a team can keep its templates in git."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from gatepost import package_files as assets
from gatepost.cli import output, values
from gatepost.cli.database import on_database
from gatepost.db.pool import Database
from gatepost.errors import TemplateInvalid, ValidationFailed
from gatepost.mail.templates import files
from gatepost.mail.templates.models import (
    CreateTemplate,
    EmailTemplate,
    Preview,
    PreviewTemplate,
    SaveDraft,
    TemplateList,
    TemplateSource,
)
from gatepost.mail.templates.renderer import Renderer
from gatepost.mail.templates.service import Templates
from gatepost.settings import Settings

app = typer.Typer(help="E-mail templates.", no_args_is_help=True)

T = TypeVar("T")

_HEADINGS = ("KEY", "NAME", "SOURCE", "LANGUAGES", "PUBLISHED", "DRAFT", "CHANGED")
Locale = Annotated[str, typer.Option(help="A language, like en, de or fr-CA")]
Folder = Annotated[Path, typer.Argument(file_okay=False, help="Where the templates' folders lie")]


def _on_templates(work: Callable[[Templates], Awaitable[T]]) -> T:
    async def on_opened(database: Database, settings: Settings) -> T:
        async with _rendering(settings) as renderer:
            return await work(Templates(database, files.read_templates(assets.emails()), renderer))

    return on_database(on_opened)


@asynccontextmanager
async def _rendering(settings: Settings) -> AsyncIterator[Renderer]:
    renderer = Renderer(settings, assets.emails())
    try:
        yield renderer
    finally:
        await renderer.close()


@app.command("list")
def list_templates(locale: Locale = "en", as_json: output.AsJson = False) -> None:
    """List every template, built-in and custom."""
    found = _on_templates(lambda templates: templates.entries(locale))
    rows = [
        (
            each.key,
            each.name,
            each.source,
            " ".join(each.locales),
            each.published_version,
            "draft" if each.has_draft else None,
            each.updated_at,
        )
        for each in found
    ]
    output.show_page(TemplateList(items=found, next_cursor=None), _HEADINGS, rows, as_json)


@app.command()
def show(key: str, locale: Locale = "en", as_json: output.AsJson = False) -> None:
    """Show a template in one language; exit status 2 when there is none of that key."""
    there = _on_templates(lambda templates: templates.read(key, locale))
    if as_json:
        output.show_json(there)
        return
    current = there.draft or there.published or there.default
    published = f"version {there.published.version}" if there.published else "as built in" if there.default else "no"
    output.show_one(
        [
            ("key", there.key),
            ("name", there.name),
            ("description", there.description),
            ("languages", " ".join(there.locales)),
            ("published", published),
            ("draft", there.draft and f"saved {there.draft.updated_at:%Y-%m-%d %H:%M} by {there.draft.updated_by}"),
            ("subject", current.subject if current else None),
            ("variables", " ".join(each.name for each in there.variables)),
        ]
    )


@app.command()
def render(
    key: str,
    locale: Locale = "en",
    given: values.Given = None,
    part: Annotated[str, typer.Option(help="subject, html or text")] = "html",
    as_json: output.AsJson = False,
) -> None:
    """Print a mail as it would be sent, with the examples for values that are not given."""
    if part not in ("subject", "html", "text"):
        raise typer.BadParameter("must be subject, html or text", param_hint="--part")
    pairs = values.pairs(given)

    async def work(templates: Templates) -> Preview:
        declared = (await templates.read(key, locale)).variables
        return await templates.preview(key, locale, PreviewTemplate(variables=values.fitted(pairs, declared)))

    try:
        preview = _on_templates(work)
    except TemplateInvalid as refusal:
        _tell(key, locale, refusal.errors or [])
        output.fail("this template has errors")
    except ValidationFailed as refusal:
        output.tell_refusal(refusal)
    if as_json:
        output.show_json(preview)
    else:
        output.show_text(getattr(preview, part))


@app.command()
def lint(directory: Folder) -> None:
    """Say what is wrong with the templates of a folder; exit status 1 when one has an error."""
    given = files.read_templates(directory)
    if not given:
        output.fail(f"there are no templates in {directory}")
    if not asyncio.run(_lint(list(given.values()))):
        output.fail("there are errors")
    typer.echo(f"{len(given)} templates without errors.", err=True)


@app.command()
def pull(directory: Folder, key: Annotated[list[str] | None, typer.Argument(help="These alone")] = None) -> None:
    """Write into a folder the words that count: what is published, else the built-in ones."""

    async def work(templates: Templates) -> list[files.TemplateFiles]:
        keys = key or [each.key for each in await templates.entries("en")]
        return [await _published(templates, each) for each in keys]

    pulled = [each for each in _on_templates(work) if each.sources]
    for each in pulled:
        files.write_template(directory, each)
    typer.echo(f"Wrote {len(pulled)} templates into {directory}.")


@app.command()
def push(
    directory: Folder,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference, and change nothing")] = False,
    yes: output.Yes = False,
) -> None:
    """Publish the words of a folder where they differ from what is published; drafts of these are replaced."""
    given = files.read_templates(directory)
    if not given:
        output.fail(f"there are no templates in {directory}")
    changes = _on_templates(lambda templates: _changes(templates, given.values()))
    for change in changes:
        typer.echo(change.diff, nl=False)
    if dry_run or not changes:
        typer.echo(f"{len(changes)} would change." if dry_run else "Nothing differs.", err=True)
        return
    output.demand_consent(yes, f"Publish {len(changes)} changes?")
    if broken := _on_templates(lambda templates: _publish(templates, changes)):
        output.fail(f"nothing was published: {broken} of them have errors")
    typer.echo(f"Published {len(changes)}.")


@dataclass(frozen=True)
class _Change:
    key: str
    locale: str
    given: files.TemplateFiles
    there: EmailTemplate | None
    diff: str


async def _changes(templates: Templates, given: Iterable[files.TemplateFiles]) -> list[_Change]:
    known = {each.key for each in await templates.entries("en")}
    changes = []
    for template in given:
        for locale, source in template.sources.items():
            there = await templates.read(template.key, locale) if template.key in known else None
            current = (there.published or _built_in(there)) if there else None
            if diff := _diff(f"{template.key}/{locale}", current, source):
                changes.append(_Change(template.key, locale, template, there, diff))
    return changes


async def _publish(templates: Templates, changes: Sequence[_Change]) -> int:
    """Publish all of them, or, where one has an error, none; say how many have one."""
    broken = 0
    for change in changes:
        found = await templates.check(change.given.sources[change.locale])
        broken += _tell(change.key, change.locale, found)
    if broken:
        return broken
    made: set[str] = set()
    for change in changes:
        source = change.given.sources[change.locale]
        if change.there is None and change.key not in made:
            about = {"key": change.key, "name": change.given.name, "description": change.given.description}
            form = CreateTemplate(**source.model_dump(), **about)
            await templates.create(form, change.locale, output.SHELL.name, None)
            made.add(change.key)
        else:
            draft = change.there.draft if change.there else None
            tag = f'"{draft.etag}"' if draft else None
            body = SaveDraft(**source.model_dump())
            await templates.save_draft(change.key, change.locale, body, tag, output.SHELL.name, None)
        await templates.publish(change.key, change.locale, None, output.SHELL.name, None)
    return 0


async def _lint(given: Sequence[files.TemplateFiles]) -> bool:
    async with _rendering(Settings()) as renderer:
        broken = [
            _tell(template.key, locale, await renderer.check(source))
            for template in given
            for locale, source in template.sources.items()
        ]
    return not any(broken)


async def _published(templates: Templates, key: str) -> files.TemplateFiles:
    first = await templates.read(key, "en")
    sources: dict[str, TemplateSource] = {}
    for locale in first.locales:
        there = await templates.read(key, locale)
        source = there.published or _built_in(there)
        if source is not None:
            sources[locale] = TemplateSource.model_validate(source, from_attributes=True)
    variables = next((each.variables for each in sources.values()), [])
    return files.TemplateFiles(key, first.name, first.description, variables, sources)


def _built_in(there: EmailTemplate) -> TemplateSource | None:
    return there.default if there.locale in there.locales else None


def _diff(name: str, there: TemplateSource | None, given: TemplateSource) -> str:
    before, after = files.as_text(there) if there else {}, files.as_text(given)
    lines: list[str] = []
    for part in dict.fromkeys([*before, *after]):
        old, new = (words.get(part, "").splitlines(keepends=True) for words in (before, after))
        lines += difflib.unified_diff(old, new, f"published/{name}/{part}", f"folder/{name}/{part}")
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def _tell(key: str, locale: str, diagnostics: Sequence[Any]) -> bool:
    """Print what is wrong, and say whether any of it is an error."""
    for each in diagnostics:
        place = f"{key}/{locale}/{each.part}:{each.line}:{each.column}"
        typer.echo(f"{place}: {each.severity}: {each.msg} [{each.rule}]", err=True)
    return any(each.severity == "error" for each in diagnostics)
