"""`gatepost emails list|show|send|cancel|resend`; `gatepost emails suppressions` is in `suppressions`."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn
from uuid import UUID

import typer
from pydantic import ValidationError

from gatepost.cli import output, suppressions, variables
from gatepost.cli.database import with_connection, with_runtime
from gatepost.db import database_error
from gatepost.errors import Conflict, FieldError, NotFound, RecipientSuppressed, ValidationFailed
from gatepost.mail.outbox import (
    MAX_BYTES,
    Email,
    EmailAddress,
    EmailDetail,
    EmailEvent,
    EmailFilter,
    QueueEmail,
    Status,
)
from gatepost.mail.templates import Key, TemplateVariable, fallback_locales
from gatepost.runtime import Runtime

app = typer.Typer(help="Send, list, cancel and resend emails, and manage suppressions.", no_args_is_help=True)
app.add_typer(suppressions.app, name="suppressions")

_COLUMNS: output.Columns[Email] = {
    "ID": lambda email: email.id,
    "TO": lambda email: email.to,
    "TEMPLATE": lambda email: email.template,
    "STATUS": lambda email: email.status,
    "CREATED": lambda email: email.created_at,
}

_address = output.parser_of(EmailAddress)
EmailId = Annotated[UUID, typer.Argument(metavar="EMAIL_ID", help="ID of the email")]


@app.command("list")
def list_emails(
    status: Annotated[Status | None, typer.Option(help="Emails with this status")] = None,
    to: Annotated[
        str | None,
        typer.Option(parser=output.parser_of(str), metavar="EMAIL", help="Emails to this email address"),
    ] = None,
    template: Annotated[
        str | None, typer.Option(parser=output.parser_of(Key), metavar="KEY", help="Emails from this template")
    ] = None,
    limit: output.Limit = 50,
    cursor: output.Cursor = None,
    as_json: output.AsJson = False,
) -> None:
    """List emails, newest first."""
    wanted = EmailFilter(status, to, template)
    page = with_connection(lambda runtime, connection: runtime.emails.list_emails(connection, wanted, cursor, limit))
    output.print_page(page, _COLUMNS, as_json, none_found="No emails found.")


@app.command()
def show(
    email_id: EmailId,
    part: Annotated[Literal["text", "html"] | None, typer.Option(help="Print only this part, as it was sent")] = None,
    as_json: output.AsJson = False,
) -> None:
    """Show an email and its timeline."""
    if part and as_json:
        raise typer.BadParameter("cannot be combined with --json", param_hint="--part")
    try:
        email = with_connection(lambda runtime, connection: runtime.emails.read_detail(connection, email_id))
    except NotFound:
        _fail_not_found(email_id)
    if as_json:
        output.print_json(email)
        return
    if part is None:
        _print_detail(email)
        return
    content = email.text if part == "text" else email.html
    if content is None:
        if email.content_hidden:
            output.fail(f"The content of email {email_id} is not shown, because it contains secrets.")
        output.fail(f"Email {email_id} is {email.status}. Its content has not been rendered.")
    output.print_text(content)


@app.command()
def send(
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help="Key of the template")],
    to: Annotated[str, typer.Argument(parser=_address, metavar="TO", help="Email address of the recipient")],
    assignments: variables.Assignments = None,
    values_file: Annotated[
        Path | None,
        typer.Option("--values", metavar="FILE", help="JSON file with values of variables; - is standard input"),
    ] = None,
    locale: Annotated[str, typer.Option(help="Language of the email, such as en, de or fr-CA")] = "en",
    reply_to: Annotated[
        str | None, typer.Option(parser=_address, metavar="EMAIL", help="Email address for replies")
    ] = None,
    attach: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="File to attach. Repeat it for several files"),
    ] = None,
    send_at: Annotated[datetime | None, output.time_option("Send at this time instead of now")] = None,
    expires_at: Annotated[datetime | None, output.time_option("Do not send after this time")] = None,
    idempotency_key: Annotated[
        str | None,
        typer.Option(
            parser=_idempotency_key, metavar="KEY", help="With the same key, the same email is queued only once"
        ),
    ] = None,
    as_json: output.AsJson = False,
) -> None:
    """Queue an email. A running `gatepost serve` or `gatepost work` sends it."""
    body = _validated(
        {
            "template": template,
            "to": to,
            "variables": variables.read_file(values_file),
            "locale": locale,
            "reply_to": reply_to,
            "attachments": _read_attachments(attach or []),
            "send_at": send_at,
            "expires_at": expires_at,
        }
    )
    assigned = variables.split(assignments)

    async def send_email(runtime: Runtime) -> Email:
        email = await _queue(runtime, await _with_variables(runtime, body, assigned), idempotency_key)
        async with runtime.database.transaction() as connection:
            await output.record_command(connection, "emails send", f"email:{email.id}", None)
        return email

    try:
        email = with_runtime(send_email)
    except NotFound:
        locales = " or ".join(fallback_locales(body.locale))
        output.fail(f"No template {template} in {locales}. List templates with `gatepost templates list`.")
    except ValidationFailed as error:
        output.fail_validation(error)
    except Conflict as error:
        output.fail(error.detail)
    except RecipientSuppressed:
        _fail_suppressed(body.to)
    _print_status(email, as_json)


@app.command()
def cancel(email_id: EmailId, as_json: output.AsJson = False) -> None:
    """Cancel an email that has not been sent yet. `gatepost emails resend` queues it again."""

    async def cancel_email(runtime: Runtime) -> Email:
        try:
            async with runtime.database.transaction() as connection:
                email = await runtime.emails.cancel_email(connection, email_id, output.ACTOR)
                await output.record_command(connection, "emails cancel", f"email:{email_id}", None)
                return email
        except Conflict:
            async with runtime.database.connection() as connection:
                return await runtime.emails.read_email(connection, email_id)

    try:
        email = with_runtime(cancel_email)
    except NotFound:
        _fail_not_found(email_id)
    if email.status != "canceled":
        output.fail(f"Email {email_id} is {email.status}. Only scheduled and queued emails can be canceled.")
    _print_status(email, as_json)


@app.command()
def resend(email_id: EmailId, yes: output.Yes = False, as_json: output.AsJson = False) -> None:
    """Queue a copy of an email that was sent, canceled or failed. The copy has its own ID."""
    if not yes:
        output.require_terminal()

    async def resend_email(runtime: Runtime) -> Email:
        async with runtime.database.connection() as connection:
            original = await runtime.emails.read_email(connection, email_id)
        _require_resendable(original)
        output.confirm(yes, f"Send {original.template} to {original.to} again? The email is {original.status}.")
        async with runtime.database.transaction() as connection:
            try:
                copy = await runtime.emails.resend_email(connection, email_id, output.ACTOR)
            except RecipientSuppressed:
                _fail_suppressed(original.to)
            await output.record_command(connection, "emails resend", f"email:{email_id}", None)
            return copy

    try:
        email = with_runtime(resend_email)
    except NotFound:
        _fail_not_found(email_id)
    except Conflict as error:
        output.fail(error.detail)
    _print_status(email, as_json)


def _idempotency_key(text: str) -> str:
    if not 0 < len(text) <= 200 or not all("!" <= each <= "~" for each in text):
        raise typer.BadParameter("must be 1 to 200 printable ASCII characters without spaces")
    return text


def _read_attachments(files: Sequence[Path]) -> list[dict[str, str]]:
    try:
        if sum(file.stat().st_size for file in files) > MAX_BYTES:
            limit = f"{MAX_BYTES // 1024 // 1024} MB"
            raise typer.BadParameter(f"all attachments together must be {limit} or less", param_hint="--attach")
        return [{"filename": file.name, "content": base64.b64encode(file.read_bytes()).decode()} for file in files]
    except OSError as error:
        raise typer.BadParameter(f"cannot read {error.filename}: {error.strerror}", param_hint="--attach") from None


_OPTIONS = {"template": "TEMPLATE", "attachments": "--attach", "variables": "--set"}
_MESSAGES = {
    "locale": "must be a language such as en, de or fr-CA",
    "template": "must be the key of a template, such as new-invoice",
}


def _validated(body: dict[str, Any]) -> QueueEmail:
    try:
        return QueueEmail.model_validate(body)
    except ValidationError as error:
        location = error.errors()[0]["loc"]
        # Only the check of expires_at against send_at has no location.
        field = str(location[0]) if location else "expires_at"
        option = _OPTIONS.get(field, "--" + field.replace("_", "-"))
        raise typer.BadParameter(_MESSAGES.get(field) or output.first_message(error), param_hint=option) from None


async def _with_variables(runtime: Runtime, body: QueueEmail, assigned: Sequence[tuple[str, str]]) -> QueueEmail:
    """Add the values of `--set`, which replace those of `--values`."""
    if not assigned:
        return body
    values = variables.parse(assigned, await _declared_variables(runtime, body))
    return _validated({**dict(body), "variables": body.variables | values})


async def _declared_variables(runtime: Runtime, body: QueueEmail) -> Sequence[TemplateVariable]:
    """Return the variables of the source that the email will be rendered from."""
    for locale in fallback_locales(body.locale):
        template = await runtime.templates.read(body.template, locale)
        if template.live is not None:
            return template.live.variables
    return []


async def _queue(runtime: Runtime, body: QueueEmail, idempotency_key: str | None) -> Email:
    try:
        return await runtime.emails.queue_email(body, idempotency_key, output.ACTOR)
    except ValidationFailed as error:
        if not any(isinstance(each, FieldError) and each.type == "template" for each in error.errors or []):
            raise
        if not runtime.templates.is_builtin(body.template):
            raise NotFound from None
    # No service with this built-in template has used this database yet.
    await runtime.published_templates.register()
    return await runtime.emails.queue_email(body, idempotency_key, output.ACTOR)


def _require_resendable(email: Email) -> None:
    """Check what the database checks when it queues the copy, but before asking for confirmation.

    Raises:
        Conflict: the email cannot be resent.
    """
    if email.status in ("queued", "scheduled", "sending"):
        output.fail(f"Email {email.id} is {email.status}. Wait until it is sent, canceled or failed, then resend it.")
    if email.version is None:
        raise database_error("GP016")
    if email.expires_at is not None and email.expires_at <= datetime.now(UTC):
        raise database_error("GP015")


def _fail_not_found(email_id: UUID) -> NoReturn:
    output.fail(f"No email with the ID {email_id}. List emails with `gatepost emails list`.")


def _fail_suppressed(address: str) -> NoReturn:
    output.fail(
        f"{address} is suppressed, so nothing is sent to it. "
        f"To find out why, run `gatepost emails suppressions list --email {address}`."
    )


def _print_status(email: Email, as_json: bool) -> None:
    if as_json:
        output.print_json(email)
        return
    until = f" for {email.send_at:%Y-%m-%d %H:%M} UTC" if email.send_at and email.status == "scheduled" else ""
    typer.echo(f"Email {email.id} is {email.status}{until}.")


def _print_detail(email: EmailDetail) -> None:
    version = {0: "built-in", None: "test"}.get(email.version, f"version {email.version}")
    fields = [
        ("id", email.id),
        ("to", email.to),
        ("reply to", email.reply_to),
        ("template", f"{email.template}, {email.locale}, {version}"),
        ("subject", email.subject),
        *(("attachment", f"{each.filename}, {each.content_type}, {each.size} bytes") for each in email.attachments),
        ("status", email.status),
        ("last error", email.last_error),
        ("created", email.created_at),
        ("created by", email.queued_by),
        ("resend of", email.resend_of),
        ("send at", email.send_at),
        ("expires at", email.expires_at),
        ("attempts", email.attempts),
        ("provider", email.provider),
        ("provider id", email.provider_id),
    ]
    output.print_fields([(name, value) for name, value in fields if value is not None])
    typer.echo()
    output.print_fields([(f"{each.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC", _event(each)) for each in email.events])


def _event(event: EmailEvent) -> str:
    detail: dict[str, Any] = dict(event.detail)
    message = detail.pop("message", None)
    rest = ", ".join(f"{name} {value}" for name, value in detail.items())
    return event.type + (f": {message}" if message else "") + (f" ({rest})" if rest else "")
