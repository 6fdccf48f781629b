"""`gatepost emails suppressions list|add|remove`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer
from pydantic import TypeAdapter, ValidationError

from gatepost.cli import output
from gatepost.cli.database import with_connection, with_transaction
from gatepost.db import Connection
from gatepost.mail.outbox import EmailAddress, SuppressEmail, Suppression
from gatepost.runtime import Runtime

app = typer.Typer(help="Manage suppressed email addresses, to which nothing is sent.", no_args_is_help=True)

_COLUMNS: output.Columns[Suppression] = {
    "ID": lambda suppression: suppression.id,
    "EMAIL": lambda suppression: suppression.email,
    "REASON": lambda suppression: suppression.reason,
    "NOTE": lambda suppression: suppression.note,
    "CREATED BY": lambda suppression: suppression.created_by,
    "CREATED": lambda suppression: suppression.created_at,
}
_REASON = output.parser_of(SuppressEmail.model_fields["reason"].rebuild_annotation())


@app.command("list")
def list_suppressions(
    email: Annotated[
        str | None, typer.Option(parser=output.parser_of(str), metavar="EMAIL", help="Only this email address")
    ] = None,
    limit: output.Limit = 50,
    cursor: output.Cursor = None,
    as_json: output.AsJson = False,
) -> None:
    """List suppressed email addresses, newest first."""
    address = _normalized(email) if email else None
    page = with_connection(
        lambda runtime, connection: runtime.emails.list_suppressions(connection, address, cursor, limit)
    )
    output.print_page(page, _COLUMNS, as_json, none_found="No suppressed email addresses found.")


@app.command()
def add(
    email: Annotated[
        str, typer.Argument(parser=output.parser_of(EmailAddress), metavar="EMAIL", help="Email address to suppress")
    ],
    reason: Annotated[str, typer.Option(parser=_REASON, metavar="TEXT", help="Reason, shown in the list as a note")],
    as_json: output.AsJson = False,
) -> None:
    """Suppress an email address: nothing is sent to it, not even emails that are already queued."""

    async def suppress(runtime: Runtime, connection: Connection) -> Suppression | None:
        suppression = await runtime.emails.suppress_email(connection, email, reason, output.ACTOR)
        if suppression:
            target = f"suppression:{suppression.id}"
            await output.record_command(connection, "emails suppressions add", target, reason)
        return suppression

    suppression = with_transaction(suppress)
    if suppression is None:
        output.fail(f"{email} is already suppressed.")
    if as_json:
        output.print_json(suppression)
    else:
        typer.echo(f"Suppressed {suppression.email}.")


@app.command()
def remove(
    id_or_email: Annotated[
        str,
        typer.Argument(
            parser=output.parser_of(str), metavar="EMAIL|ID", help="Email address, or the ID of its suppression"
        ),
    ],
    yes: output.Yes = False,
) -> None:
    """Remove an email address from the suppression list, so that emails are sent to it again."""
    output.confirm(yes, f"Remove {id_or_email} from the suppression list? Its reason and note are deleted.")

    async def delete(runtime: Runtime, connection: Connection) -> bool:
        suppression_id = await _find(runtime, connection, id_or_email)
        if suppression_id is None or not await runtime.emails.delete_suppression(
            connection, suppression_id, output.ACTOR
        ):
            return False
        await output.record_command(connection, "emails suppressions remove", f"suppression:{suppression_id}", None)
        return True

    if not with_transaction(delete):
        output.fail(f"{id_or_email} is not suppressed.")
    typer.echo(f"Removed {id_or_email} from the suppression list.")


async def _find(runtime: Runtime, connection: Connection, id_or_email: str) -> UUID | None:
    try:
        return UUID(id_or_email)
    except ValueError:
        page = await runtime.emails.list_suppressions(connection, _normalized(id_or_email), None, 1)
        return page.items[0].id if page.items else None


def _normalized(email: str) -> str:
    """Return an email address as it is stored, with an ASCII domain; invalid ones unchanged."""
    try:
        return TypeAdapter[str](EmailAddress).validate_python(email)
    except ValidationError:
        return email
