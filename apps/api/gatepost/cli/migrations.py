"""`gatepost migrate` and `gatepost migrations copy`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gatepost import db
from gatepost.cli.database import embedded_database
from gatepost.settings import Settings

app = typer.Typer(help="Copy the SQL migrations to a Supabase project.", no_args_is_help=True)


def migrate() -> None:
    """Apply pending migrations, as the role of GATEPOST_MIGRATION_DATABASE_URL. Safe to run several times at once.

    The role of GATEPOST_DATABASE_URL gets the rights that the service needs; it cannot change or delete audit rows.
    """
    settings = Settings()
    if settings.database_url is None:
        with embedded_database(settings) as server:
            applied = asyncio.run(db.migrate_embedded(server))
    else:
        applied = asyncio.run(_migrate(settings.database_url.get_secret_value(), settings.owner_url or ""))
    for migration in applied:
        typer.echo(f"Applied {migration.version} {migration.name}")
    if not applied:
        typer.echo("The schema is up to date.")


async def _migrate(url: str, owner_url: str) -> list[db.Migration]:
    if owner_url == url:
        return await db.migrate(url)
    role = await db.read_role(url)
    return await db.migrate(owner_url, application_role=role, setting="GATEPOST_MIGRATION_DATABASE_URL")


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
