"""The server: a Resend on a port, and what goes wrong on the way to it and back."""

from __future__ import annotations

from collections import deque
from typing import Any, Self

from tests.resend.api import Resend
from tests.resend.mischief import AFTER, BEFORE, Mischief, Mishap
from tests.resend.rules import ApiError
from tests.resend.wire import Listener, Reply, Request

_PAGES = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Temporarily Unavailable"}


class FakeResend(Resend):
    """A Resend in the running event loop, on a free port of the loopback interface; `url` is its base URL.

    It takes what `Resend` takes, and `mischief` that comes by chance; `next` plans it. `requests` is the log of all
    requests, with their bodies where `keep_bodies` is set.
    """

    def __init__(self, *, mischief: Mischief | None = None, **account: Any) -> None:
        super().__init__(**account)
        self.url = ""
        self.mischief = mischief or Mischief()
        self.requests: list[Request] = []
        self._planned: deque[Mishap | ApiError | None] = deque()
        self._storm = 0
        self._listener = Listener(self._answer)

    async def __aenter__(self) -> Self:
        self.url = f"http://127.0.0.1:{await self._listener.open()}"
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._listener.close()
        finally:
            await self._courier.close()

    def next(self, *mischiefs: str | ApiError) -> None:
        """Plan what happens to the next POSTs: "kind", "kind:number", "none" for nothing, or a refusal of your own.

        What happens after acceptance waits for a request that is answered with 200.

        Raises:
            ValueError: there is no such kind.
        """
        for one in mischiefs:
            self._planned.append(one if isinstance(one, ApiError) else None if one == "none" else Mishap.parse(one))

    async def _answer(self, request: Request) -> Reply:
        body = request.body if self.keep_bodies else b""
        logged = Request(request.method, request.path, request.headers, body, self.clock())
        self.requests.append(logged)
        mishap = self._drawn() if request.method == "POST" else None
        reply = await self._reply(request, mishap)
        if isinstance(mishap, Mishap) and mishap.kind in AFTER:
            if reply.status == 200:
                reply = _spoilt(reply, mishap)
            else:
                self._planned.appendleft(mishap)
                mishap = None
        logged.mischief = mishap.kind if isinstance(mishap, Mishap) else mishap.name if mishap else None
        logged.status = reply.sent_status
        return reply

    def _drawn(self) -> Mishap | ApiError | None:
        if self._storm:
            self._storm -= 1
            return Mishap("storm", 0)
        drawn = self._planned.popleft() if self._planned else self.mischief.for_request()
        if isinstance(drawn, Mishap) and drawn.kind == "storm":
            self._storm = int(drawn.amount) - 1
        return drawn

    async def _reply(self, request: Request, mishap: Mishap | ApiError | None) -> Reply:
        """Answer a request, unless what goes wrong comes before that."""
        if isinstance(mishap, ApiError):
            return self.refused(mishap)
        kind, amount = (mishap.kind, mishap.amount) if mishap else ("", 0.0)
        if kind == "storm":
            return self.refused(self.pace.exceeded())
        if kind in BEFORE:
            return _nothing(kind, amount)
        return await self.handle(request, slow=amount if kind == "slow" else 0)


def _nothing(kind: str, amount: float) -> Reply:
    """Return what comes back where nothing was accepted."""
    if kind == "drop-before":
        return Reply(0, b"", ending="reset")
    if kind == "hang-before":
        return Reply(0, b"", ending="hang", hang=amount)
    return _page(int(kind[:3]))


def _spoilt(reply: Reply, mishap: Mishap) -> Reply:
    """Return what becomes of the answer to something that was accepted."""
    match mishap.kind:
        case "hang-after":
            return Reply(reply.status, b"", ending="hang", hang=mishap.amount)
        case "drop-after":
            return Reply(reply.status, b"", ending="close")
        case "cut":
            return Reply(reply.status, reply.body, reply.headers, ending="cut")
        case "garbled":
            return Reply(reply.status, b"<!doctype html><title>Welcome</title>", reply.headers)
    return _page(500)


def _page(status: int) -> Reply:
    """Return the page of a proxy in front, which knows nothing of Resend's errors."""
    page = f"<html><head><title>{status} {_PAGES[status]}</title></head><body><h1>{_PAGES[status]}</h1></body></html>"
    return Reply(status, page.encode(), {"content-type": "text/html; charset=UTF-8", "server": "cloudflare"})
