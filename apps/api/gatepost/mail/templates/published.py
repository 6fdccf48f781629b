"""The published versions that emails are rendered from. They never change, so they are cached."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import replace

from gatepost.db import Connection, Database
from gatepost.errors import NotFound
from gatepost.mail.rendering import Variable, link_names
from gatepost.mail.templates import store
from gatepost.mail.templates.files import TemplateFiles
from gatepost.mail.templates.models import TemplateSource
from gatepost.mail.templates.renderer import PublishedVersion, Renderer

_CACHE_SIZE = 200


class PublishedTemplates:
    """Reads and prepares published versions; version 0 is the built-in one. No connection is held while rendering."""

    def __init__(self, database: Database, builtins: Mapping[str, TemplateFiles], renderer: Renderer) -> None:
        self._database = database
        self._builtins = builtins
        self._renderer = renderer
        self._versions: dict[tuple[str, str, int], PublishedVersion] = {}
        self._loading = asyncio.Lock()

    async def register(self) -> None:
        """Record the built-in templates and their languages in the database, where emails are queued."""
        rows = [(each.key, locale, each.security) for each in self._builtins.values() for locale in each.sources]
        async with self._database.transaction() as connection:
            await store.register_builtins(connection, rows)

    async def read(self, key: str, locale: str, version: int) -> PublishedVersion:
        """Return a version, ready to be rendered.

        Raises:
            NotFound: there is no such version.
            TemplateInvalid: a built-in template of this release cannot be rendered.
        """
        identifier = (key, locale, version)
        async with self._loading:
            if identifier not in self._versions:
                if len(self._versions) >= _CACHE_SIZE:
                    self._versions.clear()
                self._versions[identifier] = await self._load(*identifier)
            return self._versions[identifier]

    async def declared(self, connection: Connection, key: str, locale: str, version: int) -> list[Variable]:
        """Return the variables that a version declares.

        Raises:
            NotFound: there is no such version.
        """
        return list(self._renderer.stored_variables(await self._source(connection, key, locale, version)))

    async def _load(self, key: str, locale: str, version: int) -> PublishedVersion:
        async with self._database.connection() as connection:
            source = await self._source(connection, key, locale, version)
            prepared = await store.read_prepared(connection, key, locale, version) if version else None
        if prepared is None:
            content = hashlib.sha256(source.model_dump_json().encode()).hexdigest()
            prepared = await self._renderer.prepare(source, f"{key}/{locale}/{content}")
        declared = self._renderer.stored_variables(source)
        return PublishedVersion(locale, declared, replace(prepared, links=tuple(sorted(link_names(declared)))))

    async def _source(self, connection: Connection, key: str, locale: str, version: int) -> TemplateSource:
        if version:
            found: TemplateSource | None = await store.read_version(connection, key, locale, version)
        else:
            builtin = self._builtins.get(key)
            found = builtin.sources.get(locale) if builtin else None
        if found is None:
            raise NotFound("This version of the template no longer exists.")
        return found
