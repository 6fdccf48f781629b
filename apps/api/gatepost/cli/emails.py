"""`gatepost emails list|show|send|cancel|resend`, and the addresses that are not written to any more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NoReturn
from uuid import UUID

import typer

from gatepost.cli import output, sending, suppressions
from gatepost.cli.database import on_database
from gatepost.db.pool import Connection, Database
from gatepost.errors import Conflict
from gatepost.mail.outbox import lists, store
from gatepost.mail.outbox.models import Email, EmailDetail, EmailEvent, EmailPage, Status
from gatepost.mail.templates.models import Key
from gatepost.settings import Settings

app = typer.Typer(help="Messages: what is sent, and what became of it.", no_args_is_help=True)
app.add_typer(suppressions.app, name="suppressions")

_HEADINGS = ("ID", "TO", "TEMPLATE", "STATUS", "QUEUED AT")


@app.command("list")
def list_emails(
    status: Annotated[Status | None, typer.Option(help="Only these")] = None,
    to: Annotated[
        str | None, typer.Option(parser=output.checked(str), metavar="ADDRESS", help="To this address")
    ] = None,
    template: Annotated[
        str | None, typer.Option(parser=output.checked(Key), metavar="KEY", help="By the template of this key")
    ] = None,
    limit: output.Limit = 50,
    cursor: output.Cursor = None,
    as_json: output.AsJson = False,
) -> None:
    """List messages, the newest first; exit status 1 when there are none."""

    async def work(database: Database, _: Settings) -> EmailPage:
        async with database.connection() as connection:
            return await lists.list_emails(connection, store.Wanted(status, to, template), cursor, limit)

    page = on_database(work)
    rows = [(each.id, each.to, each.template, each.status, each.created_at) for each in page.items]
    output.show_page(page, _HEADINGS, rows, as_json)


@app.command()
def show(
    email_id: UUID,
    part: Annotated[Literal["text", "html"] | None, typer.Option(help="This part alone, as it was sent")] = None,
    as_json: output.AsJson = False,
) -> None:
    """Show a message: what is known of it, and its timeline."""
    if part and as_json:
        raise typer.BadParameter("say either --part or --json")

    async def work(database: Database, _: Settings) -> EmailDetail | None:
        async with database.connection() as connection:
            return await store.read_detail(connection, email_id)

    email = on_database(work)
    if email is None:
        _fail_without(email_id)
    if as_json:
        output.show_json(email)
    elif part is None:
        _show(email)
    else:
        words = email.text if part == "text" else email.html
        if words is None:
            output.fail(f"message {email_id} is {email.status}: it has not been rendered")
        output.show_text(words)


app.command()(sending.send)


@app.command()
def cancel(email_id: UUID, as_json: output.AsJson = False) -> None:
    """Take a message back that is not on its way yet; `resend` queues it again."""

    async def work(database: Database, _: Settings) -> Email:
        try:
            async with database.transaction() as connection:
                await _read(connection, email_id)
                await store.cancel_email(connection, email_id, output.SHELL.name, None)
                await output.note(connection, "emails cancel", f"email:{email_id}", None)
                return await _read(connection, email_id)
        except Conflict:
            async with database.connection() as connection:
                return await _read(connection, email_id)

    email = on_database(work)
    if email.status != "canceled":
        output.fail(f"message {email_id} is {email.status}: only what still waits can be taken back")
    sending.tell(email, as_json)


@app.command()
def resend(email_id: UUID, yes: output.Yes = False, as_json: output.AsJson = False) -> None:
    """Queue a message like one that has come to its end; it is another, with an id of its own."""
    if not yes:
        output.demand_terminal()

    async def work(database: Database, _: Settings) -> Email:
        async with database.connection() as connection:
            there = await _read(connection, email_id)
        if why_not := _why_not_again(there):
            output.fail(f"message {email_id} is not sent again: {why_not}")
        output.demand_consent(yes, f"Send {there.template} to {there.to} again? It is {there.status}.")
        async with database.transaction() as connection:
            again = await store.resend_email(connection, email_id, output.SHELL.name, None)
            email = await _read(connection, again)
            if email.status == "suppressed":
                sending.fail_suppressed(email.to)
            await output.note(connection, "emails resend", f"email:{email_id}", None)
            return email

    try:
        email = on_database(work)
    except Conflict:
        output.fail(f"message {email_id} is not sent again: it has changed meanwhile")
    sending.tell(email, as_json)


def _why_not_again(email: Email) -> str | None:
    if email.status in ("queued", "scheduled", "sending"):
        return f"it is {email.status}, so it is on its way still"
    if email.version is None:
        return "it was the test of a template"
    if email.expires_at is not None and email.expires_at <= datetime.now(UTC):
        return "its time is over"
    return None


async def _read(connection: Connection, email_id: UUID) -> Email:
    return await store.read_email(connection, email_id) or _fail_without(email_id)


def _fail_without(email_id: UUID) -> NoReturn:
    output.fail(f"there is no message {email_id}")


def _show(email: EmailDetail) -> None:
    words = {0: "as built in", None: "a test"}.get(email.version, f"version {email.version}")
    facts = [
        ("id", email.id),
        ("to", email.to),
        ("reply to", email.reply_to),
        ("template", f"{email.template}, {email.locale}, {words}"),
        ("subject", email.subject),
        *(("attachment", f"{each.filename}, {each.content_type}, {each.size} bytes") for each in email.attachments),
        ("status", email.status),
        ("because", email.last_error),
        ("queued", email.created_at),
        ("by", email.queued_by),
        ("resend of", email.resend_of),
        ("to be sent", email.send_at),
        ("too late", email.expires_at),
        ("attempts", email.attempts),
        ("sent by", email.provider and f"{email.provider}, {email.provider_id or 'without an id'}"),
    ]
    output.show_one([(name, value) for name, value in facts if value is not None])
    typer.echo()
    output.show_one([(f"{each.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC", _step(each)) for each in email.events])


def _step(event: EmailEvent) -> str:
    detail: dict[str, Any] = dict(event.detail)
    words = detail.pop("words", None)
    rest = ", ".join(f"{name} {value}" for name, value in detail.items())
    return event.type + (f": {words}" if words else "") + (f" ({rest})" if rest else "")
