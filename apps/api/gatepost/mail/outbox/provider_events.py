"""Events that Resend reports by webhook: verified and parsed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from gatepost import log
from gatepost.errors import NotAuthenticated, ValidationFailed, field_errors
from gatepost.mail.outbox.payload import TAG
from gatepost.types import Timestamp, without_nul

# Resend's event types and ours. Other events are not about an email.
_TYPES = {
    "email.scheduled": "scheduled",
    "email.sent": "sent",
    "email.delivered": "delivered",
    "email.delivery_delayed": "delayed",
    "email.bounced": "bounced",
    "email.complained": "complained",
    "email.suppressed": "suppressed",
    "email.failed": "failed",
    "email.opened": "opened",
    "email.clicked": "clicked",
}
_NO_REASON = "no reason given"
_SUPPRESS_REASONS = {"previous_bounce": "bounce", "previous_complaint": "complaint"}

logger = log.get_logger()


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """An event of an email. `id` is the same for all repetitions; `email_id` comes from our tag.

    In `detail`, `message` is the error and `suppress` is the reason to suppress the email address, if there is one.
    """

    id: str
    provider_id: str
    email_id: UUID | None
    at: datetime
    type: str
    detail: dict[str, Any]


# A rejected event would be lost, so optional parts may have any form.
_Part = Annotated[dict[str, Any], BeforeValidator(lambda value: value if isinstance(value, dict) else {})]


class _Data(BaseModel):
    email_id: Annotated[str, Field(min_length=1, max_length=200)]
    tags: _Part = {}
    bounce: _Part = {}
    failed: _Part = {}
    suppressed: _Part = {}
    click: _Part = {}


class _Event(BaseModel):
    # Years that exist in every time zone.
    created_at: Annotated[Timestamp, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(3000, 1, 1, tzinfo=UTC))]
    data: _Data


class _Envelope(BaseModel):
    type: str


def verify(secret: str | None, headers: Mapping[str, str], body: bytes) -> None:
    """Check that Resend signed a body within the last five minutes (Svix; Standard Webhooks).

    Raises:
        NotAuthenticated: the signature is invalid or too old, or no secret is configured.
        ValidationFailed: the body is not UTF-8.
    """
    if secret is None:
        raise NotAuthenticated("This webhook cannot be verified. Set GATEPOST_RESEND_WEBHOOK_SECRET.")
    standard = {f"webhook-{part}": headers.get(f"svix-{part}", "") for part in ("id", "timestamp", "signature")}
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ValidationFailed("The body of this webhook must be UTF-8.") from None
    try:
        Webhook(secret).verify(text, standard, json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        reason = str(error) if isinstance(error, WebhookVerificationError) else "Malformed signature"
        hint = "Check the clock of this machine." if "timestamp too" in reason else "Check the webhook secret."
        logger.warning("webhook rejected", reason=f"{reason}. {hint}")
        raise NotAuthenticated(f"The signature of this webhook is invalid. {hint}") from None


def parse_event(event_id: str, body: bytes) -> ProviderEvent | None:
    """Return the event in a verified body, or None if it is not about an email.

    Raises:
        ValidationFailed: it is not an event of Resend.
    """
    try:
        type_ = _TYPES.get(_Envelope.model_validate_json(body).type)
        if type_ is None:
            return None
        event = _Event.model_validate_json(body)
    except ValidationError as error:
        raise ValidationFailed(errors=field_errors(error.errors())) from None
    data = event.data
    detail = {name: _storable(value) for name, value in _detail(type_, data).items() if value}
    return ProviderEvent(event_id[:200], _text(data.email_id), _email_id(data.tags), event.created_at, type_, detail)


def _email_id(tags: dict[str, Any]) -> UUID | None:
    # Tags are an object in events, and a list in requests.
    try:
        return UUID(str(tags.get(TAG)))
    except ValueError:
        return None


def _detail(type_: str, data: _Data) -> dict[str, Any]:
    bounce, reason = data.bounce, str(data.suppressed.get("reason") or _NO_REASON)
    details: dict[str, dict[str, Any]] = {
        "bounced": {
            "message": bounce.get("message") or f"The email bounced: {_NO_REASON}.",
            "kind": bounce.get("type"),
            "sub_kind": bounce.get("subType"),
            "diagnostic": bounce.get("diagnosticCode"),
            "suppress": "bounce" if bounce.get("type") == "Permanent" else None,
        },
        "complained": {"message": "The recipient marked this email as spam.", "suppress": "complaint"},
        "suppressed": {
            "message": f"Resend has suppressed this email address: {reason}.",
            "suppress": _SUPPRESS_REASONS.get(reason),
        },
        "failed": {"message": f"Resend could not send this email: {data.failed.get('reason') or _NO_REASON}."},
        "delayed": {"message": "The recipient's mail server has not accepted this email yet. Resend will retry."},
        # Browser and IP address are personal data; what follows the path may be a secret.
        "clicked": {"link": re.split("[?#]", str(data.click.get("link") or ""))[0]},
    }
    return details.get(type_, {})


def _storable(value: Any) -> str | list[str]:
    return [_text(each) for each in value[:10]] if isinstance(value, list) else _text(value)


def _text(value: Any) -> str:
    return without_nul(str(value)[:1000])
