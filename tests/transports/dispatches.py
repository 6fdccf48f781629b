"""Messages to send, and sending them."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

from gatepost.mail.transports.smtp import SmtpTransport
from gatepost.mail.transports.transport import Attachment, Dispatch, Message, Outcome
from tests.transports.smtp_server import SmtpServer

KEY = "re_9Zx_secret4711"
SENDER = "Acme <no-reply@acme.com>"


def message(to: str = "ada@example.com", attachments: tuple[Attachment, ...] = (), **members: Any) -> Message:
    """Return a frozen message; members replace those of the payload, None leaves one out."""
    identity = uuid4()
    payload = {
        "to": [to],
        "subject": "Welcome",
        "html": "<p>Welcome, Ada</p>",
        "text": "Welcome, Ada\n",
        "reply_to": "help@acme.com",
        "tags": [{"name": "gatepost_email_id", "value": str(identity)}],
    } | members
    kept = {name: value for name, value in payload.items() if value is not None}
    return Message(identity, json.dumps(kept, ensure_ascii=False), attachments)


def dispatch(*messages: Message, sender: str = SENDER, key: UUID | None = None) -> Dispatch:
    """Return a dispatch, of one plain message where none is given."""
    return Dispatch(key or uuid4(), sender, messages or (message(),))


async def sent(server: SmtpServer, *messages: Message, user: str = "", limit: float = 20.0, **given: Any) -> Outcome:
    """Send messages to a mail server on the loopback interface; `user` is like `name:password@`."""
    transport = SmtpTransport(f"smtp://{user}127.0.0.1:{server.port}", limit=limit)
    try:
        return await transport.send(dispatch(*messages, **given))
    finally:
        await transport.close()
