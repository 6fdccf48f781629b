"""Every refusal: the class name is the wire code, the docstring is the message."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from pydantic import BaseModel


class ConfigurationError(Exception):
    """What stops the start: one line that names the setting or the missing part, and what to do."""


class FieldError(BaseModel):
    """What is wrong with one part of a request."""

    loc: list[str | int]
    msg: str
    type: str


class TemplateDiagnostic(BaseModel):
    """What is wrong with a template, and where: `line` and `column` count from 1."""

    part: Literal["subject", "preheader", "html", "text", "variables"]
    line: int
    column: int
    severity: Literal["error", "warning"]
    rule: str
    msg: str


class Problem(BaseModel):
    """The body of every refusal (`application/problem+json`, RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    reason: str | None = None
    errors: list[FieldError] | list[TemplateDiagnostic] | None = None


class Refusal(Exception):
    """A request that is answered with a problem. Subclasses carry the status; the class name is the code.

    `detail` is a sentence for a person; `reason` says why a session ended, where that is what is refused.
    """

    status: ClassVar[HTTPStatus]
    code: ClassVar[str]
    headers: Mapping[str, str] = MappingProxyType({})

    def __init_subclass__(cls) -> None:
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(
        self,
        detail: str | None = None,
        *,
        reason: str | None = None,
        errors: list[FieldError] | list[TemplateDiagnostic] | None = None,
    ) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.reason = reason
        self.errors = errors
        super().__init__(self.detail)

    def problem(self, request_id: str) -> Problem:
        """Return the body that tells of this refusal."""
        return Problem(
            type=f"urn:gatepost:problem:{self.code}",
            title=self.code.replace("_", " ").capitalize(),
            status=self.status,
            code=self.code,
            detail=self.detail,
            request_id=request_id,
            reason=self.reason,
            errors=self.errors,
        )


class Unauthorized(Refusal):
    """You are not signed in."""

    status = HTTPStatus.UNAUTHORIZED
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class NotAuthenticated(Unauthorized):
    """You are not signed in."""


class InvalidCredentials(Unauthorized):
    """The e-mail address or the password is wrong."""


class TokenInvalid(Unauthorized):
    """This token is not one of ours."""


class TokenExpired(Unauthorized):
    """This access token has expired; refresh it."""


class SessionRevoked(Unauthorized):
    """This device was signed out."""


class SessionExpired(Unauthorized):
    """This sign-in has reached its longest lifetime; sign in again."""


class SessionIdle(Unauthorized):
    """This device was not used for too long; sign in again."""


class RefreshTokenReused(Unauthorized):
    """This refresh token was used before, so this device was signed out to be safe."""


class ReauthenticationRequired(Refusal):
    """Confirm your password first."""

    status = HTTPStatus.FORBIDDEN


class Forbidden(Refusal):
    """You may not do this."""

    status = HTTPStatus.FORBIDDEN


class CsrfFailed(Refusal):
    """This request did not come from one of our own pages."""

    status = HTTPStatus.FORBIDDEN


class NotFound(Refusal):
    """There is nothing here."""

    status = HTTPStatus.NOT_FOUND


class MethodNotAllowed(Refusal):
    """This address does not answer that method."""

    status = HTTPStatus.METHOD_NOT_ALLOWED


class Conflict(Refusal):
    """This is in conflict with what is there."""

    status = HTTPStatus.CONFLICT


class LinkInvalid(Refusal):
    """This link is none of ours, or a part of it got lost on the way. Open the mail again, or ask for a new one."""

    status = HTTPStatus.NOT_FOUND


class LinkExpired(Refusal):
    """This link has expired. Ask for a new one."""

    status = HTTPStatus.GONE


class LinkUsed(Refusal):
    """This link has been used already; it works once."""

    status = HTTPStatus.GONE


class RecipientSuppressed(Refusal):
    """Nothing is sent to this address any more; remove it from the suppressions if that is over."""

    status = HTTPStatus.CONFLICT


class PreconditionRequired(Refusal):
    """Say in If-Match which draft this replaces."""

    status = HTTPStatus.PRECONDITION_REQUIRED


class PayloadTooLarge(Refusal):
    """The request body is too large."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(Refusal):
    """The request body must be application/json."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class ValidationFailed(Refusal):
    """The request is not of the form that this address takes."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TemplateInvalid(Refusal):
    """This template cannot be used as it is."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class RateLimited(Refusal):
    """Too many attempts; wait a little and try again."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    @classmethod
    def after(cls, seconds: float) -> RateLimited:
        """Return the refusal that says when to come back."""
        refusal = cls()
        refusal.headers = {"Retry-After": str(max(1, math.ceil(seconds)))}
        return refusal


class ServiceUnavailable(Refusal):
    """The service cannot reach its database; try again in a moment."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers = MappingProxyType({"Retry-After": "2"})


class InternalError(Refusal):
    """Something went wrong on our side."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


# The SQLSTATEs with which our own SQL refuses.
BY_SQLSTATE: Mapping[str, type[Refusal]] = MappingProxyType(
    {"GP404": NotFound, "GP409": Conflict, "GP422": ValidationFailed}
)


def field_errors(errors: Sequence[Any]) -> list[FieldError]:
    """Return Pydantic's errors without the values that caused them: a password must not come back in an answer."""
    return [FieldError(loc=list(error["loc"]), msg=error["msg"], type=error["type"]) for error in errors]
