"""`gatepost emails suppressions list|add|remove`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer
from pydantic import TypeAdapter, ValidationError

from gatepost.cli import output
from gatepost.cli.database import on_database
from gatepost.db.pool import Connection, Database
from gatepost.mail.outbox import lists, store
from gatepost.mail.outbox.models import Address, SuppressEmail, Suppression, SuppressionPage
from gatepost.settings import Settings

app = typer.Typer(help="The addresses that are not written to any more.", no_args_is_help=True)

_HEADINGS = ("ID", "ADDRESS", "REASON", "NOTE", "PUT BY", "SINCE")
_REASON = SuppressEmail.model_fields["reason"].rebuild_annotation()


@app.command("list")
def list_suppressions(
    email: Annotated[
        str | None, typer.Option(parser=output.checked(str), metavar="ADDRESS", help="This address alone")
    ] = None,
    limit: output.Limit = 50,
    cursor: output.Cursor = None,
    as_json: output.AsJson = False,
) -> None:
    """List the addresses, the newest first; exit status 1 when there are none."""

    async def work(database: Database, _: Settings) -> SuppressionPage:
        async with database.connection() as connection:
            return await lists.list_suppressions(connection, email and _plain(email), cursor, limit)

    page = on_database(work)
    rows = [(each.id, each.email, each.reason, each.note, each.created_by, each.created_at) for each in page.items]
    output.show_page(page, _HEADINGS, rows, as_json)


@app.command()
def add(
    address: Annotated[str, typer.Argument(parser=output.checked(Address), metavar="ADDRESS")],
    reason: Annotated[str, typer.Option(parser=output.checked(_REASON), metavar="TEXT", help="Why, in words")],
    as_json: output.AsJson = False,
) -> None:
    """Write to an address no more; what is queued for it is not sent either."""

    async def work(database: Database, _: Settings) -> Suppression | None:
        async with database.transaction() as connection:
            made = await store.suppress(connection, address, reason, output.SHELL.name, None)
            if made:
                await output.note(connection, "emails suppressions add", f"suppression:{made.id}", reason)
            return made

    made = on_database(work)
    if made is None:
        output.fail(f"{address} is on the list already")
    if as_json:
        output.show_json(made)
    else:
        typer.echo(f"Nothing is sent to {made.email} any more.")


@app.command()
def remove(
    which: Annotated[str, typer.Argument(parser=output.checked(str), metavar="ADDRESS|ID")], yes: output.Yes = False
) -> None:
    """Write to an address again."""
    output.demand_consent(yes, f"Take {which} off the list? Why it was put there is forgotten.")

    async def work(database: Database, _: Settings) -> bool:
        async with database.transaction() as connection:
            suppression_id = await _find(connection, which)
            if suppression_id is None or not await store.delete_suppression(
                connection, suppression_id, output.SHELL.name, None
            ):
                return False
            await output.note(connection, "emails suppressions remove", f"suppression:{suppression_id}", None)
            return True

    if not on_database(work):
        output.fail(f"{which} is not on the list")
    typer.echo(f"Took {which} off the list.")


async def _find(connection: Connection, which: str) -> UUID | None:
    try:
        return UUID(which)
    except ValueError:
        found = await store.list_suppressions(connection, _plain(which), None, None, 1)
        return found[0].id if found else None


def _plain(address: str) -> str:
    """Return an address as it is kept: the domain as machines write it."""
    try:
        return TypeAdapter[str](Address).validate_python(address)
    except ValidationError:
        return address
