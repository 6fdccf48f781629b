"""Sending by Resend's API. The same batch is the same request, byte for byte, so that it can be repeated safely."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from gatepost.mail.transports.error_messages import explain_connection_error, quote
from gatepost.mail.transports.transport import (
    Accepted,
    Attachment,
    Batch,
    Fault,
    Message,
    Outcome,
    Rejected,
    Uncertain,
)

# Seconds for a request, and the share of it for connecting.
TIME_LIMIT = 15.0
CONNECT_SHARE = 1 / 3
# Bytes of a response that are read.
MAX_RESPONSE = 262_144
MAX_ID = 200
# Seconds.
MAX_RETRY_AFTER = 86400.0
CLOCK_TOLERANCE = 60.0
# Requests per second.
MAX_RATE = 10000.0

_NUMBER = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(?:[,;]|$)", re.ASCII)
_WINDOW = re.compile(r"(?:^|[;,\s])w=(\d{1,9})(?![\d.])", re.ASCII)
_NAME = re.compile(r"[a-z_]{1,64}")

_UNSENDABLE = "This email cannot be encoded for Resend. Check its addresses and its content."
_BAD_KEY = "The API key contains characters that are not allowed in a request. Correct GATEPOST_RESEND_API_KEY."
_NO_CONNECTION = "Too many requests to Resend are in progress. The email will be retried."
_TIMEOUT = "Resend did not answer in time. The request will be repeated with the same idempotency key."
_CUT_OFF = (
    "The connection to Resend closed before it answered. The request will be repeated with the same idempotency key."
)
_NO_ID = "Resend accepted the request but returned no valid ID. It will be repeated with the same idempotency key."


class _Meaning(NamedTuple):
    """What an error means; without a fault, the outcome is uncertain."""

    fault: Fault | None
    message: str


_KEY = _Meaning(
    "account",
    "Resend rejected the API key. Set GATEPOST_RESEND_API_KEY to a key of this account with sending access.",
)
_ACCESS_DENIED = _Meaning(
    "account", "Resend denied access. Check GATEPOST_RESEND_API_KEY, and any proxy between this service and Resend."
)
_NOT_RESEND = _Meaning(
    "account",
    "The server responded, but it does not appear to be Resend. Check GATEPOST_RESEND_BASE_URL, and any proxy in "
    "between.",
)
_SUSPENDED = _Meaning(
    "account",
    "Resend has suspended this API key. Contact Resend, or set GATEPOST_RESEND_API_KEY to another key.",
)
_SENDER_DOMAIN = _Meaning(
    "account", "The sender's domain is not verified at Resend. Verify it, or change GATEPOST_MAIL_FROM."
)
_SENDER_ADDRESS = _Meaning("account", "The sender is not a valid email address. Change GATEPOST_MAIL_FROM.")
_REGION = _Meaning(
    "account", "Resend does not send from this region. Check the domain of GATEPOST_MAIL_FROM at Resend."
)
_DAILY_QUOTA = _Meaning(
    "account", "The daily quota at Resend is used up. Emails wait until it resets; to send now, upgrade the plan."
)
_MONTHLY_QUOTA = _Meaning(
    "account", "The monthly quota at Resend is used up. Emails wait until it resets; to send now, upgrade the plan."
)
_QUOTA = _Meaning(
    "account", "The quota at Resend is too small for this. Emails wait until it resets; to send now, upgrade the plan."
)
_RATE_LIMIT = _Meaning("rate_limit", "Resend's rate limit was reached. The email will be sent shortly.")
_MESSAGE = _Meaning("message", "Resend rejected this email. Fix the problem that it reports.")
_IN_PROGRESS = _Meaning(None, "Resend is still processing this email. The request will be repeated.")
_OTHER_CONTENT = _Meaning(
    None,
    "Resend received another email with this idempotency key, so this one may have been sent. Check Resend's log "
    "before you resend it.",
)
_UNKNOWN = _Meaning(
    None,
    "Resend did not say whether it accepted this email. The request will be repeated with the same idempotency key.",
)

_BY_NAME = {
    "rate_limit_exceeded": _RATE_LIMIT,
    "daily_quota_exceeded": _DAILY_QUOTA,
    "monthly_quota_exceeded": _MONTHLY_QUOTA,
    "email_above_quota": _QUOTA,
    "missing_api_key": _KEY,
    "restricted_api_key": _KEY,
    "invalid_api_key": _KEY,
    "invalid_permission": _KEY,
    "invalid_access": _KEY,
    "suspended_api_key": _SUSPENDED,
    "invalid_from_address": _SENDER_ADDRESS,
    "invalid_region": _REGION,
    "concurrent_idempotent_requests": _IN_PROGRESS,
    "resource_locked": _IN_PROGRESS,
    "invalid_idempotent_request": _OTHER_CONTENT,
}
_BY_STATUS = (
    dict.fromkeys((400, 413, 422), _MESSAGE)
    | dict.fromkeys((301, 302, 303, 307, 308, 404, 405), _NOT_RESEND)
    | {401: _ACCESS_DENIED, 403: _ACCESS_DENIED, 429: _RATE_LIMIT}
)


class ResendTransport:
    """Sends by Resend. `limit` is the time for one request in seconds.

    Resend remembers an `Idempotency-Key` for 24 hours; we stop relying on it one hour earlier.
    """

    name = "resend"
    max_batch = 100
    idempotency_window = timedelta(hours=23)

    def __init__(self, api_key: str, base_url: str = "https://api.resend.com", *, limit: float = TIME_LIMIT) -> None:
        self._key = api_key.strip()
        self._server = f"Resend ({urlsplit(base_url).hostname})"
        self._limit = limit
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={
                b"Authorization": f"Bearer {self._key}".encode(),
                b"User-Agent": f"gatepost/{version('gatepost')}".encode(),
                b"Content-Type": b"application/json",
                b"Accept": b"application/json",
                b"Accept-Encoding": b"identity",
            },
            timeout=httpx.Timeout(limit, connect=limit * CONNECT_SHARE, pool=limit * CONNECT_SHARE),
        )

    async def send(self, batch: Batch) -> Outcome:
        """Send a message, or several as a batch that Resend accepts as a whole or not at all."""
        try:
            body = request_body(batch)
        except Exception:  # noqa: BLE001 - a frozen message that cannot be encoded now never can be
            return Rejected("message", "unsendable", _UNSENDABLE)
        try:
            async with asyncio.timeout(self._limit):
                response = await self._post(batch, body)
        except Exception as error:  # noqa: BLE001 - whatever failed, the request may have arrived
            return self._outcome_of_error(error)
        return _outcome_of_response(response, len(batch.messages), self._key)

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def _post(self, batch: Batch, body: bytes) -> _Response:
        headers = {"Idempotency-Key": str(batch.key)}
        path = "/emails"
        if len(batch.messages) > 1:
            headers["x-batch-validation"] = "strict"
            path = "/emails/batch"
        async with self._http.stream("POST", path, content=body, headers=headers) as response:
            received_at = time.time()
            return _Response(response.status_code, response.headers, await _read(response), received_at)

    def _outcome_of_error(self, error: Exception) -> Outcome:
        match error:
            case httpx.PoolTimeout():
                return Rejected("temporary", "no_connection", _NO_CONNECTION)
            case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.ProxyError():
                return Rejected("temporary", *explain_connection_error(error, self._server))
            case httpx.LocalProtocolError() if not (self._key.isascii() and self._key.isprintable()):
                return Rejected("account", "bad_api_key", _BAD_KEY)
            case httpx.TimeoutException() | TimeoutError():
                return Uncertain("timeout", _TIMEOUT)
        return Uncertain("cut_off", _CUT_OFF)


def request_body(batch: Batch) -> bytes:
    """Return the JSON of a batch: an object for one message, an array for several."""
    emails = [_email(message, batch.sender) for message in batch.messages]
    return (emails[0] if len(emails) == 1 else f"[{','.join(emails)}]").encode()


def _email(message: Message, sender: str) -> str:
    # The payload's text is not parsed and encoded again: another version might produce other bytes for the same key.
    email = f'{{"from":{json.dumps(sender)},{message.payload[1:]}'
    if not message.attachments:
        return email
    return f'{email[:-1]},"attachments":{json.dumps([_attachment(one) for one in message.attachments])}}}'


def _attachment(attachment: Attachment) -> dict[str, str]:
    return {
        "filename": attachment.filename,
        "content_type": attachment.content_type,
        "content": base64.b64encode(attachment.content).decode(),
    }


@dataclass(frozen=True, slots=True)
class _Response:
    """An HTTP response. `received_at` is when its headers arrived, in seconds since the epoch."""

    status: int
    headers: httpx.Headers
    body: bytes
    received_at: float


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        if len(body) <= MAX_RESPONSE:
            body += chunk
    return bytes(body[:MAX_RESPONSE])


def _outcome_of_response(response: _Response, count: int, secret: str) -> Outcome:
    """Return the outcome for `count` messages. `secret`, the API key, is kept out of the message."""
    rate = _rate(response.headers)
    if 200 <= response.status < 300:
        ids = _ids(response.body, count)
        if ids is None:
            return Uncertain("unreadable_answer", _NO_ID)
        return Accepted(ids, rate, _clock_offset(response))
    name, reason = _error_in(response.body)
    meaning = _meaning(response.status, name)
    quoted = quote(reason, secret)
    message = f"{meaning.message} Resend says: {quoted}" if quoted else meaning.message
    code = quote(name, secret) or f"http_{response.status}"
    if meaning.fault is None:
        return Uncertain(code, message, final=meaning is _OTHER_CONTENT)
    return Rejected(meaning.fault, code, message, _retry_after(response.headers, meaning.fault), rate)


def _meaning(status: int, name: str) -> _Meaning:
    if not 300 <= status < 500:
        return _UNKNOWN
    if status == 403 and name == "validation_error":
        return _SENDER_DOMAIN
    return _BY_NAME.get(name) or _BY_STATUS.get(status, _UNKNOWN)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _error_in(body: bytes) -> tuple[str, str]:
    """Return the name and the message of an error response; empty strings for what is missing or malformed."""
    found = _parse(body)
    if not isinstance(found, dict):
        return "", ""
    name, message = found.get("name"), found.get("message")
    return (
        name if isinstance(name, str) and _NAME.fullmatch(name) else "",
        message if isinstance(message, str) else "",
    )


def _ids(body: bytes, count: int) -> tuple[str, ...] | None:
    found = _parse(body)
    try:
        ids = tuple(item["id"] for item in ([found] if count == 1 else found["data"]))
    except (KeyError, TypeError):
        return None
    readable = all(isinstance(one, str) and 0 < len(one) <= MAX_ID and one.isprintable() for one in ids)
    return ids if readable and len(set(ids)) == len(ids) == count else None


def _number(text: str | None) -> float | None:
    match = _NUMBER.match(text or "")
    return float(match[1]) if match else None


def _rate(headers: httpx.Headers) -> float | None:
    allowed = _number(headers.get("ratelimit-limit"))
    window = _WINDOW.search(headers.get("ratelimit-policy", ""))
    seconds = float(window[1]) if window else 1.0
    if not allowed or not seconds:
        return None
    rate = allowed / seconds
    return rate if rate <= MAX_RATE else None


def _retry_after(headers: httpx.Headers, fault: Fault) -> float | None:
    seconds = _number(headers.get("retry-after"))
    # This header is about the rate limit, not about quotas.
    if seconds is None and fault == "rate_limit":
        seconds = _number(headers.get("ratelimit-reset"))
    return None if seconds is None else min(seconds, MAX_RETRY_AFTER)


def _clock_offset(response: _Response) -> float | None:
    try:
        date = parsedate_to_datetime(response.headers.get("date", ""))
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        ahead = response.received_at - date.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return ahead if abs(ahead) > CLOCK_TOLERANCE else None
