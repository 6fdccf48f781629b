"""E-mails as people and programs ask for them: checked against their template, queued, looked at, sent again."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from pydantic import JsonValue

from gatepost.db.pool import Connection, Database, refusals
from gatepost.errors import FieldError, NotFound, RecipientSuppressed, Refusal, ValidationFailed
from gatepost.http.client_ip import Address
from gatepost.mail.delivery.payloads import payload
from gatepost.mail.outbox import store
from gatepost.mail.outbox.models import Email, QueueEmail
from gatepost.mail.rendering.shapes import Rendered
from gatepost.mail.templates.published import Published
from gatepost.mail.templates.renderer import Renderer
from gatepost.mail.templates.service import Templates


class Emails:
    """The way into the outbox for whoever comes over HTTP or from a shell."""

    def __init__(self, database: Database, published: Published, templates: Templates, renderer: Renderer) -> None:
        self._database = database
        self._published = published
        self._templates = templates
        self._renderer = renderer

    async def queue(self, body: QueueEmail, key: str | None, actor: str) -> Email:
        """Queue a message.

        Raises:
            ValidationFailed: there is no such template, or the values do not fit it.
            Conflict: the key stands for another message.
            RecipientSuppressed: the address is not written to any more.
        """
        async with self._database.transaction() as connection:
            email = await self._queue(connection, body, key, actor)
            if email.status == "suppressed":
                raise RecipientSuppressed
            return email

    async def queue_batch(self, bodies: Sequence[QueueEmail], key: str | None, actor: str) -> list[Email]:
        """Queue all messages or none; one to a suppressed address is kept, and says so.

        Raises:
            ValidationFailed: of one, there is no such template, or the values do not fit it.
            Conflict: the key stands for another batch.
        """
        async with self._database.transaction() as connection:
            done: list[Email] = []
            for place, body in enumerate(bodies):
                own_key = f"{key}/{place}/{len(bodies)}" if key is not None else None
                try:
                    done.append(await self._queue(connection, body, own_key, actor))
                except ValidationFailed as refusal:
                    raise _at(place, refusal) from None
            return done

    async def send_test(
        self,
        key: str,
        locale: str,
        version: int | None,
        to: str,
        values: dict[str, JsonValue],
        actor: str,
    ) -> Email:
        """Send a template as it stands (its draft, or what is published), or one version of it, to look at it.

        Raises:
            NotFound: there is no such template or version.
            TemplateInvalid: it has errors.
            ValidationFailed: a value does not fit what is declared.
            RecipientSuppressed: the address is not written to any more.
        """
        source, found_in, number = await self._templates.to_test(key, locale, version)
        shown = await self._renderer.preview(source, values, found_in)
        examples = {each.name: each.example for each in source.variables if each.example is not None}
        email_id = uuid4()
        words = payload(email_id, to, None, Rendered(shown.subject, shown.html, shown.text))
        async with self._database.transaction() as connection:
            await store.queue_rendered(
                connection, email_id, key, number, found_in, to, examples | values, shown.subject, words, actor
            )
            return await _sendable(connection, email_id)

    async def resend(self, email_id: UUID, actor: str, ip: Address | None) -> Email:
        """Queue a message like one that has come to its end.

        Raises:
            NotFound: there is none.
            Conflict: it is on its way still, its time is over, or it was the test of a draft.
            RecipientSuppressed: the address is not written to any more.
        """
        async with self._database.transaction() as connection:
            return await _sendable(connection, await store.resend_email(connection, email_id, actor, ip))

    async def cancel(self, email_id: UUID, actor: str, ip: Address | None) -> Email:
        """Take a message back that is not on its way.

        Raises:
            NotFound: there is none.
            Conflict: it may have gone out already.
        """
        async with self._database.transaction() as connection:
            await store.cancel_email(connection, email_id, actor, ip)
            return await _there(connection, email_id)

    async def _queue(self, connection: Connection, body: QueueEmail, key: str | None, actor: str) -> Email:
        try:
            with refusals():
                email_id = await store.queue_email(connection, body, key, actor)
        except NotFound:
            raise ValidationFailed(errors=[_unknown_template(body)]) from None
        email = await _there(connection, email_id)
        declared = await self._published.declared(connection, email.template, email.locale, email.version or 0)
        self._renderer.context(declared, body.variables, email.locale)
        return email


async def _there(connection: Connection, email_id: UUID) -> Email:
    email = await store.read_email(connection, email_id)
    if email is None:
        raise NotFound
    return email


async def _sendable(connection: Connection, email_id: UUID) -> Email:
    email = await _there(connection, email_id)
    if email.status == "suppressed":
        raise RecipientSuppressed
    return email


def _unknown_template(body: QueueEmail) -> FieldError:
    msg = f"there is no template of this key with words in {body.locale} or en"
    return FieldError(loc=["body", "template"], msg=msg, type="template")


def _at(place: int, refusal: Refusal) -> ValidationFailed:
    errors = [
        each.model_copy(update={"loc": ["body", place, *each.loc[1:]]})
        for each in refusal.errors or []
        if isinstance(each, FieldError)
    ]
    return ValidationFailed(refusal.detail, errors=errors)
