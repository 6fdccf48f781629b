"""What a user is, and what the identity routes take and return."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from gatepost.security import MAX_CHARACTERS, MIN_CHARACTERS, check_length
from gatepost.sessions import DeviceName, Session

Password = Annotated[str, Field(max_length=256)]
NewPassword = Annotated[
    str,
    AfterValidator(check_length),
    WithJsonSchema({"type": "string", "format": "password", "minLength": MIN_CHARACTERS, "maxLength": MAX_CHARACTERS}),
]
Email = Annotated[EmailStr, AfterValidator(str.lower)]
Transport = Literal["bearer", "cookie"]
Role = Literal["user", "admin"]
Registration = Literal["open", "confirm", "closed"]


class User(BaseModel):
    """A user."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    id: UUID
    email: str
    role: Role
    user_metadata: dict[str, Any]
    created_at: datetime
    email_verified_at: datetime | None
    password_changed_at: Annotated[SkipJsonSchema[datetime], Field(exclude=True)]


class Register(BaseModel):
    """A new account. It is signed in at once, unless the email address has to be confirmed first."""

    email: Email
    password: Annotated[
        NewPassword | None,
        Field(
            description="Required with `REGISTRATION=open`. With `confirm` it is ignored: "
            "the owner of the email address sets one after confirming it"
        ),
    ] = None
    transport: Transport = "bearer"
    device_name: DeviceName = None


class Login(BaseModel):
    """A sign-in on one device."""

    email: Email
    password: Password
    transport: Transport = "bearer"
    device_name: DeviceName = None


class RefreshTokenBody(BaseModel):
    """A refresh token; without one, the refresh cookie is used."""

    refresh_token: Annotated[str, Field(max_length=1024)] | None = None


class Reauthenticate(BaseModel):
    """The current password, to confirm a sensitive action."""

    password: Password


class ChangePassword(BaseModel):
    """A new password in place of the current one."""

    current_password: Password
    new_password: NewPassword


class SignIn(BaseModel):
    """A session with its tokens. With cookie transport the tokens are null here and travel in cookies only."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    access_token: str | None
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: Annotated[int, Field(description="Seconds until the access token expires")]
    refresh_token: str | None
    session: Session
    evicted: Annotated[
        list[Session], Field(description="Sessions that were ended because the user reached the session limit")
    ]


class Me(BaseModel):
    """The current user and session."""

    user: User
    session: Session


class ForgotPassword(BaseModel):
    """The email address of an account whose password was forgotten."""

    email: Email


class LinkToken(BaseModel):
    """The token of a link in an email."""

    token: Annotated[str, Field(max_length=200)]


class ResetPassword(LinkToken):
    """A new password, set by a link."""

    password: NewPassword


class ReportedSession(BaseModel):
    """How many sessions were revoked.

    `reset_token` sets a new password, once and within an hour. It is null if the password was changed after the
    reported sign-in, or if the sign-in is older than 24 hours: then request a link by email.
    """

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    revoked: int
    reset_token: str | None


class ConfirmedEmail(BaseModel):
    """What confirming an email address did.

    In the session that registered, and if it was confirmed before, nothing else: `reset_token` is null. Otherwise
    someone else may have registered it, so all sessions were revoked and the password stopped working. Then
    `reset_token` sets a new password, once and within an hour.
    """

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    revoked: int
    reset_token: str | None


class RegistrationInfo(BaseModel):
    """Who can register. `confirm`: after confirming the email address by a link."""

    registration: Registration
