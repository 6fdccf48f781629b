"""The payload of an email: the JSON text that a transport sends."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from gatepost.mail.rendering import Rendered

# Provider events carry this tag, which names the email before the provider's own id for it is known.
TAG = "gatepost_email_id"


def build_payload(email_id: UUID, recipient: str, reply_to: str | None, rendered: Rendered) -> str:
    """Return the payload of a rendered email: {to, subject, html, text, tags, reply_to?} as JSON."""
    parts: dict[str, Any] = {
        "to": [recipient],
        "subject": rendered.subject,
        "html": rendered.html,
        "text": rendered.text,
        "tags": [{"name": TAG, "value": str(email_id)}],
    }
    if reply_to is not None:
        parts["reply_to"] = reply_to
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
