"""How the commands reach the database and the services."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import typer
from pydantic import SecretStr

from gatepost.db import Connection, Database, EmbeddedPostgres, migrate_embedded
from gatepost.runtime import Runtime, open_runtime
from gatepost.settings import Settings

T = TypeVar("T")


@contextmanager
def embedded_database(settings: Settings, *, quiet: bool = False) -> Iterator[EmbeddedPostgres]:
    """Run the embedded database until the block ends. `quiet` keeps standard output free for the command's own."""
    server = EmbeddedPostgres.start(settings.data_dir)
    try:
        if not quiet:
            typer.echo(f"Embedded PostgreSQL in {server.data}")
        yield server
    finally:
        server.stop()


@contextmanager
def migrated_database(settings: Settings, *, quiet: bool = False) -> Iterator[Settings]:
    """Yield the settings with the URLs of the database. The embedded database is migrated first, no other one is.

    `quiet` keeps standard output free for the command's own output.
    """
    if settings.database_url is not None:
        yield settings
        return
    with embedded_database(settings, quiet=quiet) as server:
        asyncio.run(migrate_embedded(server))
        urls = {"database_url": server.application_url, "migration_database_url": server.url}
        yield settings.model_copy(update={name: SecretStr(url) for name, url in urls.items()})


def with_runtime(work: Callable[[Runtime], Awaitable[T]]) -> T:
    """Run `work` with the services, and return its result.

    Raises:
        ConfigurationError: the database cannot be reached, or lacks migrations.
    """

    async def run(settings: Settings) -> T:
        async with open_runtime(settings) as runtime:
            return await work(runtime)

    with migrated_database(Settings(), quiet=True) as settings:
        return asyncio.run(run(settings))


def with_owner(work: Callable[[Runtime, Database], Awaitable[T]]) -> T:
    """Run `work` with the services and the database as the owner of the schema, and return its result."""

    async def run(runtime: Runtime) -> T:
        owner = await Database.open(runtime.settings.owner_url or "", size=2)
        try:
            return await work(runtime, owner)
        finally:
            await owner.close()

    return with_runtime(run)


def with_connection(work: Callable[[Runtime, Connection], Awaitable[T]]) -> T:
    """Run `work` with the services and a connection, and return its result."""

    async def run(runtime: Runtime) -> T:
        async with runtime.database.connection() as connection:
            return await work(runtime, connection)

    return with_runtime(run)


def with_transaction(work: Callable[[Runtime, Connection], Awaitable[T]]) -> T:
    """Run `work` with the services in a transaction, and return its result. Any exception rolls it back."""

    async def run(runtime: Runtime) -> T:
        async with runtime.database.transaction() as connection:
            return await work(runtime, connection)

    return with_runtime(run)
