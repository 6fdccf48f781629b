"""`gatepost keys list|create|take-over|revoke|rotate`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, get_args
from uuid import UUID

import typer

from gatepost.accounts import Email, find_user
from gatepost.admin import ApiKey, CreateApiKey, NewApiKey, revoke_api_key, take_over_api_key
from gatepost.cli import output
from gatepost.cli.database import with_connection, with_transaction
from gatepost.db import Connection
from gatepost.runtime import Runtime
from gatepost.security import Scope

app = typer.Typer(
    help="Create, list, take over and revoke API keys, and rotate the keys that sign access tokens.",
    no_args_is_help=True,
)


def _status(key: ApiKey) -> str:
    if key.revoked_at:
        return "revoked"
    if key.suspended_at:
        return "suspended"
    if key.expires_at is None:
        return "active"
    verb = "expired" if key.expires_at <= datetime.now(UTC) else "expires"
    return f"{verb} {key.expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


_COLUMNS: output.Columns[ApiKey] = {
    "ID": lambda key: key.id,
    "NAME": lambda key: key.name,
    "PREFIX": lambda key: key.prefix,
    "SCOPES": lambda key: " ".join(key.scopes),
    "OWNER": lambda key: key.owner_email or key.owner_id or key.created_by,
    "STATUS": _status,
    "LAST USED": lambda key: key.last_used_at,
    "CREATED": lambda key: key.created_at,
}
_NAME = output.parser_of(CreateApiKey.model_fields["name"].rebuild_annotation())


@app.command("list")
def list_keys(limit: output.Limit = 100, cursor: output.Cursor = None, as_json: output.AsJson = False) -> None:
    """List API keys without their secrets, newest first."""
    page = with_connection(lambda runtime, connection: runtime.admin.list_api_keys(connection, cursor, limit))
    output.print_page(page, _COLUMNS, as_json, none_found="No API keys found.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(parser=_NAME, metavar="NAME", help="Name of the key")],
    scope: Annotated[
        list[str],
        typer.Option(
            parser=output.parser_of(Scope),
            metavar="SCOPE",
            help=f"Scope to grant: {', '.join(get_args(Scope))}. Repeat it for several scopes",
        ),
    ],
    expires: Annotated[datetime | None, output.time_option("Expire at this time instead of never")] = None,
    as_json: output.AsJson = False,
) -> None:
    """Create an API key and print its secret, which is shown only once."""
    form = CreateApiKey.model_validate({"name": name, "scopes": sorted(set(scope)), "expires_at": expires})

    async def create_key(runtime: Runtime, connection: Connection) -> NewApiKey:
        # For the email about it: perhaps no service of this release has used this database yet.
        await runtime.published_templates.register()
        key = await runtime.admin.create_api_key(connection, form, output.ACTOR)
        await output.record_command(connection, "keys create", f"key:{key.id}", None)
        return key

    key = with_transaction(create_key)
    if as_json:
        output.print_json(key)
        return
    output.print_fields([("id", key.id), ("name", key.name), ("scopes", " ".join(key.scopes)), ("secret", key.secret)])
    typer.echo("Store the secret now. It is not shown again.", err=True)


@app.command()
def take_over(
    key_id: Annotated[UUID, typer.Argument(metavar="KEY_ID", help="ID of the key")],
    owner: Annotated[
        str, typer.Option(parser=output.parser_of(Email), metavar="EMAIL", help="Email address of the new owner")
    ],
    as_json: output.AsJson = False,
) -> None:
    """Make an admin the owner of an API key. A suspended key works again, with the same secret.

    A key is suspended when its owner is disabled, deleted or no longer an admin. Who knows its secret can still use it:
    create a new key instead if its owner should not.
    """

    async def take_over_key(_: Runtime, connection: Connection) -> ApiKey | None:
        admin = await find_user(connection, owner)
        if admin is None:
            return None
        key = await take_over_api_key(connection, key_id, admin.user.id, output.ACTOR)
        await output.record_command(connection, "keys take-over", f"key:{key_id}", None)
        return key

    key = with_transaction(take_over_key)
    if key is None:
        output.fail(f"No user with the email address {owner}. Search with `gatepost users list --q`.")
    if as_json:
        output.print_json(key)
        return
    typer.echo(f"{owner} now owns API key {key_id}.")


@app.command()
def revoke(
    key_id: Annotated[UUID, typer.Argument(metavar="KEY_ID", help="ID of the key")], yes: output.Yes = False
) -> None:
    """Revoke an API key. Requests with it fail from then on."""
    output.confirm(yes, f"Revoke API key {key_id}?")

    async def revoke_key(_: Runtime, connection: Connection) -> bool:
        exists = await revoke_api_key(connection, key_id, output.ACTOR)
        if exists:
            await output.record_command(connection, "keys revoke", f"key:{key_id}", None)
        return exists

    if not with_transaction(revoke_key):
        output.fail(f"No API key with the ID {key_id}. List API keys with `gatepost keys list`.")
    typer.echo(f"Revoked API key {key_id}.")


@app.command()
def rotate(
    now: Annotated[
        bool,
        typer.Option(
            "--now", help="Reject tokens of the old keys at once: clients have to refresh them. For a key that leaked"
        ),
    ] = False,
    yes: output.Yes = False,
) -> None:
    """Replace the key that signs access tokens, and encrypt all signing keys under the newest GATEPOST_SECRET_KEY.

    The new key signs in a minute. The old one is accepted until its last token has expired, so no request fails.
    """
    if now:
        output.confirm(yes, "Reject all access tokens at once? Clients have to refresh them.")

    async def rotate_key(runtime: Runtime, connection: Connection) -> str:
        kid = await runtime.signing_keys.rotate(connection, runtime.settings.access_token_ttl, now=now)
        await output.record_command(connection, "keys rotate", f"signing_key:{kid}", None)
        return kid

    typer.echo(f"Added signing key {with_transaction(rotate_key)}.")
