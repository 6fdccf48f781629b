"""What the e-mails' routes take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, JsonValue, model_validator

from gatepost.mail.outbox.attachments import MAX_FILES, EmailAttachment, demand_room
from gatepost.mail.templates.models import Key, Locale, storable
from gatepost.types import Moment

Status = Literal[
    "scheduled",
    "queued",
    "sending",
    "sent",
    "delivered",
    "delayed",
    "bounced",
    "complained",
    "suppressed",
    "failed",
    "canceled",
    "expired",
    "unknown",
]


def _mailable(address: str) -> str:
    try:
        ascii_address = validate_email(address, check_deliverability=False).ascii_email
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    if ascii_address is None:
        raise ValueError("what is before the @ must be ASCII: providers refuse anything else")
    return ascii_address


Address = Annotated[EmailStr, Field(max_length=254), AfterValidator(_mailable)]


class QueueEmail(BaseModel):
    """A message to send: a template by key, to one address, with the values of its variables.

    `send_at` is when (default: now), `expires_at` when it would be too late: it is never sent after.
    """

    model_config = ConfigDict(extra="forbid")

    template: Key
    to: Address
    variables: Annotated[dict[str, JsonValue], AfterValidator(storable)] = {}
    locale: Locale = "en"
    reply_to: Address | None = None
    attachments: Annotated[list[EmailAttachment], Field(max_length=MAX_FILES), AfterValidator(demand_room)] = []
    send_at: Moment | None = None
    expires_at: Moment | None = None

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        # Whether it is to come is for the queueing to say: a key's message stays that message.
        if self.expires_at is not None and self.send_at is not None and self.expires_at <= self.send_at:
            raise ValueError("expires_at must be after send_at")
        return self


class Email(BaseModel):
    """A message: what was asked for, and how far it has come.

    `version` 0 is the built-in words, null the test of a draft. `subject` is null until it is rendered.
    """

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    id: UUID
    template: str
    version: int | None
    locale: str
    to: str
    subject: str | None
    status: Status
    created_at: datetime
    send_at: datetime | None
    expires_at: datetime | None
    attempts: int
    last_error: str | None
    provider: str | None
    provider_id: str | None
    queued_by: str
    resend_of: UUID | None


class EmailEvent(BaseModel):
    """A step of a message: ours, or what its provider tells."""

    at: datetime
    type: str
    detail: dict[str, Any]


class AttachedFile(BaseModel):
    """A file that goes along; `size` is in bytes."""

    filename: str
    content_type: str
    size: int


class EmailDetail(Email):
    """A message with what was rendered (null before) and its timeline, the oldest first."""

    reply_to: str | None
    html: str | None
    text: str | None
    attachments: list[AttachedFile]
    events: list[EmailEvent]


class EmailPage(BaseModel):
    """A page of messages, the newest first."""

    items: list[Email]
    next_cursor: str | None


class QueuedEmails(BaseModel):
    """The messages of a batch, in its order."""

    items: list[Email]


class SuppressEmail(BaseModel):
    """An address to write to no more; `reason` says why, in words."""

    model_config = ConfigDict(extra="forbid")

    email: Address
    reason: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(storable)]


class Suppression(BaseModel):
    """An address that is not written to; `note` is in words, `email_id` the message that brought it about."""

    id: UUID
    email: str
    reason: Literal["bounce", "complaint", "manual"]
    note: str | None
    email_id: UUID | None
    created_at: datetime
    created_by: str


class SuppressionPage(BaseModel):
    """A page of addresses, the newest first."""

    items: list[Suppression]
    next_cursor: str | None
