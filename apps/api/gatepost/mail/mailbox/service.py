"""Captured emails, built as they would have been sent, with working links."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from email import message_from_bytes, policy
from uuid import UUID

from gatepost.db import Database
from gatepost.errors import Forbidden, NotFound
from gatepost.mail.mailbox import store
from gatepost.mail.mailbox.models import CapturedEmail, StoredEmail
from gatepost.mail.notifications import NotificationContent
from gatepost.mail.outbox import read_attachments
from gatepost.mail.transports import Attachment, Message, build_mime


class Mailbox:
    """The emails that the capture transport accepted."""

    def __init__(self, database: Database, content: NotificationContent, sender: str) -> None:
        self._database = database
        self._content = content
        self._sender = sender

    async def read(self, email_id: UUID, reader: UUID | None) -> CapturedEmail:
        """Return a captured email, as a user may see it.

        Raises:
            NotFound: there is no such email, or its content was erased.
            Forbidden: it contains secrets and was sent to another user.
        """
        async with self._database.connection() as connection:
            email = await store.read_email(connection, email_id, reader)
            attachments = await read_attachments(connection, [email_id])
        if email is None:
            raise NotFound("This captured email was not found. Reload the mailbox.")
        if email.hidden:
            raise Forbidden("This email contains a secret, so only its recipient can open it.")
        # Attachments make it large; other requests are answered meanwhile.
        return await asyncio.to_thread(self._build, email, attachments.get(email_id, []))

    def _build(self, email: StoredEmail, attachments: Sequence[Attachment]) -> CapturedEmail:
        payload = self._content.insert_link(email.notification, email.payload) if email.notification else email.payload
        message = Message(email.id, payload, tuple(attachments))
        mime, parts = build_mime(message, self._sender), message.parts()
        headers = message_from_bytes(mime.content, policy=policy.default)
        return CapturedEmail(
            id=email.id,
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
