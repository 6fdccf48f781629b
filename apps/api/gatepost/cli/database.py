"""`gatepost migrate`, `gatepost migrations copy`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from gatepost.db import embedded
from gatepost.db import migrations as runner
from gatepost.db.pool import Database
from gatepost.errors import ConfigurationError
from gatepost.settings import Settings

T = TypeVar("T")

migrations = typer.Typer(help="The SQL files of the schema.", no_args_is_help=True)


@contextmanager
def chosen_database(settings: Settings, *, quiet: bool = False) -> Iterator[str]:
    """Have the address of the configured database, else that of the embedded one, running for the block's length.

    `quiet` leaves standard output to what a command says.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    with embedded.running(settings.data_dir) as server:
        if not quiet:
            typer.echo(f"Embedded PostgreSQL in {server.data}")
        yield server.url


def on_database(work: Callable[[Database, Settings], Coroutine[Any, Any, T]]) -> T:
    """Do some work on the chosen database; the embedded one is first brought up to date.

    Raises:
        ConfigurationError: the database cannot be reached, or lacks migrations.
    """
    settings = Settings()
    with chosen_database(settings, quiet=True) as url:
        if settings.database_url is None:
            asyncio.run(runner.migrate(url))
        return asyncio.run(_opened(url, settings, work))


async def _opened(url: str, settings: Settings, work: Callable[[Database, Settings], Coroutine[Any, Any, T]]) -> T:
    database = await Database.open(url, size=2)
    try:
        async with database.connection() as connection:
            if await runner.pending(connection):
                raise ConfigurationError("the database lacks migrations: run `gatepost migrate` first")
        return await work(database, settings)
    finally:
        await database.close()


def migrate() -> None:
    """Apply pending migrations; safe to run from several processes at once."""
    with chosen_database(Settings()) as url:
        applied = asyncio.run(runner.migrate(url))
    for migration in applied:
        typer.echo(f"applied {migration.version} {migration.name}")
    if not applied:
        typer.echo("The schema is up to date.")


@migrations.command()
def copy(directory: Annotated[Path, typer.Argument(help="The Supabase project's supabase/migrations folder")]) -> None:
    """Hand the migrations to the Supabase CLI: copy them into a project's folder."""
    for path in runner.copy(directory):
        typer.echo(f"copied {path}")


@migrations.callback()
def _group() -> None:
    pass
