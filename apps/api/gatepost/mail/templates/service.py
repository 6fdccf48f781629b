"""Templates as people meet them: the built-in words, with drafts and published versions over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from pydantic import JsonValue

from gatepost.db.pool import Connection, Database
from gatepost.errors import Conflict, NotFound, PreconditionRequired, TemplateDiagnostic
from gatepost.http.client_ip import Address
from gatepost.mail.templates import store
from gatepost.mail.templates.entries import entry
from gatepost.mail.templates.files import TemplateFiles, fallbacks
from gatepost.mail.templates.models import (
    CreateTemplate,
    EmailTemplate,
    Preview,
    PreviewTemplate,
    SaveDraft,
    TemplateEntry,
    TemplateSource,
    TemplateVersion,
)
from gatepost.mail.templates.renderer import Renderer


@dataclass(frozen=True)
class Described:
    """What a template is called, and when it comes; `security` mail is sent whatever its recipient has chosen."""

    key: str
    name: str
    description: str
    security: bool = False


class Templates:
    """Every template there is. Rendering holds no connection."""

    def __init__(self, database: Database, builtins: Mapping[str, TemplateFiles], renderer: Renderer) -> None:
        self._database = database
        self._builtins = builtins
        self._renderer = renderer

    async def entries(self, locale: str) -> list[TemplateEntry]:
        """Return every template, by key, with what is published and drafted in a language."""
        async with self._database.connection() as connection:
            stored = {each.key: each for each in await store.list_templates(connection)}
        return [
            entry(key, stored.get(key), self._builtins.get(key), locale)
            for key in sorted(stored.keys() | self._builtins.keys())
        ]

    async def described(self, connection: Connection) -> list[Described]:
        """Return what every template is called, and in words for its recipient when it comes, by key."""
        own = [each for each in await store.list_templates(connection) if each.key not in self._builtins]
        every = {each.key: Described(each.key, each.name, each.description) for each in own}
        for builtin in self._builtins.values():
            told = builtin.notice or builtin.description
            every[builtin.key] = Described(builtin.key, builtin.name, told, builtin.security)
        return [every[key] for key in sorted(every)]

    async def read(self, key: str, locale: str) -> EmailTemplate:
        """Return a template in one language.

        Raises:
            NotFound: there is none of that key.
        """
        async with self._database.connection() as connection:
            found = await self._stored(connection, key)
            row = found.locales.get(locale) if found else None
            published = await self._published(connection, row)
            draft = store.draft_of(row) if row else None
            default = self._default(key, locale)
            current = draft or published or default
            if current is None and found:
                # A new language begins with what the others declare.
                current = await self._anywhere(connection, found)
        described = entry(key, found, self._builtins.get(key), locale)
        return EmailTemplate(
            **described.model_dump(include={"key", "name", "description", "source", "locales"}),
            locale=locale,
            etag=draft.etag if draft else f"v{described.published_version or 0}",
            samples=found.samples if found else {},
            variables=current.variables if current else [],
            draft=draft,
            published=published,
            default=default,
        )

    async def check(self, source: TemplateSource) -> Sequence[TemplateDiagnostic]:
        """Return what is wrong with a template."""
        return await self._renderer.check(source)

    async def create(self, body: CreateTemplate, locale: str, actor: str, ip: Address | None) -> EmailTemplate:
        """Make a template of one's own, its words a draft.

        Raises:
            Conflict: the key is taken.
        """
        diagnostics = await self._renderer.check(body)
        async with self._database.transaction() as connection:
            new = body.key not in self._builtins and await store.create_template(
                connection, body.key, builtin=False, name=body.name, description=body.description
            )
            if not new:
                raise Conflict("There is a template of that key.")
            await store.save_draft(connection, body.key, locale, None, body, diagnostics, "template.created", actor, ip)
        return await self.read(body.key, locale)

    async def save_draft(
        self, key: str, locale: str, body: SaveDraft, if_match: str | None, actor: str, ip: Address | None
    ) -> EmailTemplate:
        """Save a draft, broken or not, over what `if_match` names.

        Raises:
            NotFound: there is none of that key.
            PreconditionRequired: there is a draft, and `if_match` is missing.
            Conflict: something else stands by now.
        """
        there = await self.read(key, locale)
        tag = _tag(if_match, there)
        variables = there.variables if body.variables is None else body.variables
        source = TemplateSource(**body.model_dump(exclude={"variables"}), variables=variables)
        diagnostics = await self._renderer.check(source)
        await self._save(key, locale, tag, source, diagnostics, "template.drafted", actor, ip)
        return await self.read(key, locale)

    async def publish(self, key: str, locale: str, if_match: str | None, actor: str, ip: Address | None) -> int:
        """Make the draft the next version, never to change, and return its number.

        Raises:
            NotFound: there is none of that key, or no draft.
            TemplateInvalid: it has errors.
            Conflict: the draft is another than `if_match` names.
        """
        there = await self.read(key, locale)
        if there.draft is None:
            raise NotFound("There is no draft to publish.")
        if if_match is not None and _tag(if_match, there) != there.etag:
            raise Conflict
        prepared = await self._renderer.prepare(there.draft)
        async with self._database.transaction() as connection:
            return await store.publish_template(connection, key, locale, UUID(there.etag), prepared, actor, ip)

    async def restore(
        self, key: str, locale: str, version: int, if_match: str | None, actor: str, ip: Address | None
    ) -> EmailTemplate:
        """Make a draft of an old version, in place of what `if_match` names.

        Raises:
            NotFound: there is no such version.
            PreconditionRequired: there is a draft, and `if_match` is missing.
            Conflict: something else stands by now.
        """
        there = await self.read(key, locale)
        tag = _tag(if_match, there)
        async with self._database.connection() as connection:
            source = await store.read_version(connection, key, locale, version)
        if source is None:
            raise NotFound
        diagnostics = await self._renderer.check(source)
        await self._save(key, locale, tag, source, diagnostics, "template.restored", actor, ip)
        return await self.read(key, locale)

    async def save_samples(self, key: str, samples: dict[str, JsonValue]) -> None:
        """Keep the values to look at a template with.

        Raises:
            NotFound: there is none of that key.
        """
        async with self._database.transaction() as connection:
            await self._touch(connection, key)
            if not await store.save_samples(connection, key, samples):
                raise NotFound

    async def preview(self, key: str, locale: str, body: PreviewTemplate) -> Preview:
        """Return the mail as it would be sent.

        Raises:
            NotFound: there is none of that key.
            TemplateInvalid: it has errors, or the values do not fit what is declared.
        """
        source, found_in, _ = await self._current(key, locale)
        given = body.model_dump(include={"subject", "preheader", "html", "text"}, exclude_unset=True)
        # Only the text may be null: then it is made from the HTML.
        given = {part: words for part, words in given.items() if words is not None or part == "text"}
        source = TemplateSource(**source.model_dump() | given)
        if body.declared is not None:
            source.variables = body.declared
        return await self._renderer.preview(source, body.variables, found_in)

    async def to_test(self, key: str, locale: str, version: int | None) -> tuple[TemplateSource, str, int | None]:
        """Return the words of a version, else those that stand (a draft's number is None), their language and number.

        Raises:
            NotFound: there is no such template or version.
        """
        if version is None:
            return await self._current(key, locale)
        if version == 0:
            builtin = self._builtins.get(key)
            found: TemplateSource | None = builtin.sources.get(locale) if builtin else None
        else:
            async with self._database.connection() as connection:
                found = await store.read_version(connection, key, locale, version)
        if found is None:
            raise NotFound
        return found, locale, version

    async def delete(self, key: str, actor: str, ip: Address | None) -> None:
        """Delete a template of one's own; a built-in one goes back to its default.

        Raises:
            NotFound: there is none of that key.
        """
        async with self._database.transaction() as connection:
            if await self._stored(connection, key) is not None:
                await store.delete_template(connection, key, actor, ip)

    async def _save(
        self,
        key: str,
        locale: str,
        tag: str | None,
        source: TemplateSource,
        diagnostics: Sequence[TemplateDiagnostic],
        action: Literal["template.drafted", "template.restored"],
        actor: str,
        ip: Address | None,
    ) -> None:
        async with self._database.transaction() as connection:
            await self._touch(connection, key)
            await store.save_draft(connection, key, locale, tag, source, diagnostics, action, actor, ip)

    async def _touch(self, connection: Connection, key: str) -> None:
        """Have a row of a built-in template."""
        if builtin := self._builtins.get(key):
            await store.create_template(
                connection, key, builtin=True, name=builtin.name, description=builtin.description
            )

    async def _stored(self, connection: Connection, key: str) -> store.StoredTemplate | None:
        found = await store.read_template(connection, key)
        if found is None and key not in self._builtins:
            raise NotFound
        return found

    async def _published(self, connection: Connection, row: Any) -> TemplateVersion | None:
        number = row["published_version"] if row else None
        return await store.read_version(connection, row["key"], row["locale"], number) if number else None

    async def _anywhere(self, connection: Connection, found: store.StoredTemplate) -> TemplateSource | None:
        for row in found.locales.values():
            if words := store.draft_of(row) or await self._published(connection, row):
                return words
        return None

    async def _current(self, key: str, locale: str) -> tuple[TemplateSource, str, int | None]:
        """Return the words that stand in a language or the one it falls back to, that language, and their version."""
        for each in fallbacks(locale):
            there = await self.read(key, each)
            source = there.draft or there.published or (there.default if each in there.locales else None)
            if source is not None:
                number = None if there.draft else there.published.version if there.published else 0
                return TemplateSource.model_validate(source, from_attributes=True), each, number
        raise NotFound("This template has no words in that language.")

    def _default(self, key: str, locale: str) -> TemplateSource | None:
        builtin = self._builtins.get(key)
        if builtin is None:
            return None
        return next((builtin.sources[each] for each in fallbacks(locale) if each in builtin.sources), None)


def _tag(if_match: str | None, there: EmailTemplate) -> str | None:
    """Return the tag that an If-Match header names (RFC 9110, section 13.1.1); `*` names whatever there is.

    Raises:
        PreconditionRequired: it is missing where there is a draft.
    """
    if if_match is None:
        if there.draft is not None:
            raise PreconditionRequired
        return None
    tag = if_match.strip().removeprefix("W/").strip('"')
    return there.etag if tag == "*" else tag
