"""`gatepost users list|show|disable|enable|delete|export|create-admin`."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import TypeAdapter, ValidationError

from gatepost.accounts import Email, NewPassword, create_user, find_user
from gatepost.admin import AdminUser, UserAction, export_user
from gatepost.cli import output
from gatepost.cli.database import with_connection, with_transaction
from gatepost.db import Connection
from gatepost.runtime import Runtime

app = typer.Typer(help="List, disable, delete and export users, and create admins.", no_args_is_help=True)

_COLUMNS: output.Columns[AdminUser] = {
    "ID": lambda user: user.id,
    "EMAIL": lambda user: user.email,
    "NAME": lambda user: user.name,
    "ROLE": lambda user: user.role,
    "SESSIONS": lambda user: user.active_sessions,
    "DISABLED": lambda user: user.disabled_at,
    "CREATED": lambda user: user.created_at,
}

IdOrEmail = Annotated[
    str, typer.Argument(metavar="USER_ID|EMAIL", help="ID or email address of the user", show_default=False)
]


@app.command("list")
def list_users(
    q: Annotated[str | None, typer.Option(help="Beginning of an email address or a name")] = None,
    limit: output.Limit = 50,
    cursor: output.Cursor = None,
    as_json: output.AsJson = False,
) -> None:
    """List users, sorted by email address."""
    page = with_connection(lambda runtime, connection: runtime.admin.list_users(connection, q, cursor, limit))
    output.print_page(page, _COLUMNS, as_json, none_found="No users found.")


@app.command()
def show(id_or_email: IdOrEmail, as_json: output.AsJson = False) -> None:
    """Show a user."""
    _print(with_connection(lambda runtime, connection: _find(runtime, connection, id_or_email)), as_json)


@app.command()
def disable(
    id_or_email: IdOrEmail, reason: output.Reason, yes: output.Yes = False, as_json: output.AsJson = False
) -> None:
    """Disable a user: revoke all their sessions and block new sign-ins."""
    output.confirm(yes, f"Disable {id_or_email} and revoke all their sessions?")
    _print(_act_on_user("disable", id_or_email, reason), as_json)


@app.command()
def enable(id_or_email: IdOrEmail, reason: output.OptionalReason = None, as_json: output.AsJson = False) -> None:
    """Allow a disabled user to sign in again."""
    _print(_act_on_user("enable", id_or_email, reason), as_json)


@app.command()
def delete(id_or_email: IdOrEmail, reason: output.Reason, yes: output.Yes = False) -> None:
    """Delete a user and what is known about them. The audit log and the suppression list stay.

    Export the user first, if they may ask for their data: `gatepost users export`.
    """
    output.confirm(yes, f"Delete {id_or_email} and their data? This cannot be undone.")

    async def delete_user(runtime: Runtime, connection: Connection) -> UUID:
        user = await _find(runtime, connection, id_or_email)
        await runtime.admin.act_on_user(connection, "delete", user.id, output.ACTOR, reason)
        await output.record_command(connection, "users delete", f"user:{user.id}", reason)
        return user.id

    typer.echo(f"Deleted user {with_transaction(delete_user)}.")


@app.command()
def export(id_or_email: IdOrEmail) -> None:
    """Print what is known about a user as JSON: account, devices, emails, notifications and audit rows."""

    async def export_data(runtime: Runtime, connection: Connection) -> dict[str, Any] | None:
        user = await _find(runtime, connection, id_or_email)
        await output.record_command(connection, "users export", f"user:{user.id}", None)
        return await export_user(connection, user.id)

    output.print_text(json.dumps(with_transaction(export_data), indent=2, ensure_ascii=False))


@app.command()
def create_admin(
    email: Annotated[
        str, typer.Argument(parser=output.parser_of(Email), metavar="EMAIL", help="Email address of the admin")
    ],
    as_json: output.AsJson = False,
) -> None:
    """Create an admin. Prompts for the password, or reads it from the first line of standard input."""
    password = _read_password()

    async def create(runtime: Runtime, connection: Connection) -> AdminUser | None:
        if problem := await runtime.password_rules.find_problem(password, email):
            raise typer.BadParameter(problem[1], param_hint="password")
        # For the email about it: perhaps no service of this release has used this database yet.
        await runtime.published_templates.register()
        password_hash = await runtime.passwords.hash(password)
        user = await create_user(connection, email, password_hash, "admin", confirmed=True)
        if user is None:
            return None
        await output.record_command(connection, "users create-admin", f"user:{user.id}", None)
        return await runtime.admin.read_user(connection, user.id)

    user = with_transaction(create)
    if user is None:
        output.fail(f"{email} already has an account. Nothing was changed.")
    _print(user, as_json)


def _read_password() -> str:
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        return TypeAdapter[str](NewPassword).validate_python(password)
    except ValidationError as error:
        raise typer.BadParameter(output.first_message(error), param_hint="password") from None


def _act_on_user(action: UserAction, id_or_email: str, reason: str | None) -> AdminUser:
    async def act(runtime: Runtime, connection: Connection) -> AdminUser:
        user = await _find(runtime, connection, id_or_email)
        await runtime.admin.act_on_user(connection, action, user.id, output.ACTOR, reason)
        await output.record_command(connection, f"users {action}", f"user:{user.id}", reason)
        return await _find(runtime, connection, str(user.id))

    return with_transaction(act)


async def _find(runtime: Runtime, connection: Connection, id_or_email: str) -> AdminUser:
    try:
        user_id: UUID | None = UUID(id_or_email)
    except ValueError:
        account = await find_user(connection, id_or_email)
        user_id = account.user.id if account else None
    user = await runtime.admin.read_user(connection, user_id) if user_id else None
    return user or output.fail(
        f"No user with the ID or email address {id_or_email}. Search with `gatepost users list --q`."
    )


def _print(user: AdminUser, as_json: bool) -> None:
    if as_json:
        output.print_json(user)
        return
    output.print_fields(
        [
            ("id", user.id),
            ("email", user.email),
            ("name", user.name),
            ("role", user.role),
            ("active sessions", user.active_sessions),
            ("disabled", user.disabled_at or "no"),
            ("created", user.created_at),
        ]
    )
