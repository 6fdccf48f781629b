"""How the commands reach the database and the services."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import typer
from pydantic import SecretStr

from gatepost.db import Connection, EmbeddedPostgres, migrate
from gatepost.runtime import Runtime, open_runtime
from gatepost.settings import Settings

T = TypeVar("T")


@contextmanager
def database_url(settings: Settings, *, quiet: bool = False) -> Iterator[str]:
    """Yield the URL of the configured database, or of the embedded one, which runs until the block ends.

    `quiet` keeps standard output free for the command's own output.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    server = EmbeddedPostgres.start(settings.data_dir)
    try:
        if not quiet:
            typer.echo(f"Embedded PostgreSQL in {server.data}")
        yield server.url
    finally:
        server.stop()


@contextmanager
def migrated_database(settings: Settings, *, quiet: bool = False) -> Iterator[Settings]:
    """Yield the settings with the URL of the database. The embedded database is migrated first, no other one is.

    `quiet` keeps standard output free for the command's own output.
    """
    with database_url(settings, quiet=quiet) as url:
        if settings.database_url is None:
            asyncio.run(migrate(url))
        yield settings.model_copy(update={"database_url": SecretStr(url)})


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
