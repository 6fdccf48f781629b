"""`gatepost keys list|create|revoke`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from gatepost.admin import api_keys as key_store
from gatepost.admin import service as lists
from gatepost.admin.models import ApiKey, ApiKeyPage, CreateApiKey, NewApiKey, Scope
from gatepost.cli import output
from gatepost.cli.database import on_database
from gatepost.db.pool import Database
from gatepost.security import api_keys as keys
from gatepost.settings import Settings

app = typer.Typer(help="API keys.", no_args_is_help=True)

_HEADINGS = ("ID", "NAME", "PREFIX", "SCOPES", "MADE BY", "STATE", "LAST USED", "SINCE")


@app.command("list")
def list_keys(limit: output.Limit = 100, cursor: output.Cursor = None, as_json: output.AsJson = False) -> None:
    """List the API keys without their secrets, the newest first; exit status 1 when there are none."""

    async def work(database: Database, _: Settings) -> ApiKeyPage:
        async with database.connection() as connection:
            return await lists.list_keys(connection, cursor, limit)

    page = on_database(work)
    rows = [
        (
            each.id,
            each.name,
            each.prefix,
            " ".join(each.scopes),
            each.created_by,
            _state(each),
            each.last_used_at,
            each.created_at,
        )
        for each in page.items
    ]
    output.show_page(page, _HEADINGS, rows, as_json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(parser=output.checked(CreateApiKey.model_fields["name"].rebuild_annotation()))],
    scope: Annotated[
        list[str], typer.Option(parser=output.checked(Scope), metavar="SCOPE", help="As often as there are scopes")
    ],
    expires: Annotated[datetime | None, typer.Option(parser=output.moment, metavar="TIME")] = None,
    as_json: output.AsJson = False,
) -> None:
    """Make an API key. Its secret is shown this once."""
    form = CreateApiKey.model_validate({"name": name, "scopes": sorted(set(scope)), "expires_at": expires})
    secret, prefix = keys.mint()

    async def work(database: Database, _: Settings) -> ApiKey:
        async with database.transaction() as connection:
            key = await key_store.create_key(connection, form, prefix, keys.digest(secret), output.SHELL.name, None)
            await output.note(connection, "keys create", f"key:{key.id}", None)
            return key

    key = NewApiKey(**on_database(work).model_dump(), secret=secret)
    if as_json:
        output.show_json(key)
        return
    output.show_one([("id", key.id), ("name", key.name), ("scopes", " ".join(key.scopes)), ("secret", key.secret)])
    typer.echo("The secret is not shown again.", err=True)


@app.command()
def revoke(key_id: UUID, yes: output.Yes = False) -> None:
    """Revoke an API key; its next request is refused."""
    output.demand_consent(yes, f"Revoke the API key {key_id}?")

    async def work(database: Database, _: Settings) -> bool:
        async with database.transaction() as connection:
            found = await key_store.revoke_key(connection, key_id, output.SHELL.name, None)
            if found:
                await output.note(connection, "keys revoke", f"key:{key_id}", None)
            return found

    if not on_database(work):
        output.fail(f"there is no API key {key_id}")
    typer.echo(f"Revoked API key {key_id}.")


def _state(key: ApiKey) -> str:
    if key.revoked_at:
        return "revoked"
    return f"until {key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else "good"
