"""Sessions and devices, and what the session routes take and return."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from asyncpg import Record
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr

from gatepost.geoip import GeoIp

DeviceKind = Literal["desktop", "mobile", "tablet", "bot", "unknown"]
EndReason = Literal[
    "signed_out",
    "signed_out_elsewhere",
    "signed_out_by_admin",
    "evicted",
    "password_changed",
    "refresh_token_reused",
    "not_me",
    "idle",
    "expired",
]

RefreshOutcome = Literal["rotated", "replayed", "reused", "ended"]

# Control characters, line and paragraph separators, and the characters that change the writing direction.
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
_DIRECTIONS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

UNKNOWN_DEVICE = "Unknown device"


def _clean_name(name: str | None) -> str | None:
    if name is None:
        return None
    kept = "".join(" " if unicodedata.category(c) in _UNPRINTABLE or c in _DIRECTIONS else c for c in name)
    kept = " ".join(kept.split())
    return kept if any(unicodedata.category(c) != "Cf" for c in kept) else None


DeviceName = Annotated[
    str | None,
    Field(max_length=100, description="The user's own name for the device; blank for none"),
    AfterValidator(_clean_name),
]


class Device(BaseModel):
    """A device as its browser describes itself; every part may be unknown."""

    kind: DeviceKind
    browser: str | None
    os: str | None

    @property
    def label(self) -> str:
        """A label for display: "Chrome on Windows", "Safari on iPhone", "curl", "Unknown device"."""
        if self.browser and self.os:
            return f"{self.browser} on {self.os}"
        return self.browser or self.os or UNKNOWN_DEVICE


class Session(BaseModel):
    """A sign-in on one device.

    `id` is the `session_id` claim of its tokens, and is not secret. All times are UTC.
    """

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    id: UUID
    user_id: UUID
    name: str
    device: Device
    ip: str | None
    location: Annotated[
        str | None, Field(description='Approximate location of the IP address, like "Berlin, Germany"; null if unknown')
    ] = None
    created_at: datetime
    last_active_at: datetime
    expires_at: datetime
    current: bool
    status: Literal["active", "revoked", "expired"]
    ended_at: datetime | None
    end_reason: EndReason | None

    _claims: dict[str, Any] = PrivateAttr()
    _authenticated_at: datetime = PrivateAttr()

    @classmethod
    def from_row(
        cls,
        row: Record,
        *,
        idle_timeout: timedelta,
        current_id: UUID | None = None,
        claims: dict[str, Any] | None = None,
    ) -> Self:
        """Return the session of a row of `gatepost.sessions` with `state`, its current end reason."""
        device = Device(kind=row["device_kind"], browser=row["browser"], os=row["os"])
        state = row["state"]
        ended_at = row["ended_at"]
        if state and ended_at is None:
            ended_at = min(row["expires_at"], row["last_active_at"] + idle_timeout)
        session = cls(
            **cls._further_fields(row),
            id=row["id"],
            user_id=row["user_id"],
            name=row["name"] or device.label,
            device=device,
            ip=str(row["ip"]) if row["ip"] is not None else None,
            created_at=row["created_at"],
            last_active_at=row["last_active_at"],
            expires_at=row["expires_at"],
            current=row["id"] == current_id,
            status="active" if state is None else "expired" if state in ("idle", "expired") else "revoked",
            ended_at=ended_at,
            end_reason=state,
        )
        session._authenticated_at = row["authenticated_at"]
        session._claims = claims or {}
        return session

    @classmethod
    def _further_fields(cls, row: Record) -> dict[str, Any]:
        return {}

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the request's access token; empty for a session other than the current one."""
        return self._claims

    @property
    def authenticated_at(self) -> datetime:
        """When the user last entered their password (UTC)."""
        return self._authenticated_at


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session with its refresh token, and the sessions that were evicted to keep the user at the cap."""

    session: Session
    refresh_token: str
    evicted: list[Session]


@dataclass(frozen=True, slots=True)
class RefreshedSession:
    """The outcome of a refresh: the session, and its next refresh token.

    `replayed`: the token was used a moment ago, and the same successor is returned again. `reused`: it was used before,
    which revoked the session. `ended`: the session had ended before.
    """

    session: Session
    refresh_token: str
    outcome: RefreshOutcome


class SessionPage(BaseModel):
    """A page of sessions; `next_cursor` leads to the next one."""

    items: list[Session]
    next_cursor: str | None


class RegisterSession(BaseModel):
    """A name for the device of the current session."""

    device_name: DeviceName = None


class RenameSession(BaseModel):
    """The user's own name for a device; blank restores the default, like "Chrome on Windows"."""

    name: DeviceName


class RevokedSessions(BaseModel):
    """How many sessions were revoked."""

    revoked: int


def set_locations(geoip: GeoIp, sessions: Iterable[Session]) -> None:
    """Set the location of sessions that leave the service: in a response, a webhook or the host's hook."""
    for session in sessions:
        session.location = geoip.locate(session.ip)
