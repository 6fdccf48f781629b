"""What Resend tells by webhook: verified, and put into our words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from gatepost import log
from gatepost.errors import NotAuthenticated, ValidationFailed, field_errors
from gatepost.mail.outbox.composer import TAG

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
    at: AwareDatetime
    type: str
    detail: dict[str, Any]


class _Data(BaseModel):
    email_id: Annotated[str, Field(min_length=1, max_length=200)]
    tags: Any = None
    bounce: dict[str, Any] = {}
    failed: dict[str, Any] = {}
    suppressed: dict[str, Any] = {}
    click: dict[str, Any] = {}


class _Event(BaseModel):
    created_at: AwareDatetime
    data: _Data


class _Envelope(BaseModel):
    type: str


def verify(secret: str | None, headers: Mapping[str, str], body: bytes) -> None:
    """Let a body pass that Resend has signed within five minutes (Svix; Standard Webhooks).

    Raises:
        NotAuthenticated: it is not signed by the secret, or not lately.
    """
    if secret is None:
        raise NotAuthenticated("No webhook can be verified here: GATEPOST_RESEND_WEBHOOK_SECRET is not set.")
    standard = {f"webhook-{part}": headers.get(f"svix-{part}", "") for part in ("id", "timestamp", "signature")}
    try:
        Webhook(secret).verify(body, standard, json_parse=False)
    except (WebhookVerificationError, ValueError, OverflowError) as error:
        clock = " Is this machine's clock right?" if "timestamp too" in str(error) else ""
        logger.warning("a webhook was refused", why=f"{error}{clock}"[:200])
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
    return ProviderEvent(
        event_id[:200], data.email_id, _tagged(data.tags), event.created_at, type_, _detail(type_, data)
    )


def _tagged(tags: Any) -> UUID | None:
    # An object here; where a message is sent, a list.
    try:
        return UUID(tags[TAG]) if isinstance(tags, dict) and isinstance(tags.get(TAG), str) else None
    except ValueError:
        return None


def _detail(type_: str, data: _Data) -> dict[str, Any]:
    bounce, reason = data.bounce, data.suppressed.get("reason")
    details: dict[str, dict[str, Any]] = {
        "bounced": {
            "words": bounce.get("message"),
            "kind": bounce.get("type"),
            "sub_kind": bounce.get("subType"),
            "diagnostic": bounce.get("diagnosticCode"),
            "suppress": "bounce" if bounce.get("type") == "Permanent" else None,
        },
        "complained": {"words": "The recipient marked it as spam.", "suppress": "complaint"},
        "suppressed": {
            "words": f"Resend does not write to this address any more: {reason or 'it does not say why'}.",
            "suppress": _SUPPRESSED_FOR.get(str(reason)),
        },
        "failed": {"words": data.failed.get("reason")},
        "delayed": {"words": "The recipient's server did not take it yet; Resend tries again."},
        # Which browser it was, and where, is nobody's business.
        "clicked": {"link": data.click.get("link")},
    }
    return details.get(type_, {})


def _kept(told: dict[str, Any]) -> dict[str, Any]:
    """Return what was said, in texts that are not too long."""
    return {name: _short(value) for name, value in told.items() if value is not None}


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [str(each)[:1000] for each in value[:10]]
    return str(value)[:1000]
