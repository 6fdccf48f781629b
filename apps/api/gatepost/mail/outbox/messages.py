"""What the error codes of emails mean, in sentences.

SQL stores codes: in `emails.error_code`, and as `code` in the detail of `email_events`. The codes of transports and
providers come with a message of their own, which is shown as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_SUPPRESSED = "This email address is suppressed because {}. To send to it again, remove it from the suppressions."

MESSAGES: Mapping[str, str] = MappingProxyType(
    {
        "suppressed_bounce": _SUPPRESSED.format("an email to it bounced"),
        "suppressed_complaint": _SUPPRESSED.format("its owner marked an email as spam"),
        "suppressed_manual": _SUPPRESSED.format("an admin added it to the suppressions"),
        "opted_out": "The recipient has turned off this kind of email.",
        "expired": "This email expired before it could be sent. Queue a new one if it is still needed.",
        "answer_lost": (
            "This email may have been sent: the provider's response was lost, and the request can no longer be retried "
            "safely. Check the provider's log, or resend the email."
        ),
        "retries_exhausted": (
            "This email could not be sent for five days and will not be retried. Resend it when the problem is solved."
        ),
    }
)


def error_text(code: str | None, message: str | None) -> str | None:
    """Return the sentence for an error code and the message that is stored with it; None if there is neither."""
    if message is None:
        return MESSAGES.get(code, code) if code is not None else None
    # Here the message is that of the last attempt.
    return f"{MESSAGES[code]} {message}" if code == "retries_exhausted" else message
