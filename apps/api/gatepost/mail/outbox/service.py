"""The rules of the outbox: emails are checked against their template, queued, listed, resent, canceled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

from gatepost.accounts import read_user
from gatepost.audit import Actor
from gatepost.db import Connection, Database, database_error, translated_errors
from gatepost.errors import FieldError, NotFound, RecipientSuppressed, ValidationFailed
from gatepost.http import pagination
from gatepost.mail.outbox import store
from gatepost.mail.outbox.models import (
    Email,
    EmailDetail,
    EmailFilter,
    EmailPage,
    QueueEmail,
    Suppression,
    SuppressionPage,
    TestEmail,
)
from gatepost.mail.outbox.payload import build_payload
from gatepost.mail.outbox.provider_events import ProviderEvent
from gatepost.mail.rendering import Rendered
from gatepost.mail.templates import PublishedTemplates, Renderer, SendTestEmail, TemplateService


class EmailService:
    """Queues, lists, resends and cancels emails, and manages suppressed addresses, for the API and the CLI."""

    def __init__(
        self, database: Database, published: PublishedTemplates, templates: TemplateService, renderer: Renderer
    ) -> None:
        self._database = database
        self._published = published
        self._templates = templates
        self._renderer = renderer

    async def queue_email(self, body: QueueEmail, key: str | None, actor: Actor) -> Email:
        """Queue an email. The same idempotency key returns the same email.

        Raises:
            Forbidden: an API key cannot queue this email.
            ValidationFailed: there is no such template, or the values do not match it.
            Conflict: the key was used for a different email.
            RecipientSuppressed: the email address is suppressed.
        """
        self._templates.require_sendable(body.template, actor)
        async with self._database.transaction() as connection:
            email = await self._queue(connection, body, key, actor)
            if email.status == "suppressed":
                raise RecipientSuppressed
            return email

    async def queue_emails(self, bodies: Sequence[QueueEmail], key: str | None, actor: Actor) -> list[Email]:
        """Queue all emails or none. One to a suppressed email address is stored as `suppressed`.

        Raises:
            Forbidden: an API key cannot queue one of them.
            ValidationFailed: for one of them there is no such template, or the values do not match it.
            Conflict: the key was used for different emails.
        """
        for body in bodies:
            self._templates.require_sendable(body.template, actor)
        async with self._database.transaction() as connection:
            queued: list[Email] = []
            for index, body in enumerate(bodies):
                own_key = f"{key}/{index}/{len(bodies)}" if key is not None else None
                try:
                    queued.append(await self._queue(connection, body, own_key, actor))
                except ValidationFailed as error:
                    raise _at_index(index, error) from None
            return queued

    async def send_test_email(self, key: str, locale: str, body: SendTestEmail, actor: Actor) -> Email:
        """Queue a test of a template: of one version, or else of its current source.

        Raises:
            Forbidden: an API key cannot queue this email.
            NotFound: there is no such template or version.
            TemplateInvalid: it has errors.
            ValidationFailed: a value does not match its declaration, or an API key gives no recipient.
            RecipientSuppressed: the email address is suppressed.
        """
        self._templates.require_sendable(key, actor)
        to = body.to or await self._own_address(actor)
        found = await self._templates.find_source(key, locale, body.version)
        preview = await self._renderer.preview(found.source, body.variables, found.locale)
        examples = {each.name: each.example for each in found.source.variables if each.example is not None}
        email_id = uuid4()
        test = TestEmail(
            id=email_id,
            template=key,
            version=found.version,
            locale=found.locale,
            to=to,
            variables=examples | body.variables,
            subject=preview.subject,
            payload=build_payload(email_id, to, None, Rendered(preview.subject, preview.html, preview.text)),
        )
        async with self._database.transaction() as connection:
            await store.queue_test(connection, test, actor)
            return await _read_sendable(connection, email_id)

    async def list_emails(
        self, connection: Connection, conditions: EmailFilter, cursor: str | None, limit: int
    ) -> EmailPage:
        """Return a page of emails, newest first.

        Raises:
            ValidationFailed: the cursor is not one of this list.
        """
        found = await store.list_emails(connection, conditions, *pagination.decode_created(cursor), limit + 1)
        items, more = pagination.paginate(found, limit)
        return EmailPage(items=items, next_cursor=more)

    async def read_email(self, connection: Connection, email_id: UUID) -> Email:
        """Return an email.

        Raises:
            NotFound: there is no such email.
        """
        return await _read(connection, email_id)

    async def read_detail(self, connection: Connection, email_id: UUID) -> EmailDetail:
        """Return an email with its content, attachments and timeline.

        Raises:
            NotFound: there is no such email.
        """
        found = await store.read_detail(connection, email_id)
        if found is None:
            raise database_error("GP004")
        return found

    async def resend_email(self, connection: Connection, email_id: UUID, actor: Actor) -> Email:
        """Queue a copy of an email that was sent or failed.

        Raises:
            Forbidden: an API key cannot queue this email.
            NotFound: there is no such email.
            Conflict: it is still queued or being sent, has expired, was a test, or its content was erased.
            RecipientSuppressed: the email address is suppressed.
        """
        self._templates.require_sendable((await _read(connection, email_id)).template, actor)
        return await _read_sendable(connection, await store.resend_email(connection, email_id, actor))

    async def cancel_email(self, connection: Connection, email_id: UUID, actor: Actor) -> Email:
        """Cancel an email that is still queued.

        Raises:
            Forbidden: an API key cannot cancel this email.
            NotFound: there is no such email.
            Conflict: it may have been sent already.
        """
        self._templates.require_sendable((await _read(connection, email_id)).template, actor)
        await store.cancel_email(connection, email_id, actor)
        return await _read(connection, email_id)

    async def list_suppressions(
        self, connection: Connection, email: str | None, cursor: str | None, limit: int, q: str | None = None
    ) -> SuppressionPage:
        """Return a page of suppressed email addresses, newest first: only `email`, or those that begin with `q`.

        Raises:
            ValidationFailed: the cursor is not one of this list.
        """
        found = await store.list_suppressions(connection, email, *pagination.decode_created(cursor), limit + 1, q)
        items, more = pagination.paginate(found, limit)
        return SuppressionPage(items=items, next_cursor=more)

    async def suppress_email(self, connection: Connection, email: str, note: str, actor: Actor) -> Suppression | None:
        """Suppress an email address, except for security email; return None if it is suppressed already."""
        return await store.suppress_email(connection, email, note, actor)

    async def delete_suppression(self, connection: Connection, suppression_id: UUID, actor: Actor) -> bool:
        """Delete a suppression; return False if there is no such suppression."""
        return await store.delete_suppression(connection, suppression_id, actor)

    async def record_provider_event(self, event: ProviderEvent) -> None:
        """Record an event of a provider and apply it to its email. A repeated event changes nothing."""
        async with self._database.transaction() as connection:
            await store.record_provider_event(connection, event)

    async def _own_address(self, actor: Actor) -> str:
        if actor.user_id is None:
            msg = "is required with an API key, which has no email address"
            raise ValidationFailed(errors=[FieldError(loc=["body", "to"], msg=msg, type="to")])
        async with self._database.connection() as connection:
            found = await read_user(connection, actor.user_id)
        if found is None:
            raise database_error("GP002")
        return found.user.email

    async def _queue(self, connection: Connection, body: QueueEmail, key: str | None, actor: Actor) -> Email:
        try:
            with translated_errors():
                email_id = await store.queue_email(connection, body, key, actor)
        except NotFound:
            raise ValidationFailed(errors=[_unknown_template(body)]) from None
        except ValidationFailed as error:
            raise _in_body(error) from None
        email = await _read(connection, email_id)
        declared = await self._published.declared(connection, email.template, email.locale, email.version or 0)
        self._renderer.build_context(declared, body.variables, email.locale)
        return email


async def _read(connection: Connection, email_id: UUID) -> Email:
    email = await store.read_email(connection, email_id)
    if email is None:
        raise database_error("GP004")
    return email


async def _read_sendable(connection: Connection, email_id: UUID) -> Email:
    email = await _read(connection, email_id)
    if email.status == "suppressed":
        raise RecipientSuppressed
    return email


def _unknown_template(body: QueueEmail) -> FieldError:
    msg = f"There is no template with this key in {body.locale} or in English. Check the key and the locale."
    return FieldError(loc=["body", "template"], msg=msg, type="template")


def _at_index(index: int, error: ValidationFailed) -> ValidationFailed:
    return _moved(error, lambda loc: ["body", index, *loc[1:]])


def _in_body(error: ValidationFailed) -> ValidationFailed:
    return _moved(error, lambda loc: ["body", *loc])


def _moved(error: ValidationFailed, move: Callable[[list[str | int]], list[str | int]]) -> ValidationFailed:
    errors = [
        each.model_copy(update={"loc": move(each.loc)}) for each in error.errors or [] if isinstance(each, FieldError)
    ]
    return ValidationFailed(error.detail, errors=errors)
