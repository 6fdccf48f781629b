"""Captured messages, put together as they would have gone out: their links are real."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from uuid import UUID

from gatepost.db.pool import Database
from gatepost.errors import NotFound
from gatepost.mail.mailbox.models import CapturedEmail
from gatepost.mail.notifications.service import Notices
from gatepost.mail.outbox import store
from gatepost.mail.transports.mime import compose
from gatepost.mail.transports.transport import Message


class Mailbox:
    """What the capture transport has taken."""

    def __init__(self, database: Database, notices: Notices, sender: str) -> None:
        self._database = database
        self._notices = notices
        self._sender = sender

    async def read(self, email_id: UUID) -> CapturedEmail:
        """Return a captured message.

        Raises:
            NotFound: there is none, or nothing of it was kept.
        """
        async with self._database.connection() as connection:
            row = await store.read_captured(connection, email_id)
            files = await store.read_files(connection, [email_id])
        if row is None:
            raise NotFound
        payload = row["payload"]
        if row["notice"]:
            payload = self._notices.fill(json.loads(row["notice"]), payload)
        message = Message(email_id, payload, tuple(files.get(email_id, ())))
        letter, parts = compose(message, self._sender), message.parts()
        headers = message_from_bytes(letter.content, policy=policy.default)
        return CapturedEmail(
            id=email_id,
            to=row["recipient"],
            sender=self._sender,
            reply_to=row["reply_to"],
            subject=parts["subject"],
            created_at=row["created_at"],
            template=row["template"],
            headers={name: str(value) for name, value in headers.items()},
            html=parts["html"],
            text=parts["text"],
            source=letter.content.decode("utf-8", "replace"),
        )
