"""What the staff routes take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    StrictBool,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from gatepost.sessions.models import DeviceKind, Session
from gatepost.types import Moment

Scope = Literal[
    "users:read", "sessions:read", "sessions:revoke", "emails:send", "emails:read", "templates:write", "audit:read"
]
Status = Literal["active", "revoked", "expired"]


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("must be an address or a network like 10.0.0.0/8")
    return value


def _storable(text: str) -> str:
    # PostgreSQL's text holds every character but this one.
    return text.replace("\0", " ")


Reason = Annotated[
    str, Field(min_length=1, max_length=500, description="Why; it is kept in the audit log"), AfterValidator(_storable)
]


class StaffSession(Session):
    """Anybody's session, with whose it is."""

    email: Annotated[str | None, Field(description="The person's address; null once they are deleted")]


class StaffSessionPage(BaseModel):
    """A page of sessions."""

    items: list[StaffSession]
    next_cursor: str | None


class User(BaseModel):
    """A person, as staff see them."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    id: UUID
    email: str
    name: str | None
    role: Literal["user", "admin"]
    created_at: datetime
    disabled_at: datetime | None
    active_sessions: int


class UserPage(BaseModel):
    """A page of people."""

    items: list[User]
    next_cursor: str | None


class Act(BaseModel):
    """Why something is done to a person."""

    reason: Reason


class SessionFilter(BaseModel):
    """Which sessions to end: those that fit every part that is given. What does not matter is left out."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    network: Annotated[IPvAnyNetwork, BeforeValidator(_text)] | SkipJsonSchema[None] = None
    browser: Annotated[str, Field(max_length=100), AfterValidator(_storable)] | SkipJsonSchema[None] = None
    os: Annotated[str, Field(max_length=100), AfterValidator(_storable)] | SkipJsonSchema[None] = None
    kind: DeviceKind | SkipJsonSchema[None] = None
    signed_in_before: Moment | SkipJsonSchema[None] = None
    signed_in_after: Moment | SkipJsonSchema[None] = None
    inactive_since: Moment | SkipJsonSchema[None] = None
    user_ids: Annotated[list[UUID], Field(min_length=1, max_length=10_000)] | SkipJsonSchema[None] = None

    @model_validator(mode="before")
    @classmethod
    def _names_something(cls, data: Any) -> Any:
        if isinstance(data, dict) and (not data or None in data.values()):
            raise ValueError("an empty filter would end every session: say which")
        return data


class RevokeSessions(BaseModel):
    """Ends all sessions that fit a filter; with `dry_run` only counts them, and tells nobody."""

    filter: SessionFilter
    reason: Reason
    dry_run: StrictBool = False
    notify: Annotated[StrictBool, Field(description="Tell each person by one mail which devices were signed out")] = (
        False
    )


class RevokedByFilter(BaseModel):
    """How many sessions fitted, how many were ended, and whether one's own was among them."""

    matched: int
    revoked: int
    included_own: bool


class CreateApiKey(BaseModel):
    """A new API key."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=7)]
    expires_at: Moment | None = None


class ApiKey(BaseModel):
    """An API key without its secret."""

    id: UUID
    name: str
    prefix: Annotated[str, Field(description="The readable beginning of the secret")]
    scopes: list[Scope]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewApiKey(ApiKey):
    """A new API key with its secret, which is shown this once."""

    secret: str


class ApiKeyPage(BaseModel):
    """A page of API keys, the newest first."""

    items: list[ApiKey]
    next_cursor: str | None


class AuditRow(BaseModel):
    """One act: who did what to what, why and from where."""

    id: int
    at: datetime
    actor: str
    action: str
    target: str | None
    reason: str | None
    ip: str | None
    detail: dict[str, Any]


class AuditPage(BaseModel):
    """A page of the audit log, the newest first."""

    items: list[AuditRow]
    next_cursor: str | None
