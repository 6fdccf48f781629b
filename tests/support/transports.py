"""Messages and batches to pass to mail transports."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

from gatepost.mail.transports import Attachment, Batch, Message, Outcome
from gatepost.mail.transports.smtp import SmtpTransport
from tests.support.mail import SENDER, TAG
from tests.support.smtp_server import SmtpServer

API_KEY = "re_9Zx_secret4711"


def make_message(to: str = "ada@example.com", attachments: tuple[Attachment, ...] = (), **members: Any) -> Message:
    """Return a rendered message; `members` replace those of its payload, None removes one."""
    email_id = uuid4()
    payload = {
        "to": [to],
        "subject": "Welcome",
        "html": "<p>Welcome, Ada</p>",
        "text": "Welcome, Ada\n",
        "reply_to": "help@acme.com",
        "tags": [{"name": TAG, "value": str(email_id)}],
    } | members
    given = {name: value for name, value in payload.items() if value is not None}
    return Message(email_id, json.dumps(given, ensure_ascii=False), attachments)


def make_batch(*messages: Message, sender: str = SENDER, key: UUID | None = None) -> Batch:
    """Return a batch, of one plain message where none is given."""
    return Batch(key or uuid4(), sender, messages or (make_message(),))


async def send_by_smtp(
    server: SmtpServer, *messages: Message, login: str = "", limit: float = 20.0, **batch: Any
) -> Outcome:
    """Send messages to a mail server on the loopback interface; `login` is like `name:password@`."""
    transport = SmtpTransport(f"smtp://{login}127.0.0.1:{server.port}", limit=limit)
    try:
        return await transport.send(make_batch(*messages, **batch))
    finally:
        await transport.close()
