"""The HTTP server of the fake Resend, and the faults of requests and responses."""

from __future__ import annotations

from collections import deque
from typing import Any, Self

from tests.support.fake_resend.account import Account
from tests.support.fake_resend.faults import AFTER, BEFORE, Fault, Faults
from tests.support.fake_resend.http_server import HttpServer, Reply, Request
from tests.support.fake_resend.rules import ApiError

_PAGES = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Temporarily Unavailable"}


class FakeResend(Account):
    """A Resend in the running event loop, on a free port of the loopback interface; `url` is its base URL.

    It takes the arguments of `Account`, and `faults` that happen at random; `fail_next` plans them. `requests` is the
    log of all requests, with their bodies where `keep_bodies` is set.
    """

    def __init__(self, *, faults: Faults | None = None, **account: Any) -> None:
        super().__init__(**account)
        self.url = ""
        self.faults = faults or Faults()
        self.requests: list[Request] = []
        self._planned: deque[Fault | ApiError | None] = deque()
        self._rate_limited = 0
        self._server = HttpServer(self._reply)

    async def __aenter__(self) -> Self:
        self.url = f"http://127.0.0.1:{await self._server.open()}"
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._server.close()
        finally:
            await self._webhook_sender.close()

    def fail_next(self, *faults: str | ApiError) -> None:
        """Plan the faults of the next POSTs: "kind", "kind:number", "none" for no fault, or an error to answer with.

        A fault that happens after acceptance waits for a request that is answered with 200.

        Raises:
            ValueError: a kind is unknown.
        """
        for fault in faults:
            if isinstance(fault, str):
                self._planned.append(None if fault == "none" else Fault.parse(fault))
            else:
                self._planned.append(fault)

    async def _reply(self, request: Request) -> Reply:
        body = request.body if self.keep_bodies else b""
        logged = Request(request.method, request.path, request.headers, body, self.clock())
        self.requests.append(logged)
        fault = self._next_fault() if request.method == "POST" else None
        reply = await self._handle_with(request, fault)
        if isinstance(fault, Fault) and fault.kind in AFTER:
            if reply.status == 200:
                reply = _spoil(reply, fault)
            else:
                self._planned.appendleft(fault)
                fault = None
        logged.fault = fault.kind if isinstance(fault, Fault) else fault.name if fault else None
        logged.status = reply.sent_status
        return reply

    def _next_fault(self) -> Fault | ApiError | None:
        if self._rate_limited:
            self._rate_limited -= 1
            return Fault("rate-limit", 0)
        fault = self._planned.popleft() if self._planned else self.faults.for_request()
        if isinstance(fault, Fault) and fault.kind == "rate-limit":
            self._rate_limited = int(fault.amount) - 1
        return fault

    async def _handle_with(self, request: Request, fault: Fault | ApiError | None) -> Reply:
        """Handle a request, unless its fault comes before that."""
        if isinstance(fault, ApiError):
            return self.error_reply(fault)
        kind, amount = (fault.kind, fault.amount) if fault else ("", 0.0)
        if kind == "rate-limit":
            return self.error_reply(self.rate_limit.exceeded())
        if kind in BEFORE:
            return _not_accepted(kind, amount)
        return await self.handle(request, slow=amount if kind == "slow" else 0)


def _not_accepted(kind: str, amount: float) -> Reply:
    """Return the reply of a fault that comes before acceptance."""
    if kind == "drop-before":
        return Reply(0, b"", ending="reset")
    if kind == "hang-before":
        return Reply(0, b"", ending="hang", hang=amount)
    return _page(int(kind[:3]))


def _spoil(reply: Reply, fault: Fault) -> Reply:
    """Return what a fault that comes after acceptance makes of a reply."""
    match fault.kind:
        case "hang-after":
            return Reply(reply.status, b"", ending="hang", hang=fault.amount)
        case "drop-after":
            return Reply(reply.status, b"", ending="close")
        case "cut":
            return Reply(reply.status, reply.body, reply.headers, ending="cut")
        case "garbled":
            return Reply(reply.status, b"<!doctype html><title>Welcome</title>", reply.headers)
    return _page(500)


def _page(status: int) -> Reply:
    """Return the error page of a proxy in front of Resend."""
    page = f"<html><head><title>{status} {_PAGES[status]}</title></head><body><h1>{_PAGES[status]}</h1></body></html>"
    return Reply(status, page.encode(), {"content-type": "text/html; charset=UTF-8", "server": "cloudflare"})
