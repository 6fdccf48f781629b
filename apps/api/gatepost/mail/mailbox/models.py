"""The data of captured emails: as they are stored, and as the API returns them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True, slots=True)
class StoredEmail:
    """A captured email. The payload of a notification has a placeholder instead of its link's token.

    It is `hidden` if it contains secrets of the application and was sent to somebody else than the reader.
    """

    id: UUID
    template: str
    recipient: str
    reply_to: str | None
    created_at: datetime
    payload: str
    notification: dict[str, Any] | None
    hidden: bool


class CapturedEmail(BaseModel):
    """A captured email. `source` is the MIME message (RFC 5322)."""

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
