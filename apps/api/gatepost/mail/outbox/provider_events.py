"""What Resend tells by webhook: verified, and put into our words."""

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
from gatepost.mail.delivery.payloads import TAG
from gatepost.types import Moment

# Resend's names in ours; of other events none is about a message.
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
_UNSAID = "it does not say why"
_SUPPRESSED_FOR = {"previous_bounce": "bounce", "previous_complaint": "complaint"}

logger = log.get_logger()


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """An event of a message: `id` is the same over all repetitions, `email_id` what our tag says.

    In `detail`, `words` say what went wrong and `suppress` why the address is not to be written to any more.
    """

    id: str
    provider_id: str
    email_id: UUID | None
    at: datetime
    type: str
    detail: dict[str, Any]


# An event that is refused is lost, so what it need not have may be anything.
_Part = Annotated[dict[str, Any], BeforeValidator(lambda told: told if isinstance(told, dict) else {})]


class _Data(BaseModel):
    email_id: Annotated[str, Field(min_length=1, max_length=200)]
    tags: _Part = {}
    bounce: _Part = {}
    failed: _Part = {}
    suppressed: _Part = {}
    click: _Part = {}


class _Event(BaseModel):
    # in years that stay years in any zone
    created_at: Annotated[Moment, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(3000, 1, 1, tzinfo=UTC))]
    data: _Data


class _Envelope(BaseModel):
    type: str


def verify(secret: str | None, headers: Mapping[str, str], body: bytes) -> None:
    """Let a body pass that Resend has signed within five minutes (Svix; Standard Webhooks).

    Raises:
        NotAuthenticated: it is not signed by the secret, or not lately.
        ValidationFailed: it is no text.
    """
    if secret is None:
        raise NotAuthenticated("No webhook can be verified here: GATEPOST_RESEND_WEBHOOK_SECRET is not set.")
    standard = {f"webhook-{part}": headers.get(f"svix-{part}", "") for part in ("id", "timestamp", "signature")}
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ValidationFailed("This webhook's body is not UTF-8.") from None
    try:
        Webhook(secret).verify(text, standard, json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        why = str(error) if isinstance(error, WebhookVerificationError) else "Malformed signature"
        clock = " Is this machine's clock right?" if "timestamp too" in why else ""
        logger.warning("a webhook was refused", why=why + clock)
        raise NotAuthenticated(f"This webhook is not signed as it should be.{clock}") from None


def read_event(event_id: str, body: bytes) -> ProviderEvent | None:
    """Return the event of a verified body; None: it is about no message.

    Raises:
        ValidationFailed: it is no event of Resend's.
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
    return ProviderEvent(event_id[:200], _text(data.email_id), _tagged(data.tags), event.created_at, type_, detail)


def _tagged(tags: dict[str, Any]) -> UUID | None:
    # An object here; where a message is sent, a list.
    try:
        return UUID(str(tags.get(TAG)))
    except ValueError:
        return None


def _detail(type_: str, data: _Data) -> dict[str, Any]:
    bounce, reason = data.bounce, str(data.suppressed.get("reason") or _UNSAID)
    details: dict[str, dict[str, Any]] = {
        "bounced": {
            "words": bounce.get("message") or f"It bounced: {_UNSAID}.",
            "kind": bounce.get("type"),
            "sub_kind": bounce.get("subType"),
            "diagnostic": bounce.get("diagnosticCode"),
            "suppress": "bounce" if bounce.get("type") == "Permanent" else None,
        },
        "complained": {"words": "The recipient marked it as spam.", "suppress": "complaint"},
        "suppressed": {
            "words": f"Resend does not write to this address any more: {reason}.",
            "suppress": _SUPPRESSED_FOR.get(reason),
        },
        "failed": {"words": f"Resend could not send it: {data.failed.get('reason') or _UNSAID}."},
        "delayed": {"words": "The recipient's server did not take it yet; Resend tries again."},
        # Which browser it was, and where, is nobody's business; what follows the path may be a secret.
        "clicked": {"link": re.split("[?#]", str(data.click.get("link") or ""))[0]},
    }
    return details.get(type_, {})


def _storable(value: Any) -> str | list[str]:
    return [_text(each) for each in value[:10]] if isinstance(value, list) else _text(value)


def _text(value: Any) -> str:
    # PostgreSQL has no place for a NUL.
    return str(value)[:1000].replace("\0", " ")
