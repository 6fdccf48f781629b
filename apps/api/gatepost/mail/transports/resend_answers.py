"""What an answer of Resend means: by the names of its errors where it names them, else by the HTTP status."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx

from gatepost.mail.transports.error_messages import quoted
from gatepost.mail.transports.transport import Accepted, Fault, Outcome, Refused, Uncertain

MAX_ID = 200
MAX_WAIT = 86400.0
MAX_PACE = 10000.0
CLOCK_TOLERANCE = 60.0

_NUMBER = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(?:[,;]|$)", re.ASCII)
_WINDOW = re.compile(r"(?:^|[;,\s])w=(\d{1,9})(?![\d.])", re.ASCII)
_NAME = re.compile(r"[a-z_]{1,64}")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `heard_at` is when its headers came, in seconds since the epoch."""

    status: int
    headers: httpx.Headers
    body: bytes
    heard_at: float


class _Meaning(NamedTuple):
    fault: Fault | None  # None: uncertain
    words: str


_KEY = _Meaning(
    "account",
    "The API key is not accepted: set GATEPOST_RESEND_API_KEY to a key of this account with sending access.",
)
_SHUT_OUT = _Meaning(
    "account",
    "Resend does not let this service in: check GATEPOST_RESEND_API_KEY, and any proxy on the way to Resend.",
)
_ASTRAY = _Meaning(
    "account", "This is not how Resend answers: check GATEPOST_RESEND_BASE_URL, and any proxy on the way."
)
_SUSPENDED = _Meaning(
    "account",
    "Resend has suspended this API key: settle that with Resend, or set GATEPOST_RESEND_API_KEY to another key.",
)
_SENDER = _Meaning("account", "The sender's domain is not verified at Resend: verify it, or change GATEPOST_MAIL_FROM.")
_BAD_SENDER = _Meaning("account", "The sender is not a valid address: change GATEPOST_MAIL_FROM.")
_REGION = _Meaning("account", "Resend does not send from this region: check the domain of GATEPOST_MAIL_FROM there.")
_DAY = _Meaning("account", "Today's quota at Resend is used up; mail waits until it is there again, or raise the plan.")
_MONTH = _Meaning(
    "account", "This month's quota at Resend is used up; mail waits until it is there again, or raise the plan."
)
_QUOTA = _Meaning("account", "The quota at Resend does not cover this; mail waits until it does, or raise the plan.")
_PACE = _Meaning("pace", "Resend asks for fewer requests a second; this waits a moment.")
_MESSAGE = _Meaning("message", "Resend does not take this message: correct what it names.")
_BUSY = _Meaning(None, "Resend is still at work on this message; it is asked again.")
_OTHER_BYTES = _Meaning(
    None, "Under this key Resend has had another message, so this one may have gone out: look it up at Resend."
)
_TROUBLE = _Meaning(None, "Resend did not say whether it has this message; it is asked again under the same key.")

_BY_NAME = {
    "rate_limit_exceeded": _PACE,
    "daily_quota_exceeded": _DAY,
    "monthly_quota_exceeded": _MONTH,
    "email_above_quota": _QUOTA,
    "missing_api_key": _KEY,
    "restricted_api_key": _KEY,
    "invalid_api_key": _KEY,
    "invalid_permission": _KEY,
    "invalid_access": _KEY,
    "suspended_api_key": _SUSPENDED,
    "invalid_from_address": _BAD_SENDER,
    "invalid_region": _REGION,
    "concurrent_idempotent_requests": _BUSY,
    "resource_locked": _BUSY,
    "invalid_idempotent_request": _OTHER_BYTES,
}
_BY_STATUS = (
    dict.fromkeys((400, 413, 422), _MESSAGE)
    | dict.fromkeys((301, 302, 303, 307, 308, 404, 405), _ASTRAY)
    | {401: _SHUT_OUT, 403: _SHUT_OUT, 429: _PACE}
)


def outcome_of(answer: Answer, count: int, secret: str) -> Outcome:
    """Return what became of `count` messages; `secret`, the API key, is kept out of the words."""
    pace = _pace(answer.headers)
    if 200 <= answer.status < 300:
        ids = _ids(answer.body, count)
        if ids is None:
            words = "Resend took this but did not say under which id; it is asked again under the same key."
            return Uncertain("unreadable_answer", words)
        return Accepted(ids, pace, _clock_off(answer))
    name, message = _said(answer.body)
    meaning = _meaning(answer.status, name)
    said = quoted(message, secret)
    words = f"{meaning.words} Resend says: {said}" if said else meaning.words
    code = quoted(name, secret) or f"http_{answer.status}"
    if meaning.fault is None:
        return Uncertain(code, words, final=meaning is _OTHER_BYTES)
    return Refused(meaning.fault, code, words, _retry_after(answer.headers, meaning.fault), pace)


def _meaning(status: int, name: str) -> _Meaning:
    if not 300 <= status < 500:
        return _TROUBLE
    if status == 403 and name == "validation_error":
        return _SENDER
    return _BY_NAME.get(name) or _BY_STATUS.get(status, _TROUBLE)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _said(body: bytes) -> tuple[str, str]:
    found = _json(body)
    if not isinstance(found, dict):
        return "", ""
    name, message = found.get("name"), found.get("message")
    return (
        name if isinstance(name, str) and _NAME.fullmatch(name) else "",
        message if isinstance(message, str) else "",
    )


def _ids(body: bytes, count: int) -> tuple[str, ...] | None:
    found = _json(body)
    try:
        ids = tuple(item["id"] for item in ([found] if count == 1 else found["data"]))
    except (KeyError, TypeError):
        return None
    readable = all(isinstance(one, str) and 0 < len(one) <= MAX_ID and one.isprintable() for one in ids)
    return ids if readable and len(set(ids)) == len(ids) == count else None


def _number(text: str | None) -> float | None:
    match = _NUMBER.match(text or "")
    return float(match[1]) if match else None


def _pace(headers: httpx.Headers) -> float | None:
    allowed = _number(headers.get("ratelimit-limit"))
    window = _WINDOW.search(headers.get("ratelimit-policy", ""))
    seconds = float(window[1]) if window else 1.0
    if not allowed or not seconds:
        return None
    pace = allowed / seconds
    return pace if pace <= MAX_PACE else None


def _retry_after(headers: httpx.Headers, fault: Fault) -> float | None:
    seconds = _number(headers.get("retry-after"))
    # What is reset is the pace: a quota comes back at its own time.
    if seconds is None and fault == "pace":
        seconds = _number(headers.get("ratelimit-reset"))
    return None if seconds is None else min(seconds, MAX_WAIT)


def _clock_off(answer: Answer) -> float | None:
    try:
        there = parsedate_to_datetime(answer.headers.get("date", ""))
        there = there if there.tzinfo else there.replace(tzinfo=UTC)
        ahead = answer.heard_at - there.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return ahead if abs(ahead) > CLOCK_TOLERANCE else None
