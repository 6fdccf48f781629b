"""Guards: the dependencies that authenticate a request, and run before its body is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection, Request

_RESULTS = "gatepost_guards"


class Guard(SecurityBase):
    """A dependency that lets a request pass, and returns who sent it."""

    async def __call__(self, connection: HTTPConnection) -> Any:
        """Return who sent a request."""
        raise NotImplementedError

    def earlier_result(self, connection: HTTPConnection) -> Any:
        """Return what this guard returned for the same request before its body was read; None if it was not asked."""
        results = connection.scope.get(_RESULTS)
        return results.get(self) if results else None


async def authenticate(request: Request, guards: Iterable[Guard]) -> None:
    """Ask the guards of a route, except those that the app overrides (`app.dependency_overrides`)."""
    overridden = getattr(request.app, "dependency_overrides", {})
    results = request.scope[_RESULTS] = {}
    for guard in guards:
        if guard not in overridden:
            results[guard] = await guard(request)
