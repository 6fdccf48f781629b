"""`gatepost users list|show|disable|enable|create-admin`."""

from __future__ import annotations

import sys
from typing import Annotated
from uuid import UUID

import typer
from pydantic import TypeAdapter, ValidationError

from gatepost.accounts import store as accounts
from gatepost.accounts.models import Email, NewPassword, Person
from gatepost.admin import service as lists
from gatepost.admin import store
from gatepost.admin.models import User, UserPage
from gatepost.cli import output
from gatepost.cli.database import on_database
from gatepost.db.pool import Connection, Database
from gatepost.security.passwords import Passwords
from gatepost.settings import Settings

app = typer.Typer(help="People.", no_args_is_help=True)

_HEADINGS = ("ID", "E-MAIL", "NAME", "ROLE", "SESSIONS", "DISABLED", "SINCE")

Who = Annotated[str, typer.Argument(metavar="USER_ID|EMAIL", show_default=False)]


@app.command("list")
def list_users(
    q: Annotated[str | None, typer.Option(help="The beginning of an e-mail or a name")] = None,
    limit: output.Limit = 50,
    cursor: output.Cursor = None,
    as_json: output.AsJson = False,
) -> None:
    """List people by address; exit status 1 when there are none."""

    async def work(database: Database, settings: Settings) -> UserPage:
        async with database.connection() as connection:
            return await lists.list_users(connection, settings, q, cursor, limit)

    page = on_database(work)
    rows = [
        (each.id, each.email, each.name, each.role, each.active_sessions, each.disabled_at, each.created_at)
        for each in page.items
    ]
    output.show_page(page, _HEADINGS, rows, as_json)


@app.command()
def show(who: Who, as_json: output.AsJson = False) -> None:
    """Show a person."""

    async def work(database: Database, settings: Settings) -> User:
        async with database.connection() as connection:
            return await _find(connection, settings, who)

    _show(on_database(work), as_json)


@app.command()
def disable(who: Who, reason: output.Reason, yes: output.Yes = False, as_json: output.AsJson = False) -> None:
    """Disable a person: every session of theirs ends, and none opens until they are enabled."""
    output.demand_consent(yes, f"Disable {who} and end every session of theirs?")
    _show(_act("disable", who, reason), as_json)


@app.command()
def enable(who: Who, reason: output.OptionalReason = None, as_json: output.AsJson = False) -> None:
    """Let a disabled person sign in again."""
    _show(_act("enable", who, reason), as_json)


@app.command()
def create_admin(
    email: Annotated[str, typer.Argument(parser=output.checked(Email), metavar="EMAIL")],
    as_json: output.AsJson = False,
) -> None:
    """Make an admin. The password is asked for, or is the first line of standard input."""
    password = _read_password()

    async def work(database: Database, settings: Settings) -> User | None:
        passwords = Passwords()
        try:
            hashed = await passwords.hash(password)
        finally:
            passwords.close()
        async with database.transaction() as connection:
            person: Person | None = await accounts.create_person(connection, email, hashed, "admin", confirmed=True)
            if person is None:
                return None
            await output.note(connection, "users create-admin", f"person:{person.id}", None)
            return await store.read_user(connection, settings, person.id)

    made = on_database(work)
    if made is None:
        output.fail(f"{email} has an account already: nothing was changed")
    _show(made, as_json)


def _read_password() -> str:
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        return TypeAdapter[str](NewPassword).validate_python(password)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"], param_hint="the password") from None


def _act(act: store.UserAct, who: str, reason: str | None) -> User:
    async def work(database: Database, settings: Settings) -> User:
        async with database.transaction() as connection:
            user = await _find(connection, settings, who)
            await store.act_on_user(connection, settings, act, user.id, output.SHELL.name, reason, None)
            await output.note(connection, f"users {act}", f"person:{user.id}", reason)
            return await _find(connection, settings, str(user.id))

    return on_database(work)


async def _find(connection: Connection, settings: Settings, who: str) -> User:
    try:
        user_id = UUID(who)
    except ValueError:
        found = await accounts.find_person(connection, who)
        user = await store.read_user(connection, settings, found[0].id) if found else None
    else:
        user = await store.read_user(connection, settings, user_id)
    return user or output.fail(f"there is no person {who}")


def _show(user: User, as_json: bool) -> None:
    if as_json:
        output.show_json(user)
        return
    output.show_one(
        [
            ("id", user.id),
            ("e-mail", user.email),
            ("name", user.name),
            ("role", user.role),
            ("active sessions", user.active_sessions),
            ("disabled", user.disabled_at or "no"),
            ("since", user.created_at),
        ]
    )
