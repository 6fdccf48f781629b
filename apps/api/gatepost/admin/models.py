"""What the admin routes take and return."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from asyncpg import Record
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

from gatepost.accounts import Role
from gatepost.security import Scope
from gatepost.sessions import DeviceKind, Session
from gatepost.types import Timestamp, without_nul

Status = Literal["active", "revoked", "expired"]


def _require_network(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("must be an IP address or a network like 10.0.0.0/8")
    return value


Reason = Annotated[
    str,
    Field(min_length=1, max_length=500, description="Reason, recorded in the audit log"),
    AfterValidator(without_nul),
]


class AdminSession(Session):
    """A session of any user, with the user's email address."""

    email: Annotated[str | None, Field(description="The user's email address; null if the user was deleted")]

    @classmethod
    def _further_fields(cls, row: Record) -> dict[str, Any]:
        return {"email": row["email"]}


class AdminSessionPage(BaseModel):
    """A page of sessions."""

    items: list[AdminSession]
    next_cursor: str | None


class AdminUser(BaseModel):
    """A user, as admins see them."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    id: UUID
    email: str
    name: str | None
    role: Role
    created_at: datetime
    disabled_at: datetime | None
    active_sessions: int


class AdminUserPage(BaseModel):
    """A page of users."""

    items: list[AdminUser]
    next_cursor: str | None


class UserActionRequest(BaseModel):
    """Why a user is disabled or enabled."""

    reason: Reason


class SessionFilter(BaseModel):
    """Conditions for sessions. A session matches if it meets all of them; at least one is required."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    network: (
        Annotated[
            IPvAnyNetwork,
            BeforeValidator(_require_network),
            Field(description="The IP address of the last activity, or a network like 10.0.0.0/8"),
        ]
        | SkipJsonSchema[None]
    ) = None
    browser: (
        Annotated[str, Field(max_length=100, description='Like "Chrome"'), AfterValidator(without_nul)]
        | SkipJsonSchema[None]
    ) = None
    os: (
        Annotated[str, Field(max_length=100, description='Like "Windows"'), AfterValidator(without_nul)]
        | SkipJsonSchema[None]
    ) = None
    kind: DeviceKind | SkipJsonSchema[None] = None
    signed_in_before: Timestamp | SkipJsonSchema[None] = None
    signed_in_after: Timestamp | SkipJsonSchema[None] = None
    inactive_since: Timestamp | SkipJsonSchema[None] = None
    user_ids: Annotated[list[UUID], Field(min_length=1, max_length=10_000)] | SkipJsonSchema[None] = None

    @model_validator(mode="before")
    @classmethod
    def _require_condition(cls, data: Any) -> Any:
        if isinstance(data, dict) and (not data or None in data.values()):
            raise ValueError("an empty filter would match every session; give at least one condition")
        return data


class RevokeSessions(BaseModel):
    """Which sessions to revoke, and why. With `dry_run` they are only counted, and no email is sent."""

    filter: SessionFilter
    reason: Reason
    dry_run: StrictBool = False
    notify: Annotated[
        StrictBool, Field(description="Send each user one email that lists the devices that were signed out")
    ] = False


class RevokedByFilter(BaseModel):
    """How many sessions matched, how many were revoked, and whether your own was among them."""

    matched: int
    revoked: int
    included_own: bool


class CreateApiKey(BaseModel):
    """A new API key."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=8)]
    expires_at: Timestamp | None = None


def _in_utc(at: datetime | None) -> datetime | None:
    # asyncpg returns the first and the last possible time without a time zone.
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


class ApiKey(BaseModel):
    """An API key without its secret."""

    id: UUID
    name: str
    prefix: Annotated[str, Field(description="The readable beginning of the secret")]
    scopes: list[Scope]
    created_by: str
    owner_id: Annotated[
        UUID | None, Field(description="The admin whom the key acts for; null if it was created on the command line")
    ]
    owner_email: Annotated[str | None, Field(description="The owner's email address; null if the user was deleted")]
    created_at: datetime
    expires_at: Annotated[datetime | None, AfterValidator(_in_utc)]
    last_used_at: datetime | None
    revoked_at: datetime | None
    suspended_at: Annotated[
        datetime | None,
        Field(
            description="When the owner stopped being an enabled admin; the key works again once an admin takes it over"
        ),
    ]


class NewApiKey(ApiKey):
    """A new API key with its secret, which is shown only once."""

    secret: str


class ApiKeyPage(BaseModel):
    """A page of API keys, newest first."""

    items: list[ApiKey]
    next_cursor: str | None
