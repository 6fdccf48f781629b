"""The rules of templates: built-in sources, with drafts and published versions that replace them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from gatepost.audit import Actor
from gatepost.db import Connection, Database, database_error
from gatepost.errors import Conflict, Forbidden, NotFound, PreconditionRequired, TemplateDiagnostic
from gatepost.http import pagination
from gatepost.mail.rendering import link_names
from gatepost.mail.templates import store
from gatepost.mail.templates.files import TemplateFiles, fallback_locales
from gatepost.mail.templates.models import (
    CreateTemplate,
    EmailTemplate,
    Preview,
    PreviewTemplate,
    SaveDraft,
    TemplateEntry,
    TemplateSource,
    TemplateVariable,
    TemplateVersion,
    VersionList,
)
from gatepost.mail.templates.renderer import Renderer
from gatepost.mail.templates.store import DraftChange, StoredTemplate

_NO_VERSION = "This version of the template was not found. Check the version number and the locale."
_MAX_VERSION = 2**31 - 1


@dataclass(frozen=True, slots=True)
class TemplateSummary:
    """A template as its recipients see it: its name, when it is sent, and whether it is a security email."""

    key: str
    name: str
    description: str
    security: bool = False


@dataclass(frozen=True, slots=True)
class FoundSource:
    """A template's source, the language it was found in, and its version (None: a draft, 0: built-in)."""

    source: TemplateSource
    locale: str
    version: int | None


class TemplateService:
    """Reads, drafts, previews and publishes templates. No connection is held while rendering."""

    def __init__(self, database: Database, builtins: Mapping[str, TemplateFiles], renderer: Renderer) -> None:
        self._database = database
        self._builtins = builtins
        self._renderer = renderer

    def is_builtin(self, key: str) -> bool:
        """Return whether a key is that of a built-in template."""
        return key in self._builtins

    def require_sendable(self, key: str, actor: Actor) -> None:
        """Check that an actor may queue, resend or cancel emails of a template (OWASP ASVS 5.0, 8.2.1).

        Raises:
            Forbidden: an API key acts, and these are security emails.
        """
        builtin = self._builtins.get(key)
        if actor.is_api_key and builtin is not None and builtin.security:
            raise Forbidden(
                f"An API key cannot send or cancel emails of the security template {key}. Gatepost sends them itself; "
                "an admin can do this on the pages, and the application with send_email()."
            )

    async def list_templates(self, locale: str) -> list[TemplateEntry]:
        """Return all templates, by key, with what is published and drafted in a language."""
        async with self._database.connection() as connection:
            stored = {each.key: each for each in await store.list_templates(connection)}
        return [
            _entry(key, stored.get(key), self._builtins.get(key), locale)
            for key in sorted(stored.keys() | self._builtins.keys())
        ]

    async def list_summaries(self, connection: Connection) -> list[TemplateSummary]:
        """Return all templates, by key, as their recipients see them."""
        custom = [each for each in await store.list_templates(connection) if each.key not in self._builtins]
        found = {each.key: TemplateSummary(each.key, each.name, each.description) for each in custom}
        for builtin in self._builtins.values():
            description = builtin.notification or builtin.description
            found[builtin.key] = TemplateSummary(builtin.key, builtin.name, description, builtin.security)
        return [found[key] for key in sorted(found)]

    async def read(self, key: str, locale: str) -> EmailTemplate:
        """Return a template in one language.

        Raises:
            NotFound: there is no such template.
        """
        async with self._database.connection() as connection:
            stored = await self._stored(connection, key)
            changed = stored.locales.get(locale) if stored else None
            published = await self._published(connection, key, locale, changed.published_version if changed else None)
            draft = changed.draft if changed else None
            default = self._default(key, locale)
            current = draft or published or default
            variables = current.variables if current else await self._variables_of_others(connection, stored)
        builtin = self._builtins.get(key)
        entry = _entry(key, stored, builtin, locale)
        return EmailTemplate(
            **entry.model_dump(include={"key", "name", "description", "source", "locales", "contains_secrets"}),
            locale=locale,
            etag=changed.etag if changed else store.UNCHANGED_ETAG,
            samples=stored.samples if stored else {},
            variables=variables,
            draft=draft,
            published=published,
            default=default,
            current=_source(current),
            current_origin=("draft" if draft else "published" if published else "builtin") if current else None,
            live=_source(published or (builtin.sources.get(locale) if builtin else None)),
        )

    async def check(self, source: TemplateSource) -> list[TemplateDiagnostic]:
        """Return the errors and warnings of a template."""
        return await self._renderer.check(source)

    async def create(self, body: CreateTemplate, locale: str, actor: Actor) -> EmailTemplate:
        """Create a custom template, with a draft.

        Raises:
            Conflict: the key is taken.
        """
        diagnostics = await self._renderer.check(body)
        async with self._database.transaction() as connection:
            is_new = body.key not in self._builtins and await store.create_template(
                connection,
                body.key,
                builtin=False,
                name=body.name,
                description=body.description,
                contains_secrets=body.contains_secrets,
            )
            if not is_new:
                raise Conflict("A template with this key already exists. Choose another key.")
            change = DraftChange(body.key, locale, None, body, diagnostics, "template.created")
            await store.save_draft(connection, change, actor)
        return await self.read(body.key, locale)

    async def save_draft(
        self, key: str, locale: str, body: SaveDraft, if_match: str | None, actor: Actor
    ) -> EmailTemplate:
        """Save a draft, with or without errors, over the source that `if_match` names.

        Raises:
            NotFound: there is no such template.
            PreconditionRequired: there is a draft, and `if_match` is missing.
            Conflict: the source was changed in the meantime.
        """
        template = await self.read(key, locale)
        etag = _etag(if_match, template)
        variables = template.variables if body.variables is None else body.variables
        source = TemplateSource(**body.model_dump(exclude={"variables"}), variables=variables)
        diagnostics = await self._renderer.check(source)
        await self._save(DraftChange(key, locale, etag, source, diagnostics, "template.drafted"), actor)
        return await self.read(key, locale)

    async def publish(self, key: str, locale: str, if_match: str | None, actor: Actor) -> int:
        """Publish the draft as the next version, which never changes, and return its number.

        Raises:
            Forbidden: an API key cannot publish this template.
            NotFound: there is no such template, or no draft.
            TemplateInvalid: the draft has errors.
            Conflict: the draft is not the one that `if_match` names.
        """
        template = await self.read(key, locale)
        if template.draft is None:
            raise NotFound("There is no draft to publish. Save a draft first.")
        self._require_person(template, actor)
        if if_match is not None and _etag(if_match, template) != template.etag:
            raise database_error("GP012")
        prepared = await self._renderer.prepare(template.draft)
        async with self._database.transaction() as connection:
            return await store.publish_template(connection, key, locale, template.etag, prepared, actor)

    async def list_versions(
        self, connection: Connection, key: str, locale: str, cursor: str | None, limit: int
    ) -> VersionList:
        """Return a page of the published versions in one language, newest first.

        Raises:
            ValidationFailed: the cursor is not one of this list.
        """
        position = pagination.decode(cursor, int)
        before = min(position[0], _MAX_VERSION) if position else None
        found = await store.list_versions(connection, key, locale, before, limit + 1)
        items = found[:limit]
        more = pagination.encode(items[-1].version) if len(found) > limit else None
        return VersionList(items=items, next_cursor=more)

    async def read_version(self, connection: Connection, key: str, locale: str, version: int) -> TemplateVersion:
        """Return a published version.

        Raises:
            NotFound: there is no such version.
        """
        found = await store.read_version(connection, key, locale, version)
        if found is None:
            raise NotFound(_NO_VERSION)
        return found

    async def restore(self, key: str, locale: str, version: int, if_match: str | None, actor: Actor) -> EmailTemplate:
        """Save an old version as the draft, over the source that `if_match` names.

        Raises:
            NotFound: there is no such version.
            PreconditionRequired: there is a draft, and `if_match` is missing.
            Conflict: the source was changed in the meantime.
        """
        template = await self.read(key, locale)
        etag = _etag(if_match, template)
        async with self._database.connection() as connection:
            source = await self.read_version(connection, key, locale, version)
        diagnostics = await self._renderer.check(source)
        await self._save(DraftChange(key, locale, etag, source, diagnostics, "template.restored"), actor)
        return await self.read(key, locale)

    async def save_samples(self, key: str, samples: dict[str, JsonValue]) -> None:
        """Save the sample values that previews of a template use.

        Raises:
            NotFound: there is no such template.
        """
        async with self._database.transaction() as connection:
            await self._ensure_stored(connection, key)
            if not await store.save_samples(connection, key, samples):
                raise database_error("GP003")

    async def preview(self, key: str, locale: str, body: PreviewTemplate) -> Preview:
        """Return the email as it would be sent.

        Raises:
            NotFound: there is no such template.
            TemplateInvalid: it has errors.
            ValidationFailed: the values do not match the declared variables.
        """
        found = await self._find_current(key, locale)
        parts = body.model_dump(include={"subject", "preheader", "html", "text"}, exclude_unset=True)
        # Only the text may be null, which means that it is generated from the HTML.
        parts = {part: content for part, content in parts.items() if content is not None or part == "text"}
        source = TemplateSource(**found.source.model_dump() | parts)
        if body.declared is not None:
            source.variables = body.declared
        return await self._renderer.preview(source, body.variables, found.locale)

    async def find_source(self, key: str, locale: str, version: int | None) -> FoundSource:
        """Return the source of a version; without one, the current source, falling back to other languages.

        Raises:
            NotFound: there is no such template or version.
        """
        if version is None:
            return await self._find_current(key, locale)
        if version == 0:
            builtin = self._builtins.get(key)
            if builtin is None or locale not in builtin.sources:
                raise NotFound(_NO_VERSION)
            return FoundSource(builtin.sources[locale], locale, version)
        async with self._database.connection() as connection:
            return FoundSource(await self.read_version(connection, key, locale, version), locale, version)

    async def delete(self, key: str, actor: Actor) -> None:
        """Delete a custom template, or reset a built-in one to its default.

        Raises:
            Forbidden: an API key cannot delete or reset this template.
            NotFound: there is no such template.
        """
        if actor.is_api_key:
            for locale in (await self.read(key, "en")).locales or ["en"]:
                self._require_person(await self.read(key, locale), actor)
        async with self._database.transaction() as connection:
            if await self._stored(connection, key) is not None:
                await store.delete_template(connection, key, actor)

    async def mark_secrets(self, key: str, *, contains_secrets: bool, actor: Actor) -> None:
        """Say whether the emails of a template contain secrets, so that nobody but their recipients can read them.

        Raises:
            NotFound: there is no such template.
            Conflict: it is a security template, whose emails always count as containing secrets.
        """
        builtin = self._builtins.get(key)
        if builtin is not None and builtin.security and not contains_secrets:
            raise Conflict("The emails of a security template always count as containing secrets.")
        async with self._database.transaction() as connection:
            await self._ensure_stored(connection, key)
            await store.mark_secrets(connection, key, contains_secrets, actor)

    def _require_person(self, template: EmailTemplate, actor: Actor) -> None:
        """Check that an API key does not change what is sent with a token or as a security email.

        Raises:
            Forbidden: it would.
        """
        sources = [each for each in (template.draft, template.published, template.default) if each]
        has_links = any(link_names(self._renderer.stored_variables(each)) for each in sources)
        if actor.is_api_key and (has_links or template.contains_secrets):
            raise Forbidden(
                f"An API key cannot publish, delete or reset the template {template.key}, because its emails contain "
                "links or other secrets. An admin can do this on the templates page."
            )

    async def _save(self, change: DraftChange, actor: Actor) -> None:
        async with self._database.transaction() as connection:
            await self._ensure_stored(connection, change.key)
            await store.save_draft(connection, change, actor)

    async def _ensure_stored(self, connection: Connection, key: str) -> None:
        if builtin := self._builtins.get(key):
            await store.create_template(
                connection, key, builtin=True, name=builtin.name, description=builtin.description
            )

    async def _stored(self, connection: Connection, key: str) -> StoredTemplate | None:
        """Return a template as it is stored; None for a built-in template without changes."""
        found = await store.read_template(connection, key)
        if found is None and key not in self._builtins:
            raise database_error("GP003")
        return found

    async def _published(
        self, connection: Connection, key: str, locale: str, version: int | None
    ) -> TemplateVersion | None:
        return await store.read_version(connection, key, locale, version) if version else None

    async def _variables_of_others(
        self, connection: Connection, stored: StoredTemplate | None
    ) -> list[TemplateVariable]:
        """Return the variables that another language declares, for a language that is being added."""
        if stored is None:
            return []
        for each in stored.locales.values():
            source = each.draft or await self._published(connection, stored.key, each.locale, each.published_version)
            if source:
                return source.variables
        return []

    async def _find_current(self, key: str, locale: str) -> FoundSource:
        for each in fallback_locales(locale):
            template = await self.read(key, each)
            found = template.current
            if found is None or (template.current_origin == "builtin" and each not in template.locales):
                continue
            version = None if template.draft else template.published.version if template.published else 0
            return FoundSource(found, each, version)
        raise database_error("GP005")

    def _default(self, key: str, locale: str) -> TemplateSource | None:
        builtin = self._builtins.get(key)
        if builtin is None:
            return None
        return next((builtin.sources[each] for each in fallback_locales(locale) if each in builtin.sources), None)


def _source(found: TemplateSource | None) -> TemplateSource | None:
    return TemplateSource.model_validate(found, from_attributes=True) if found else None


def _entry(key: str, stored: StoredTemplate | None, builtin: TemplateFiles | None, locale: str) -> TemplateEntry:
    """Return a template as the list shows it in a language. At least one of `stored` and `builtin` is given."""
    described = builtin or stored
    assert described is not None  # noqa: S101 - see the docstring
    locales = stored.locales if stored else {}
    changed = locales.get(locale)
    customized = {each for each, found in locales.items() if found.draft or found.published_version}
    published = changed.published_version if changed else None
    if published is None and builtin and locale in builtin.sources:
        published = 0
    return TemplateEntry(
        key=key,
        name=described.name,
        description=described.description,
        contains_secrets=bool((builtin and builtin.security) or (stored and stored.contains_secrets)),
        source="builtin" if builtin else "custom",
        locales=sorted(customized | set(builtin.sources if builtin else ())),
        changed=sorted(customized),
        published_version=published,
        has_draft=bool(changed and changed.draft),
        updated_at=changed.updated_at if changed else None,
        updated_by=changed.updated_by if changed else None,
    )


def _etag(if_match: str | None, template: EmailTemplate) -> str | None:
    """Return the ETag in an If-Match header (RFC 9110, 13.1.1); `*` stands for the current one.

    Raises:
        PreconditionRequired: the header is missing although there is a draft.
    """
    if if_match is None:
        if template.draft is not None:
            raise PreconditionRequired
        return None
    etag = if_match.strip().removeprefix("W/").strip('"')
    return template.etag if etag == "*" else etag
