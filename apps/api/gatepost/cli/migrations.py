"""`gatepost migrate` and `gatepost migrations copy`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gatepost import db
from gatepost.cli.database import database_url
from gatepost.settings import Settings

app = typer.Typer(help="Copy the SQL migrations to a Supabase project.", no_args_is_help=True)


def migrate() -> None:
    """Apply pending migrations. Safe to run from several processes at once."""
    with database_url(Settings()) as url:
        applied = asyncio.run(db.migrate(url))
    for migration in applied:
        typer.echo(f"Applied {migration.version} {migration.name}")
    if not applied:
        typer.echo("The schema is up to date.")


@app.command()
def copy(
    directory: Annotated[
        Path, typer.Argument(metavar="DIRECTORY", help="The supabase/migrations directory of a Supabase project")
    ],
) -> None:
    """Copy the migrations to a Supabase project, so that the Supabase CLI applies them."""
    copied = db.copy_migrations(directory)
    for path in copied:
        typer.echo(f"Copied {path}")
    if not copied:
        typer.echo("The directory has all migrations already.")


@app.callback()
def _group() -> None:
    # Without it, Typer would run the only command without its name.
    pass
