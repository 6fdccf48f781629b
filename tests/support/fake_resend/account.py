"""An account at Resend: its checks in their order, the messages that it accepts, and the events that follow."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal

from tests.support.fake_resend.http_server import Reply, Request
from tests.support.fake_resend.limits import IdempotencyKeys, Quotas, RateLimit
from tests.support.fake_resend.messages import Message, Messages
from tests.support.fake_resend.rules import MAX_BATCH_SIZE, ApiError, Rules, ValidEmail, outcome_of
from tests.support.fake_resend.webhooks import SUPPRESSED, Webhooks, WebhookSender

KeyState = Literal["full", "sending", "suspended"]
_EARLY_TIMEOUT = 5.0
_OUTCOMES = {
    "delivered": ("email.sent", "email.delivered"),
    "bounced": ("email.sent", "email.bounced"),
    "complained": ("email.sent", "email.delivered", "email.complained"),
    "suppressed": ("email.suppressed",),
}


class Account:
    """An account at Resend: answers requests by all of Resend's rules.

    `rate` is in requests a second, `daily` and `monthly` in recipients; None is unlimited. Everything may be changed
    while it runs: `rate_limit.rate`, `quotas.daily`, `rules.domains`, and the rest by its own name.

    `key_state` is what the API key may do: "full", "sending" (nothing else) or "suspended". `clock` is the time for
    keys, quotas and dates; the rate limit and the signatures use real time. `outcomes` is {email address: the types of
    the events that follow acceptance}; all other email is sent and delivered. Email to `suppressed` addresses is
    accepted and never sent; an address that bounces or complains becomes one. Without `keep_bodies` the messages have
    no html, no text and no files.
    """

    def __init__(
        self,
        *,
        api_key: str = "re_test",
        rate: int | None = 5,
        domains: Iterable[str] = ("acme.com",),
        owner: str = "owner@acme.com",
        blocked: Iterable[str] = (),
        daily: int | None = None,
        monthly: int | None = None,
        webhooks: Webhooks | None = None,
        suppressed: Iterable[str] = (),
        outcomes: Mapping[str, Sequence[str]] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        keep_bodies: bool = False,
    ) -> None:
        self.api_key = api_key
        self.key_state: KeyState = "full"
        self.rate_limit = RateLimit(rate)
        self.rules = Rules(set(domains), owner, set(blocked))
        self.quotas = Quotas(daily, monthly)
        self.webhooks = webhooks
        self.suppressed = {address.lower() for address in suppressed}
        self.outcomes = dict(outcomes or {})
        self.clock = clock
        self.keep_bodies = keep_bodies
        self.messages = Messages()
        self._complained: set[str] = set()
        self._keys = IdempotencyKeys()
        self._webhook_sender = WebhookSender()

    def send_events(self, message: Message, *types: str, **details: Any) -> None:
        """Send webhooks for events of a message, in order.

        Details become members of `data`; `at` becomes the time of the events.
        """
        if self.webhooks is not None:
            self._webhook_sender.send(self.webhooks, message, types, details)
        if details.get("bounce", {}).get("type") != "Transient":
            self._suppress(message.recipient.lower(), types)
        message.last_event = types[-1].removeprefix("email.")

    async def wait_for_webhooks(self) -> None:
        """Wait until all webhooks were accepted or given up."""
        await self._webhook_sender.wait()

    async def handle(self, request: Request, slow: float = 0) -> Reply:
        """Answer a request; a slow one uses its idempotency key for as many seconds."""
        try:
            return await self._handle(request, slow)
        except ApiError as error:
            return self.error_reply(error)

    def error_reply(self, error: ApiError) -> Reply:
        """Return the reply that reports an error."""
        return self._json(error.status, json.dumps(error.body()).encode(), error.headers)

    async def _handle(self, request: Request, slow: float) -> Reply:
        if not request.headers.get("user-agent"):
            return Reply(403, b"error code: 1010", {"content-type": "text/plain; charset=UTF-8"})
        self._authenticate(request)
        self.rate_limit.count()
        path = request.path.partition("?")[0]
        if request.method == "POST" and path in {"/emails", "/emails/batch"}:
            return await self._send(request, path, slow)
        if path.startswith("/emails/") and path != "/emails/batch" and path.count("/") == 2:
            if request.method != "GET":
                raise ApiError(405, "method_not_allowed", "Method is not allowed for the requested path.")
            return self._show(path.removeprefix("/emails/"))
        if path in {"/emails", "/emails/batch"}:
            raise ApiError(405, "method_not_allowed", "Method is not allowed for the requested path.")
        raise ApiError(404, "not_found", "The requested endpoint does not exist.")

    def _authenticate(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise ApiError(401, "missing_api_key", "Missing API key in the authorization header.")
        if key != self.api_key:
            raise ApiError(403, "invalid_api_key", "API key is invalid.")
        if self.key_state == "suspended":
            raise ApiError(403, "suspended_api_key", "This API key is suspended.")
        if self.key_state == "sending" and request.method != "POST":
            raise ApiError(401, "restricted_api_key", "This API key is restricted to only send emails.")

    async def _send(self, request: Request, path: str, slow: float) -> Reply:
        signed = f"{path} {request.headers.get('x-batch-validation', '')}\n".encode() + request.body
        response = self._keys.replay(request.key, signed, self.clock())
        if response is None:
            with self._keys.in_progress(request.key):
                if slow:
                    await asyncio.sleep(slow)
                response, accepted = self._accept(request, path)
                self._keys.remember(request.key, signed, response, self.clock())
            await self._send_webhooks(accepted)
        return self._json(200, response)

    def _accept(self, request: Request, path: str) -> tuple[bytes, list[Message]]:
        """Validate and record what was sent; return the body of the response, and the messages."""
        try:
            sent = json.loads(request.body)
        except ValueError:
            raise ApiError(400, "validation_error", "The request body is not valid JSON.") from None
        batch = path == "/emails/batch"
        permissive = batch and request.headers.get("x-batch-validation") == "permissive"
        valid, errors = self._check_batch(sent, permissive) if batch else ([self.rules.check(sent)], [])
        self.quotas.count(sum(one.recipients for one in valid), self.clock())
        accepted = [self._record(one, request.key, path) for one in valid]
        ids = [{"id": message.id} for message in accepted]
        response: dict[str, Any] = {"data": ids} if batch else ids[0]
        if permissive:
            response["errors"] = errors
        return json.dumps(response, separators=(",", ":")).encode(), accepted

    def _check_batch(self, sent: Any, permissive: bool) -> tuple[list[ValidEmail], list[dict[str, Any]]]:
        if not isinstance(sent, list) or not 1 <= len(sent) <= MAX_BATCH_SIZE:
            raise ApiError(422, "validation_error", f"A batch must be an array of 1 to {MAX_BATCH_SIZE} emails.")
        valid, errors = [], []
        for index, email in enumerate(sent):
            try:
                valid.append(self.rules.check(email, batch=True))
            except ApiError as error:
                if not permissive:
                    raise
                errors.append({"index": index, "message": error.message})
        return valid, errors

    def _record(self, email: ValidEmail, key: str | None, path: str) -> Message:
        payload = email.payload if self.keep_bodies else _without_bodies(email.payload)
        message = Message(
            id=str(uuid.uuid4()),
            key=key,
            endpoint=path,
            sender=payload["from"],
            to=email.to,
            recipient=email.recipient,
            subject=payload["subject"],
            tags=email.tags,
            attachments=email.attachments,
            dropped=email.dropped,
            payload=payload,
            at=self.clock(),
        )
        self.messages.add(message)
        return message

    async def _send_webhooks(self, accepted: Sequence[Message]) -> None:
        early = []
        for message in accepted:
            types, details = self._outcome(message)
            if types:
                message.last_event = types[-1].removeprefix("email.")
            if self.webhooks is not None and types:
                early.append(self._webhook_sender.send(self.webhooks, message, types, details))
        waiting = [sent.wait() for sent in early if sent is not None]
        if waiting:
            try:
                await asyncio.wait_for(asyncio.gather(*waiting), _EARLY_TIMEOUT)
            except TimeoutError:
                return

    def _outcome(self, message: Message) -> tuple[Sequence[str], dict[str, Any]]:
        """Return the events that follow acceptance; an address that bounces or complains is suppressed from now on."""
        address = message.recipient.lower()
        outcome = outcome_of(address)
        if outcome is not None:
            return _OUTCOMES[outcome], {}
        if address in self.suppressed:
            reason = "previous_complaint" if address in self._complained else "previous_bounce"
            return _OUTCOMES["suppressed"], {"suppressed": SUPPRESSED | {"reason": reason}}
        if "scheduled_at" in message.payload:
            return ("email.scheduled",), {}
        types = self.outcomes.get(message.recipient, _OUTCOMES["delivered"])
        self._suppress(address, types)
        return types, {}

    def _suppress(self, address: str, types: Sequence[str]) -> None:
        if {"email.bounced", "email.complained"} & {*types}:
            self.suppressed.add(address)
        if "email.complained" in types:
            self._complained.add(address)

    def _show(self, message_id: str) -> Reply:
        message = self.messages.find(message_id)
        if message is None:
            raise ApiError(404, "not_found", "Email not found")
        shown = {
            "object": "email",
            "id": message.id,
            "message_id": f"<{message.id}@email.example.com>",
            "to": [*message.to],
            "from": message.sender,
            # Not the format of webhooks.
            "created_at": message.at.strftime("%Y-%m-%d %H:%M:%S.%f+00"),
            "subject": message.subject,
            **{name: message.payload.get(name) for name in ("html", "text", "bcc", "cc", "reply_to")},
            "last_event": message.last_event,
            "tags": message.payload.get("tags", []),
        }
        return self._json(200, json.dumps(shown).encode())

    def _json(self, status: int, body: bytes, more: Mapping[str, str] | None = None) -> Reply:
        now = self.clock()
        headers = {
            "date": format_datetime(now.astimezone(UTC), usegmt=True),
            "content-type": "application/json; charset=utf-8",
        }
        return Reply(status, body, headers | self.rate_limit.headers() | self.quotas.headers(now) | dict(more or {}))


def _without_bodies(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a payload without html, text and the content of files."""
    small = {name: value for name, value in payload.items() if name not in {"html", "text"}}
    if "attachments" in small:
        small["attachments"] = [{n: v for n, v in one.items() if n != "content"} for one in small["attachments"]]
    return small
