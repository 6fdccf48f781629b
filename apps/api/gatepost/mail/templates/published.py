"""What is published: the words that mails are made of, by version; they never change, so they are kept in hand."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping

from gatepost.db.pool import Connection, Database
from gatepost.errors import NotFound
from gatepost.mail.rendering.language.variables import Variable
from gatepost.mail.templates import store
from gatepost.mail.templates.files import TemplateFiles
from gatepost.mail.templates.models import TemplateSource
from gatepost.mail.templates.renderer import Renderer, declared_by
from gatepost.mail.templates.words import Words

_KEPT = 200


class Published:
    """The words of versions: 0 is the built-in one. Rendering holds no connection."""

    def __init__(self, database: Database, builtins: Mapping[str, TemplateFiles], renderer: Renderer) -> None:
        self._database = database
        self._builtins = builtins
        self._renderer = renderer
        self._words: dict[tuple[str, str, int], Words] = {}
        self._loading = asyncio.Lock()

    async def register(self) -> None:
        """Let SQL know which languages the built-in templates speak."""
        speaks = [(each.key, locale, each.security) for each in self._builtins.values() for locale in each.sources]
        async with self._database.transaction() as connection:
            await store.register_builtins(connection, speaks)

    async def words(self, key: str, locale: str, version: int) -> Words:
        """Return the words of a version.

        Raises:
            NotFound: there is no such version.
            TemplateInvalid: words of this release's own cannot be rendered.
        """
        place = (key, locale, version)
        async with self._loading:
            if place not in self._words:
                if len(self._words) >= _KEPT:
                    self._words.clear()
                self._words[place] = await self._load(*place)
            return self._words[place]

    async def declared(self, connection: Connection, key: str, locale: str, version: int) -> list[Variable]:
        """Return what a version declares.

        Raises:
            NotFound: there is no such version.
        """
        return declared_by(await self._source(connection, key, locale, version))

    async def _load(self, key: str, locale: str, version: int) -> Words:
        async with self._database.connection() as connection:
            source = await self._source(connection, key, locale, version)
            prepared = await store.read_prepared(connection, key, locale, version) if version else None
        if prepared is None:
            content = hashlib.sha256(source.model_dump_json().encode()).hexdigest()
            prepared = await self._renderer.prepare(source, f"{key}/{locale}/{content}")
        return Words(locale, tuple(declared_by(source)), prepared)

    async def _source(self, connection: Connection, key: str, locale: str, version: int) -> TemplateSource:
        if version:
            found: TemplateSource | None = await store.read_version(connection, key, locale, version)
        else:
            builtin = self._builtins.get(key)
            found = builtin.sources.get(locale) if builtin else None
        if found is None:
            raise NotFound("These words are not there any more.")
        return found
