"""What an account is, and what the identity routes take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field
from pydantic.json_schema import SkipJsonSchema

from gatepost.sessions.models import DeviceName, Session

Password = Annotated[str, Field(max_length=256)]
# NIST SP 800-63B-4 and OWASP ASVS 6.2.1: eight or more characters, any characters, no composition rules.
NewPassword = Annotated[str, Field(min_length=8, max_length=256)]
Email = Annotated[EmailStr, AfterValidator(str.lower)]
Transport = Literal["bearer", "cookie"]


class Person(BaseModel):
    """A person with an account."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    id: UUID
    email: str
    role: Literal["user", "admin"]
    user_metadata: dict[str, Any]
    created_at: datetime
    email_verified_at: datetime | None
    password_changed_at: Annotated[SkipJsonSchema[datetime], Field(exclude=True)]


class Register(BaseModel):
    """A new account; it is signed in at once."""

    email: Email
    password: NewPassword
    transport: Transport = "bearer"
    device_name: DeviceName = None


class Login(BaseModel):
    """A sign-in on one device."""

    email: Email
    password: Password
    transport: Transport = "bearer"
    device_name: DeviceName = None


class RefreshTokenBody(BaseModel):
    """A refresh token; without one, the refresh cookie counts."""

    refresh_token: Annotated[str, Field(max_length=1024)] | None = None


class Reauthenticate(BaseModel):
    """The password once more, before something that needs a fresh sign-in."""

    password: Password


class ChangePassword(BaseModel):
    """A new password in place of the current one."""

    current_password: Password
    new_password: NewPassword


class SignIn(BaseModel):
    """A session with its tokens; with cookie transport they travel in cookies only and are null here."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    access_token: str | None
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: Annotated[int, Field(description="Seconds until the access token expires")]
    refresh_token: str | None
    session: Session
    evicted: Annotated[list[Session], Field(description="Sessions that were ended to make room for this one")]


class Me(BaseModel):
    """The person who asks, and the session they ask from."""

    user: Person
    session: Session


class ForgotPassword(BaseModel):
    """The address of an account whose password is forgotten."""

    email: Email


class LinkToken(BaseModel):
    """The token of a link in a mail."""

    token: Annotated[str, Field(max_length=200)]


class ResetPassword(LinkToken):
    """A new password, by a link."""

    password: NewPassword


class JsonWebKey(BaseModel):
    """A public key (RFC 7517) of the curve P-256 (RFC 7518, 6.2)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    kid: str
    alg: Literal["ES256"]
    use: Literal["sig"]


class JsonWebKeys(BaseModel):
    """The public keys that our access tokens can be verified with."""

    keys: list[JsonWebKey]
