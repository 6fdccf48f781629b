"""What a session is, as the outside sees it."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from asyncpg import Record
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, computed_field

from gatepost.geoip import Places

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

# Control characters, separators of lines, and the marks that turn the writing direction of what follows.
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
    Field(max_length=100, description="The person's own name for the device; blank for none"),
    AfterValidator(_clean_name),
]


class Device(BaseModel):
    """What a browser says it is; every part may be unknown."""

    kind: DeviceKind
    browser: str | None
    os: str | None

    @property
    def label(self) -> str:
        """What a person reads: "Chrome on Windows", "Safari on iPhone", "curl", "Unknown device"."""
        if self.browser and self.os:
            return f"{self.browser} on {self.os}"
        return self.browser or self.os or UNKNOWN_DEVICE


def _as_a_field(schema: dict[str, Any]) -> None:
    # It is no more read-only than the rest; for that word, generators of clients make a second type of every session.
    schema.pop("readOnly", None)


class Session(BaseModel):
    """A sign-in on one device.

    `id` is the `session_id` of its tokens and no secret. Times are UTC. `claims` and `authenticated_at` are there
    for the session of the request at hand only, and are not part of the answer.
    """

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    id: UUID
    user_id: UUID
    name: str
    device: Device
    ip: str | None
    created_at: datetime
    last_active_at: datetime
    expires_at: datetime
    current: bool
    status: Literal["active", "revoked", "expired"]
    ended_at: datetime | None
    end_reason: EndReason | None

    _places: Places = PrivateAttr(default_factory=Places)
    _claims: dict[str, Any] = PrivateAttr()
    _authenticated_at: datetime = PrivateAttr()

    @classmethod
    def from_row(
        cls,
        row: Record,
        *,
        idle_timeout: timedelta,
        places: Places,
        current_id: UUID | None,
        claims: dict[str, Any] | None = None,
    ) -> Self:
        """Return the session of a row of `gatepost.sessions` with `state`, its end reason as of now."""
        device = Device(kind=row["device_kind"], browser=row["browser"], os=row["os"])
        state = row["state"]
        ended_at = row["ended_at"]
        if state and ended_at is None:
            ended_at = min(row["expires_at"], row["last_active_at"] + idle_timeout)
        session = cls(
            **{name: row[name] for name in cls.model_fields.keys() - Session.model_fields.keys()},
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
        session._places = places
        session._authenticated_at = row["authenticated_at"]
        session._claims = claims or {}
        return session

    @computed_field(json_schema_extra=_as_a_field)  # type: ignore[prop-decorator]
    @property
    def location(self) -> str | None:
        """About where the address is, like "Berlin, Germany"; null where that is not known."""
        # Here, not in `from_row`: a request that the guard lets pass does not pay for what nobody reads.
        return self._places.near(self.ip)

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the access token that the request came with."""
        return self._claims

    @property
    def authenticated_at(self) -> datetime:
        """When the person last showed their password."""
        return self._authenticated_at


class SessionPage(BaseModel):
    """A page of sessions; `next_cursor` leads to the next one."""

    items: list[Session]
    next_cursor: str | None


class RegisterSession(BaseModel):
    """What to call the device of the session at hand."""

    device_name: DeviceName = None


class Disowned(BaseModel):
    """How many sessions ended; `reset_token` is for choosing a new password, within the hour and once."""

    revoked: int
    reset_token: str


class RenameSession(BaseModel):
    """The person's own name for a device; blank brings back the one like "Chrome on Windows"."""

    name: DeviceName


class RevokedSessions(BaseModel):
    """How many sessions were ended."""

    revoked: int
