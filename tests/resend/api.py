"""Resend itself: its checks in their order, its books, and what it tells afterwards."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal

from tests.resend.books import Books, Message
from tests.resend.limits import Memory, Pace, Quotas
from tests.resend.rules import MOST_OF_A_BATCH, ApiError, Checked, Rules, fate_of
from tests.resend.webhooks import SUPPRESSED, Courier, Webhooks
from tests.resend.wire import Reply, Request

KeyState = Literal["full", "sending", "suspended"]
_EARLY = 5.0
_FATES = {
    "delivered": ("email.sent", "email.delivered"),
    "bounced": ("email.sent", "email.bounced"),
    "complained": ("email.sent", "email.delivered", "email.complained"),
    "suppressed": ("email.suppressed",),
}


class Resend:
    """An account at Resend: takes requests, gives answers, and keeps every rule.

    `rate` is in requests a second, `daily` and `monthly` in recipients; None is without limit. Everything may be
    changed while it runs: `pace.rate`, `quotas.daily`, `rules.domains`, and the rest by its own name.

    `key_state` is what the API key may do: "full", "sending" (nothing else) or "suspended". `clock` tells the time for
    keys, quotas and dates; the rate and the signatures keep real time. `fates` is {address: the types of the events
    that follow acceptance}; all else is sent and delivered. `suppressed` addresses are accepted and never sent; who
    bounces or complains becomes one. Without `keep_bodies` the books have no html, no text and no files.
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
        fates: Mapping[str, Sequence[str]] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        keep_bodies: bool = False,
    ) -> None:
        self.api_key = api_key
        self.key_state: KeyState = "full"
        self.pace = Pace(rate)
        self.rules = Rules(set(domains), owner, set(blocked))
        self.quotas = Quotas(daily, monthly)
        self.webhooks = webhooks
        self.suppressed = {address.lower() for address in suppressed}
        self.fates = dict(fates or {})
        self.clock = clock
        self.keep_bodies = keep_bodies
        self.books = Books()
        self._complained: set[str] = set()
        self._memory = Memory()
        self._courier = Courier()

    def tell(self, message: Message, *types: str, **details: Any) -> None:
        """Send events of a message by hand, from the first to the last.

        Details become members of `data`; `at` becomes the time of the events.
        """
        if self.webhooks is not None:
            self._courier.announce(self.webhooks, message, types, details)
        if details.get("bounce", {}).get("type") != "Transient":
            self._suppress(message.recipient.lower(), types)
        message.last_event = types[-1].removeprefix("email.")

    async def settled(self) -> None:
        """Wait until all webhooks were taken or given up."""
        await self._courier.settled()

    async def handle(self, request: Request, slow: float = 0) -> Reply:
        """Answer a request; a slow one holds its idempotency key for as many seconds."""
        try:
            return await self._handle(request, slow)
        except ApiError as error:
            return self.refused(error)

    def refused(self, error: ApiError) -> Reply:
        """Return the answer of a refusal."""
        return self._json(error.status, json.dumps(error.body()).encode(), error.headers)

    async def _handle(self, request: Request, slow: float) -> Reply:
        if not request.headers.get("user-agent"):
            return Reply(403, b"error code: 1010", {"content-type": "text/plain; charset=UTF-8"})
        self._authorise(request)
        self.pace.take()
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

    def _authorise(self, request: Request) -> None:
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
        answer = self._memory.replay(request.key, signed, self.clock())
        if answer is None:
            with self._memory.handling(request.key):
                if slow:
                    await asyncio.sleep(slow)
                answer, accepted = self._accept(request, path)
                self._memory.remember(request.key, signed, answer, self.clock())
            await self._announce(accepted)
        return self._json(200, answer)

    def _accept(self, request: Request, path: str) -> tuple[bytes, list[Message]]:
        """Check what was sent and write it down; return the answer's body and the messages."""
        try:
            sent = json.loads(request.body)
        except ValueError:
            raise ApiError(400, "validation_error", "The request body is not valid JSON.") from None
        batch = path == "/emails/batch"
        permissive = batch and request.headers.get("x-batch-validation") == "permissive"
        checked, errors = self._check_batch(sent, permissive) if batch else ([self.rules.check(sent)], [])
        self.quotas.take(sum(one.recipients for one in checked), self.clock())
        accepted = [self._enter(one, request.key, path) for one in checked]
        ids = [{"id": message.id} for message in accepted]
        answer: dict[str, Any] = {"data": ids} if batch else ids[0]
        if permissive:
            answer["errors"] = errors
        return json.dumps(answer, separators=(",", ":")).encode(), accepted

    def _check_batch(self, sent: Any, permissive: bool) -> tuple[list[Checked], list[dict[str, Any]]]:
        if not isinstance(sent, list) or not 1 <= len(sent) <= MOST_OF_A_BATCH:
            raise ApiError(422, "validation_error", f"A batch must be an array of 1 to {MOST_OF_A_BATCH} emails.")
        checked, errors = [], []
        for index, email in enumerate(sent):
            try:
                checked.append(self.rules.check(email, batch=True))
            except ApiError as error:
                if not permissive:
                    raise
                errors.append({"index": index, "message": error.message})
        return checked, errors

    def _enter(self, checked: Checked, key: str | None, path: str) -> Message:
        payload = checked.payload if self.keep_bodies else _slim(checked.payload)
        message = Message(
            id=str(uuid.uuid4()),
            key=key,
            endpoint=path,
            sender=payload["from"],
            to=checked.to,
            recipient=checked.recipient,
            subject=payload["subject"],
            tags=checked.tags,
            attachments=checked.attachments,
            dropped=checked.dropped,
            payload=payload,
            at=self.clock(),
        )
        self.books.enter(message)
        return message

    async def _announce(self, accepted: Sequence[Message]) -> None:
        early = []
        for message in accepted:
            types, details = self._fate(message)
            if types:
                message.last_event = types[-1].removeprefix("email.")
            if self.webhooks is not None and types:
                early.append(self._courier.announce(self.webhooks, message, types, details))
        waiting = [told.wait() for told in early if told is not None]
        if waiting:
            try:
                await asyncio.wait_for(asyncio.gather(*waiting), _EARLY)
            except TimeoutError:
                return

    def _fate(self, message: Message) -> tuple[Sequence[str], dict[str, Any]]:
        """Return the events that follow acceptance; who bounces or complains is suppressed from now on."""
        address = message.recipient.lower()
        tested = fate_of(address)
        if tested is not None:
            return _FATES[tested], {}
        if address in self.suppressed:
            reason = "previous_complaint" if address in self._complained else "previous_bounce"
            return _FATES["suppressed"], {"suppressed": SUPPRESSED | {"reason": reason}}
        if "scheduled_at" in message.payload:
            return ("email.scheduled",), {}
        types = self.fates.get(message.recipient, _FATES["delivered"])
        self._suppress(address, types)
        return types, {}

    def _suppress(self, address: str, types: Sequence[str]) -> None:
        if {"email.bounced", "email.complained"} & {*types}:
            self.suppressed.add(address)
        if "email.complained" in types:
            self._complained.add(address)

    def _show(self, message_id: str) -> Reply:
        message = self.books.find(message_id)
        if message is None:
            raise ApiError(404, "not_found", "Email not found")
        shown = {
            "object": "email",
            "id": message.id,
            "message_id": f"<{message.id}@email.example.com>",
            "to": [*message.to],
            "from": message.sender,
            # REST answers spell the time in a way of their own
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
        return Reply(status, body, headers | self.pace.headers() | self.quotas.headers(now) | dict(more or {}))


def _slim(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a payload without what is large."""
    slim = {name: value for name, value in payload.items() if name not in {"html", "text"}}
    if "attachments" in slim:
        slim["attachments"] = [{n: v for n, v in one.items() if n != "content"} for one in slim["attachments"]]
    return slim
