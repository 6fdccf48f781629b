"""What a mail server's refusal means: that depends on how far the conversation had come."""

from __future__ import annotations

from typing import Literal

from gatepost.mail.transports.error_messages import quoted, why_unreachable
from gatepost.mail.transports.transport import Fault, Outcome, Refused, Uncertain

# How far it has come: greeting and TLS, signing in, MAIL, RCPT, DATA, and the letter itself, which may have arrived.
Stage = Literal["greeting", "login", "sender", "recipient", "data", "letter"]

# Sign in, a weak way to sign in, wrong credentials, TLS first (RFC 4954, 6)
_SIGN_IN = (530, 534, 535, 538)
_TOO_LARGE = 552

_LATER = "takes no mail at the moment; it is tried again."
_TOO_SLOW = "did not answer in time; it is tried again."
_BROKE_OFF = "broke off before it had the message; it is tried again."
_UNWRITABLE = "cannot be told the sender or the recipient: one of them is not an address."
_NO_AUTH = "offers no way to sign in that we know: check GATEPOST_SMTP_URL."
_UNKNOWN = "had the message and did not say whether it takes it: look it up there before sending it again."
_ACCOUNT = {
    "greeting": "does not talk to this machine: check GATEPOST_SMTP_URL, and whether the server lets this machine in.",
    "login": "does not accept the user and password: correct GATEPOST_SMTP_URL.",
    "sender": "does not let this sender send: check GATEPOST_MAIL_FROM, and the user in GATEPOST_SMTP_URL.",
}
_MESSAGE = {
    "sender": "finds this message too large.",
    "recipient": "refuses the recipient.",
}


def reply_outcome(stage: Stage, server: str, code: int, text: str, *secrets: str) -> Outcome:
    """Return what a reply that is not the one hoped for means; `server` begins the sentence, `text` is what it said."""
    said = quoted(text, *secrets)
    says = f" It says: {code} {said}" if said else f" It says: {code}"
    name = f"smtp_{code}"
    if 400 <= code < 500:
        return Refused("passing", name, f"{server} {_LATER}{says}")
    if 500 <= code < 600:
        fault, words = _final(stage, code)
        return Refused(fault, name, f"{server} {words}{says}")
    if stage == "letter":
        return Uncertain("unreadable_reply", f"{server} {_UNKNOWN}", final=True)
    return Refused(
        "passing", "unreadable_reply", f"{server} does not speak SMTP as it should: check GATEPOST_SMTP_URL."
    )


def no_reply_outcome(stage: Stage, server: str, error: BaseException) -> Outcome:
    """Return what it means that a connection did not come about, broke off, or fell silent."""
    if stage == "letter":
        code = "timeout" if isinstance(error, TimeoutError) else "cut_off"
        return Uncertain(code, f"{server} {_UNKNOWN}", final=True)
    if stage == "login" and not isinstance(error, OSError):
        return Refused("account", "no_login", f"{server} {_NO_AUTH}")
    if stage == "greeting":
        return Refused("passing", *why_unreachable(error, server))
    if isinstance(error, ValueError):
        return Refused("message", "unsendable", f"{server} {_UNWRITABLE}")
    if isinstance(error, TimeoutError):
        return Refused("passing", "timeout", f"{server} {_TOO_SLOW}")
    return Refused("passing", "cut_off", f"{server} {_BROKE_OFF}")


def _final(stage: Stage, code: int) -> tuple[Fault, str]:
    if code in _SIGN_IN:
        return "account", _ACCOUNT["login"]
    if stage in _ACCOUNT and not (stage == "sender" and code == _TOO_LARGE):
        return "account", _ACCOUNT[stage]
    return "message", _MESSAGE.get(stage, "refuses this message.")
