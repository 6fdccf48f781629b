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
    """A session that a notification is about, without the name that its client chose."""

    browser: str | None
    os: str | None
    ip: str | None
    created_at: datetime
    ended_at: datetime | None
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class NotifiedApiKey:
    """An API key that a notification is about. `creator_email` is None if no user created it, or the user is gone."""

    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    creator_email: str | None


@dataclass(frozen=True, slots=True)
class SummarizedEvents:
    """How many notifications of a template a summary replaces, and when the first and the last one were due."""

    template: str
    count: int
    first_at: datetime
    last_at: datetime
