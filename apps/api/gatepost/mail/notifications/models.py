"""The data of notifications: request and response bodies, and the session that an email is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, StrictBool


class Notification(BaseModel):
    """A kind of email; `description` says when it is sent. A `security` email is always enabled."""

    key: str
    name: str
    description: str
    security: bool
    enabled: bool


class NotificationList(BaseModel):
    """All kinds of email that you can receive."""

    items: list[Notification]


class UpdateNotification(BaseModel):
    """Whether to receive a kind of email."""

    model_config = ConfigDict(extra="forbid")

    enabled: StrictBool


@dataclass(frozen=True, slots=True)
class NotifiedSession:
    """A session that a notification is about."""

    name: str | None
    browser: str | None
    os: str | None
    ip: str | None
    created_at: datetime
    ended_at: datetime | None
    end_reason: str | None
