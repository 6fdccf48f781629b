"""The data of the outbox: request and response bodies, filters, and what stores take and return."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, JsonValue, model_validator

from gatepost.mail.outbox.attachments import MAX_FILES, EmailAttachment, limit_total_size
from gatepost.mail.templates import Key, Locale, make_storable
from gatepost.types import Timestamp

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


def _to_ascii(address: str) -> str:
    try:
        ascii_address = validate_email(address, check_deliverability=False).ascii_email
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    if ascii_address is None:
        raise ValueError("the part before the @ must be ASCII: providers accept nothing else")
    return ascii_address


EmailAddress = Annotated[EmailStr, Field(max_length=254), AfterValidator(_to_ascii)]


class QueueEmail(BaseModel):
    """An email to send: a template, one recipient, and the values of the template's variables.

    It is sent at `send_at` (default: now), and never after `expires_at`.
    """

    model_config = ConfigDict(extra="forbid")

    template: Key
    to: EmailAddress
    variables: Annotated[dict[str, JsonValue], AfterValidator(make_storable)] = {}
    locale: Locale = "en"
    reply_to: EmailAddress | None = None
    attachments: Annotated[list[EmailAttachment], Field(max_length=MAX_FILES), AfterValidator(limit_total_size)] = []
    send_at: Timestamp | None = None
    expires_at: Timestamp | None = None

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        # SQL checks that it is in the future: repeating a request returns its email even after that has expired.
        if self.expires_at is not None and self.send_at is not None and self.expires_at <= self.send_at:
            raise ValueError("expires_at must be after send_at")
        return self


class Email(BaseModel):
    """An email and its status.

    `version` is 0 for a built-in template, and null for a test of a draft. `subject` is null until it is rendered. With
    `content_hidden`, its subject and content are not shown, because they contain secrets of the application.
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
    content_hidden: bool


class EmailEvent(BaseModel):
    """A step of an email: recorded by Gatepost, or reported by the provider."""

    at: datetime
    type: str
    detail: dict[str, Any]


class AttachedFile(BaseModel):
    """A file that is attached to an email; `size` is in bytes."""

    filename: str
    content_type: str
    size: int


class EmailDetail(Email):
    """An email with its content (null until it is rendered) and its timeline, oldest first."""

    reply_to: str | None
    html: str | None
    text: str | None
    attachments: list[AttachedFile]
    events: list[EmailEvent]


class EmailPage(BaseModel):
    """A page of emails, newest first."""

    items: list[Email]
    next_cursor: str | None


class QueuedEmails(BaseModel):
    """The emails of a batch, in the order of the request."""

    items: list[Email]


class SuppressEmail(BaseModel):
    """An email address to suppress; `reason` is a note for other admins."""

    model_config = ConfigDict(extra="forbid")

    email: EmailAddress
    reason: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(make_storable)]


class Suppression(BaseModel):
    """A suppressed email address: nothing is sent to it, except security email if the reason is `manual`.

    `email_id` is the email that caused this, if one did.
    """

    id: UUID
    email: str
    reason: Literal["bounce", "complaint", "manual"]
    note: str | None
    email_id: UUID | None
    created_at: datetime
    created_by: str


class SuppressionPage(BaseModel):
    """A page of suppressed email addresses, newest first."""

    items: list[Suppression]
    next_cursor: str | None


class TransportError(BaseModel):
    """Why a transport cannot send, and what to do about it.

    `clock_offset` is by how many seconds this machine's clock is ahead of the provider's, if more than a minute.
    """

    transport: str
    code: str | None
    message: str | None
    since: datetime | None
    clock_offset: float | None


class TransportErrorList(BaseModel):
    """The transports with an error. `next_cursor` is always null: the list is not paginated."""

    items: list[TransportError]
    next_cursor: str | None


@dataclass(frozen=True)
class EmailFilter:
    """Conditions that emails must meet; `q` is how the recipient's email address begins."""

    status: Status | None = None
    to: str | None = None
    template: str | None = None
    provider: str | None = None
    q: str | None = None


@dataclass(frozen=True)
class TestEmail:
    """A rendered test of a template. `version` is None for a draft."""

    __test__ = False

    id: UUID
    template: str
    version: int | None
    locale: str
    to: str
    variables: dict[str, Any]
    subject: str
    payload: str
