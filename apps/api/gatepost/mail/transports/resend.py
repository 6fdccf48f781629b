"""Sending by Resend's API: the same dispatch is the same request, byte for byte, so that it may be repeated."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from datetime import timedelta
from importlib.metadata import version
from urllib.parse import urlsplit

import httpx

from gatepost.mail.transports.error_messages import why_unreachable
from gatepost.mail.transports.resend_answers import Answer, outcome_of
from gatepost.mail.transports.transport import Attachment, Dispatch, Message, Outcome, Refused, Uncertain

LIMIT = 15.0
CONNECT_SHARE = 1 / 3
MAX_ANSWER = 262_144

_UNSENDABLE = "This message cannot be written as Resend wants it."
_BAD_KEY = "The API key has characters that no request can carry: correct GATEPOST_RESEND_API_KEY."
_NO_TURN = "Too many requests to Resend are under way; it is tried again."
_TOO_LATE = "Resend did not answer in time; it is asked again under the same key."
_CUT_OFF = "The connection to Resend broke off before its answer; it is asked again under the same key."


class ResendTransport:
    """The way out through Resend; one client, and so one set of open connections, for its whole life.

    `limit` is in seconds; a third of it is for connecting. Resend knows an `Idempotency-Key` for 24 hours; we stop
    relying on it an hour before.
    """

    name = "resend"
    most = 100
    remembers = timedelta(hours=23)

    def __init__(self, api_key: str, base_url: str = "https://api.resend.com", *, limit: float = LIMIT) -> None:
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

    async def send(self, dispatch: Dispatch) -> Outcome:
        """Send a message, or several as a batch that is taken whole or not at all; takes `limit` seconds at most."""
        try:
            body = request_body(dispatch)
        except Exception:  # noqa: BLE001 - frozen bytes that cannot be sent never will be
            return Refused("message", "unsendable", _UNSENDABLE)
        try:
            async with asyncio.timeout(self._limit):
                answer = await self._post(dispatch, body)
        except Exception as error:  # noqa: BLE001 - whatever it was, the request may have arrived
            return self._without_answer(error)
        return outcome_of(answer, len(dispatch.messages), self._key)

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def _post(self, dispatch: Dispatch, body: bytes) -> Answer:
        headers = {"Idempotency-Key": str(dispatch.key)}
        path = "/emails"
        if len(dispatch.messages) > 1:
            headers["x-batch-validation"] = "strict"
            path = "/emails/batch"
        async with self._http.stream("POST", path, content=body, headers=headers) as response:
            heard_at = time.time()
            return Answer(response.status_code, response.headers, await _read(response), heard_at)

    def _without_answer(self, error: Exception) -> Outcome:
        match error:
            case httpx.PoolTimeout():
                return Refused("passing", "no_connection", _NO_TURN)
            case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.ProxyError():
                return Refused("passing", *why_unreachable(error, self._server))
            case httpx.LocalProtocolError() if not _fits_a_header(self._key):
                return Refused("account", "bad_api_key", _BAD_KEY)
            case httpx.TimeoutException() | TimeoutError():
                return Uncertain("timeout", _TOO_LATE)
        return Uncertain("cut_off", _CUT_OFF)


def request_body(dispatch: Dispatch) -> bytes:
    """Return the JSON that stands for a dispatch: an object for one message, an array for several."""
    emails = [_email(message, dispatch.sender) for message in dispatch.messages]
    return (emails[0] if len(emails) == 1 else f"[{','.join(emails)}]").encode()


def _email(message: Message, sender: str) -> str:
    # The payload's own text is kept: written anew by another version, it might be other bytes under the same key.
    email = f'{{"from":{json.dumps(sender)},{message.payload[1:]}'
    if not message.attachments:
        return email
    return f'{email[:-1]},"attachments":{json.dumps([_attached(one) for one in message.attachments])}}}'


def _attached(attachment: Attachment) -> dict[str, str]:
    return {
        "filename": attachment.filename,
        "content_type": attachment.content_type,
        "content": base64.b64encode(attachment.content).decode(),
    }


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        if len(body) <= MAX_ANSWER:
            body += chunk
    return bytes(body[:MAX_ANSWER])


def _fits_a_header(key: str) -> bool:
    return key.isascii() and key.isprintable()
