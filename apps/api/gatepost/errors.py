"""Every error response: the class name is the `code`, the docstring is the default `detail`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from pydantic import BaseModel


class ConfigurationError(Exception):
    """What prevents the start: one line that names the setting, and what to do."""


class FieldError(BaseModel):
    """An error in one part of a request; `loc` is the path to it."""

    loc: list[str | int]
    msg: str
    type: str


class TemplateDiagnostic(BaseModel):
    """An error or warning in a template; `line` and `column` count from 1."""

    part: Literal["subject", "preheader", "html", "text", "variables"]
    line: int
    column: int
    severity: Literal["error", "warning"]
    rule: str
    msg: str


class Problem(BaseModel):
    """The body of every error response (`application/problem+json`, RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    reason: str | None = None
    errors: list[FieldError] | list[TemplateDiagnostic] | None = None


class ApiError(Exception):
    """An error that becomes a problem response. Subclasses set the status; the class name is the code.

    `detail` says what happened and what to do next; `reason` is why a session ended, if that is the error.
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
        """Return the body of the response."""
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


class Unauthorized(ApiError):
    """You are not signed in. Sign in and try again."""

    status = HTTPStatus.UNAUTHORIZED
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class NotAuthenticated(Unauthorized):
    """You are not signed in. Sign in and try again."""


class InvalidCredentials(Unauthorized):
    """The email address or password is incorrect. Check both and try again."""


class TokenInvalid(Unauthorized):
    """This token is invalid. Sign in again."""


class TokenExpired(Unauthorized):
    """This access token has expired. Refresh it."""


class SessionRevoked(Unauthorized):
    """This device was signed out. Sign in again."""


class SessionExpired(Unauthorized):
    """This session has reached its maximum lifetime. Sign in again."""


class SessionIdle(Unauthorized):
    """This session was inactive for too long. Sign in again."""


class RefreshTokenReused(Unauthorized):
    """This refresh token was already used, so this device was signed out as a precaution. Sign in again."""


class ReauthenticationRequired(ApiError):
    """Confirm your password to continue."""

    status = HTTPStatus.FORBIDDEN


class Forbidden(ApiError):
    """You do not have permission to do this. Ask an admin for it."""

    status = HTTPStatus.FORBIDDEN


class CsrfFailed(ApiError):
    """This request did not come from an allowed origin. Add it to GATEPOST_ALLOWED_ORIGINS, or use a bearer token."""

    status = HTTPStatus.FORBIDDEN


class HostNotAllowed(ApiError):
    """This host name is not allowed. Use the service's own URL, or add the name to GATEPOST_ALLOWED_HOSTS."""

    status = HTTPStatus.MISDIRECTED_REQUEST


class NotFound(ApiError):
    """Not found. Check the URL."""

    status = HTTPStatus.NOT_FOUND


class MethodNotAllowed(ApiError):
    """This method is not allowed for this URL. Use one of the methods in the Allow header."""

    status = HTTPStatus.METHOD_NOT_ALLOWED


class Conflict(ApiError):
    """This conflicts with the current state. Reload and try again."""

    status = HTTPStatus.CONFLICT


class LinkInvalid(ApiError):
    """This link is invalid or incomplete. Open it from the email again, or request a new one."""

    status = HTTPStatus.NOT_FOUND


class LinkExpired(ApiError):
    """This link has expired. Request a new one."""

    status = HTTPStatus.GONE


class LinkUsed(ApiError):
    """This link was already used; it works only once. Request a new one."""

    status = HTTPStatus.GONE


class LinkVoided(ApiError):
    """This link no longer works: the password was changed after it was sent. Request a new one."""

    status = HTTPStatus.GONE


class RecipientSuppressed(ApiError):
    """This email address is suppressed. Remove it from the suppression list to send to it again."""

    status = HTTPStatus.CONFLICT


class PreconditionRequired(ApiError):
    """The If-Match header is required. Send the ETag of the draft that this replaces."""

    status = HTTPStatus.PRECONDITION_REQUIRED


class PayloadTooLarge(ApiError):
    """The request body is too large. Send a smaller one."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(ApiError):
    """The request body must be application/json. Set the Content-Type header."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class ValidationFailed(ApiError):
    """Invalid request."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TemplateInvalid(ApiError):
    """The template has errors. Fix them first."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class RateLimited(ApiError):
    """Too many attempts. Wait a moment and try again."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    @classmethod
    def after(cls, seconds: float) -> RateLimited:
        """Return the error with the number of seconds after which to try again."""
        error = cls()
        error.headers = {"Retry-After": str(max(1, math.ceil(seconds)))}
        return error


class ServiceUnavailable(ApiError):
    """The service is temporarily unavailable. Try again in a moment."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers = MappingProxyType({"Retry-After": "2"})


class InternalError(ApiError):
    """An internal error occurred. Try again later."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


def field_errors(errors: Sequence[Any]) -> list[FieldError]:
    """Return Pydantic's errors without the values that caused them: a password must not appear in a response."""
    return [FieldError(loc=list(error["loc"]), msg=error["msg"], type=error["type"]) for error in errors]
