"""The hosts that the standalone service answers for, its pages included."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from gatepost.errors import HostNotAllowed
from gatepost.http.problem_details import problem_response
from gatepost.security import Hosts

# Probed and scraped by the IP address of one process. They have no cookies and no personal data.
_ANY_HOST = frozenset({"/healthz", "/readyz", "/metrics"})


class AllowedHosts:
    """ASGI middleware: rejects requests for other hosts. A mounted router checks its own routes only (`ApiRoute`)."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self.app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"] not in _ANY_HOST:
            connection = HTTPConnection(scope)
            if not self._hosts.allow(connection):
                await problem_response(connection, HostNotAllowed())(scope, receive, send)
                return
        await self.app(scope, receive, send)
