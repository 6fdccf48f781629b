"""Captured emails, built as they would have been sent, with working links."""

from __future__ import annotations

from email import message_from_bytes, policy
from uuid import UUID

from gatepost.db import Database
from gatepost.errors import NotFound
from gatepost.mail.mailbox import store
from gatepost.mail.mailbox.models import CapturedEmail
from gatepost.mail.notifications import NotificationContent
from gatepost.mail.outbox import read_attachments
from gatepost.mail.transports import Message, build_mime


class Mailbox:
    """The emails that the capture transport accepted."""

    def __init__(self, database: Database, content: NotificationContent, sender: str) -> None:
        self._database = database
        self._content = content
        self._sender = sender

    async def read(self, email_id: UUID) -> CapturedEmail:
        """Return a captured email.

        Raises:
            NotFound: there is no such email, or its content was erased.
        """
        async with self._database.connection() as connection:
            email = await store.read_email(connection, email_id)
            attachments = await read_attachments(connection, [email_id])
        if email is None:
            raise NotFound("This captured email was not found. Reload the mailbox.")
        payload = self._content.insert_link(email.notification, email.payload) if email.notification else email.payload
        message = Message(email_id, payload, tuple(attachments.get(email_id, ())))
        mime, parts = build_mime(message, self._sender), message.parts()
        headers = message_from_bytes(mime.content, policy=policy.default)
        return CapturedEmail(
            id=email_id,
            to=email.recipient,
            sender=self._sender,
            reply_to=email.reply_to,
            subject=parts["subject"],
            created_at=email.created_at,
            template=email.template,
            headers={name: str(value) for name, value in headers.items()},
            html=parts["html"],
            text=parts["text"],
            source=mime.content.decode("utf-8", "replace"),
        )
