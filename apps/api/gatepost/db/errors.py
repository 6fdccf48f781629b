"""The errors that our SQL raises, by SQLSTATE: which API error each becomes, and what it says.

Imports no driver: `send_email` maps the errors of every driver with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gatepost.errors import ApiError, Conflict, FieldError, Forbidden, InternalError, NotFound, ValidationFailed


@dataclass(frozen=True, slots=True)
class DatabaseError:
    """An error of our SQL: its name (the message in SQL), the API error that it becomes, and the sentence to show.

    The sentence of a `ValidationFailed` begins with its verb: its subject is the argument that SQL names in the error's
    column field.
    """

    name: str
    api_error: type[ApiError]
    sentence: str


DATABASE_ERRORS: Mapping[str, DatabaseError] = MappingProxyType(
    {
        "GP001": DatabaseError(
            "session_not_found", NotFound, "This session was not found. Reload the list of sessions and try again."
        ),
        "GP002": DatabaseError(
            "user_not_found", NotFound, "This user was not found. Check the user ID; the user may have been deleted."
        ),
        "GP003": DatabaseError(
            "template_not_found",
            NotFound,
            "This email template was not found. Check the template key; the template may have been deleted.",
        ),
        "GP004": DatabaseError("email_not_found", NotFound, "This email was not found. Check the email ID."),
        "GP005": DatabaseError(
            "template_not_available",
            NotFound,
            "There is no email template with this key in this language or in English. "
            "Check the template key and the locale.",
        ),
        "GP011": DatabaseError(
            "idempotency_key_reused",
            Conflict,
            "This idempotency key was already used for a different email. Use a new key.",
        ),
        "GP012": DatabaseError(
            "draft_changed",
            Conflict,
            "This draft has changed since you loaded it. Load the current draft and apply your changes to it.",
        ),
        "GP013": DatabaseError(
            "email_not_cancelable",
            Conflict,
            "This email can no longer be canceled. Only scheduled and queued emails can; check its current status.",
        ),
        "GP014": DatabaseError(
            "email_still_sending",
            Conflict,
            "This email is still being sent. Wait until it is sent or has failed, then resend it.",
        ),
        "GP015": DatabaseError(
            "email_expired", Conflict, "This email has expired, so it cannot be resent. Queue a new email."
        ),
        "GP016": DatabaseError(
            "email_was_test",
            Conflict,
            "This email was a test of a template, so it cannot be resent. Send another test from the template.",
        ),
        "GP017": DatabaseError(
            "email_secrets_erased",
            Conflict,
            "The content of this security email was erased, so it cannot be resent. Queue a new email.",
        ),
        "GP021": DatabaseError(
            "invalid_email_address",
            ValidationFailed,
            "must be one email address, without a display name and at most 254 characters long.",
        ),
        "GP022": DatabaseError("invalid_variables", ValidationFailed, "must be a JSON object."),
        "GP023": DatabaseError(
            "invalid_attachments",
            ValidationFailed,
            "must be an array of objects with filename, content_type and content in Base64.",
        ),
        "GP024": DatabaseError("invalid_idempotency_key", ValidationFailed, "must be 1 to 300 characters long."),
        "GP025": DatabaseError(
            "expires_before_sending", ValidationFailed, "must be in the future and later than send_at."
        ),
        "GP031": DatabaseError(
            "audit_log_append_only",
            InternalError,
            "The audit log is append-only. To remove old rows, use `gatepost audit drop`.",
        ),
        "GP032": DatabaseError(
            "audit_row_id_not_generated",
            InternalError,
            "The audit log is append-only, so a row cannot choose its id. Insert it without one.",
        ),
        "GP033": DatabaseError(
            "template_version_immutable",
            InternalError,
            "A published template version cannot be changed. Publish a new version instead.",
        ),
        "GP045": DatabaseError(
            "password_not_current", Conflict, "Your password was changed in the meantime. Sign in again."
        ),
        "GP057": DatabaseError(
            "api_key_not_found", NotFound, "This API key was not found. Reload the list of API keys and try again."
        ),
        "GP058": DatabaseError(
            "api_key_revoked", Conflict, "This API key was revoked, so it cannot be taken over. Create a new one."
        ),
        "GP059": DatabaseError(
            "key_owner_not_admin",
            Conflict,
            "Only an admin who is not disabled can own an API key. Choose another admin, or make this user one.",
        ),
        "GP060": DatabaseError(
            "last_admin",
            Conflict,
            "This user is the last admin who is not disabled. Create or enable another admin first.",
        ),
        "GP061": DatabaseError(
            "email_erased",
            Conflict,
            "The recipient's account was deleted, and the content of this email with it, so it cannot be resent.",
        ),
        "GP062": DatabaseError("user_disabled", Forbidden, "This account is disabled. Contact support."),
    }
)


def database_error(state: str) -> ApiError:
    """Return the API error of one of our SQLSTATEs, for a check that Python makes before SQL does."""
    return _api_error(DATABASE_ERRORS[state], None)


def api_error_of(error: BaseException) -> ApiError | None:
    """Return the API error for an error of our SQL, raised by any driver, or None for other errors.

    A `ValidationFailed` names the argument in `errors[0].loc`, as `[argument]`.
    """
    found = None
    cause: BaseException | None = error
    while cause is not None:
        state: str = getattr(cause, "sqlstate", None) or ""
        if state in DATABASE_ERRORS:
            found = _api_error(DATABASE_ERRORS[state], _column(cause))
        # SQLAlchemy wraps the driver's error, asyncpg's even twice; only the innermost has all fields.
        cause = getattr(cause, "orig", None) or cause.__cause__
    return found


def _api_error(error: DatabaseError, argument: str | None) -> ApiError:
    if error.api_error is not ValidationFailed:
        return error.api_error(error.sentence)
    field = FieldError(loc=[argument or ""], msg=error.sentence, type=error.name)
    return ValidationFailed(f"{argument} {error.sentence}", errors=[field])


def _column(error: BaseException) -> str | None:
    """Return the column field of a driver's error: asyncpg's attribute, psycopg's in its diagnostics."""
    column: str | None = getattr(error, "column_name", None) or getattr(
        getattr(error, "diag", None), "column_name", None
    )
    return column
