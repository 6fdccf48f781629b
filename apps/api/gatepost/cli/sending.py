"""`gatepost emails send`."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from gatepost import package_files as assets
from gatepost.cli import output, values
from gatepost.cli.database import on_database
from gatepost.db.pool import Database
from gatepost.errors import Conflict, FieldError, NotFound, RecipientSuppressed, ValidationFailed
from gatepost.mail.outbox.attachments import MAX_BYTES
from gatepost.mail.outbox.models import Address, Email, QueueEmail
from gatepost.mail.outbox.service import Emails
from gatepost.mail.templates.files import TemplateFiles, fallbacks, read_templates
from gatepost.mail.templates.models import TemplateVariable
from gatepost.mail.templates.published import Published
from gatepost.mail.templates.renderer import Renderer
from gatepost.mail.templates.service import Templates
from gatepost.settings import Settings

_ADDRESS = output.checked(Address)
_OPTIONS = {"template": "TEMPLATE", "attachments": "--attach", "variables": "--set"}

When = Annotated[datetime | None, typer.Option(parser=output.moment, metavar="TIME")]


def send(
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help="A key")],
    to: Annotated[str, typer.Argument(parser=_ADDRESS, metavar="TO", help="An address")],
    given: values.Given = None,
    values_file: Annotated[
        Path | None, typer.Option("--values", metavar="FILE.json", help="The values, as a JSON object; - is stdin")
    ] = None,
    locale: Annotated[str, typer.Option(help="A language, like en, de or fr-CA")] = "en",
    reply_to: Annotated[str | None, typer.Option(parser=_ADDRESS, metavar="ADDRESS")] = None,
    attach: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="As often as there are files")
    ] = None,
    send_at: When = None,
    expires_at: When = None,
    idempotency_key: Annotated[
        str | None,
        typer.Option(parser=_key, metavar="KEY", help="The same key stands for the same message"),
    ] = None,
    as_json: output.AsJson = False,
) -> None:
    """Queue a message; a running `gatepost serve` or `gatepost work` sends it, once."""
    asked = {
        "template": template,
        "to": to,
        "variables": values.from_file(values_file),
        "locale": locale,
        "reply_to": reply_to,
        "attachments": _attachments(attach or []),
        "send_at": send_at,
        "expires_at": expires_at,
    }
    tell(_sent(_body(asked), values.pairs(given), idempotency_key), as_json)


def _sent(body: QueueEmail, given: values.Pairs, key: str | None) -> Email:
    async def work(database: Database, settings: Settings) -> Email:
        email = await _queue(database, settings, body, given, key)
        async with database.transaction() as connection:
            await output.note(connection, "emails send", f"email:{email.id}", None)
        return email

    try:
        return on_database(work)
    except NotFound:
        languages = " or ".join(fallbacks(body.locale))
        output.fail(f"there is no template {body.template} with words in {languages}: see `gatepost templates list`")
    except ValidationFailed as refusal:
        output.tell_refusal(refusal)
    except Conflict:
        output.fail(f"the key {key} stands for another message")
    except RecipientSuppressed:
        fail_suppressed(body.to)


def tell(email: Email, as_json: bool) -> None:
    """Say how far a message is."""
    until = f" for {email.send_at:%Y-%m-%d %H:%M} UTC" if email.send_at and email.status == "scheduled" else ""
    if as_json:
        output.show_json(email)
    else:
        typer.echo(f"Message {email.id} is {email.status}{until}.")


def fail_suppressed(address: str) -> NoReturn:
    """End: nothing is sent to an address."""
    output.fail(f"nothing is sent to {address} any more: see `gatepost emails suppressions list --email {address}`")


async def _queue(
    database: Database, settings: Settings, body: QueueEmail, given: values.Pairs, key: str | None
) -> Email:
    builtins = read_templates(assets.emails())
    renderer = Renderer(settings, assets.emails())
    try:
        published, templates = Published(database, builtins, renderer), Templates(database, builtins, renderer)
        emails = Emails(database, published, templates, renderer)
        declared = await _declared(templates, builtins, body) if given else []
        chosen = body.variables | values.fitted(given, declared)
        body = _body({**dict(body), "variables": chosen})
        try:
            return await emails.queue(body, key, output.SHELL.name)
        except ValidationFailed as refusal:
            if not _lacks_template(refusal):
                raise
            if body.template not in builtins:
                raise NotFound from None
        # No service has run on this database yet, or only one without this template.
        await published.register()
        return await emails.queue(body, key, output.SHELL.name)
    finally:
        await renderer.close()


async def _declared(
    templates: Templates, builtins: dict[str, TemplateFiles], body: QueueEmail
) -> Sequence[TemplateVariable]:
    """Return what the words that count declare."""
    for locale in fallbacks(body.locale):
        there = await templates.read(body.template, locale)
        builtin = builtins.get(body.template)
        words = there.published or (builtin.sources.get(locale) if builtin else None)
        if words is not None:
            return words.variables
    return []


def _lacks_template(refusal: ValidationFailed) -> bool:
    return any(isinstance(each, FieldError) and each.type == "template" for each in refusal.errors or [])


def _key(text: str) -> str:
    if not 0 < len(text) <= 200 or not all("!" <= each <= "~" for each in text):
        raise typer.BadParameter("must be 1 to 200 letters, digits and signs of ASCII, without spaces")
    return text


def _body(asked: dict[str, Any]) -> QueueEmail:
    try:
        return QueueEmail.model_validate(asked)
    except ValidationError as error:
        where = error.errors()[0]["loc"]
        name = str(where[0]) if where else "expires_at"
        msg = {"locale": "is no language like en, de or fr-CA", "template": "is no key like new-invoice"}.get(name)
        hint = _OPTIONS.get(name, "--" + name.replace("_", "-"))
        raise typer.BadParameter(msg or output.words_of(error), param_hint=hint) from None


def _attachments(files: Sequence[Path]) -> list[dict[str, str]]:
    try:
        if sum(file.stat().st_size for file in files) > MAX_BYTES:
            raise typer.BadParameter(f"has {MAX_BYTES // 1024 // 1024} MB at most, all together", param_hint="--attach")
        return [{"filename": file.name, "content": base64.b64encode(file.read_bytes()).decode()} for file in files]
    except OSError as error:
        raise typer.BadParameter(f"{error.filename} cannot be read: {error.strerror}", param_hint="--attach") from None
