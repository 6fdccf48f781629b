"""What the mailbox shows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class CapturedEmail(BaseModel):
    """A captured message; `source` is the MIME message (RFC 5322), `headers` its headers."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    id: UUID
    to: str
    sender: str
    reply_to: str | None
    subject: str
    created_at: datetime
    template: str
    headers: dict[str, str]
    html: str
    text: str
    source: str
