"""`gatepost migrate`, `gatepost migrations copy`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gatepost import embedded
from gatepost import migrate as runner
from gatepost.settings import Settings

migrations = typer.Typer(help="The SQL files of the schema.", no_args_is_help=True)


@contextmanager
def chosen_database(settings: Settings) -> Iterator[str]:
    """Have the address of the configured database, else that of the embedded one, running for the block's length."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    with embedded.running(settings.data_dir) as server:
        typer.echo(f"Embedded PostgreSQL in {server.data}")
        yield server.url


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
