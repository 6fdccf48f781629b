"""What routes depend on: the runtime of their mount, and one transaction per request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from gatepost import db
from gatepost.http.client_ip import resolve_client_ip
from gatepost.http.mount_registry import find_mounts
from gatepost.types import IPAddress

if TYPE_CHECKING:
    from gatepost.runtime import Runtime


def find_runtime(connection: HTTPConnection, mount: str | None = None) -> Runtime:
    """Return the runtime of a mount; without a key, that of the router handling the request, or else the only one.

    Raises:
        RuntimeError: no Gatepost is mounted, or several are and it is ambiguous which one is meant. Both are mistakes
            in the host's code.
    """
    mounted = find_mounts(connection.scope, mount)
    if len(mounted) == 1:
        return cast("Runtime", mounted[0])
    if mounted:
        raise RuntimeError(
            "Several Gatepost routers are mounted in this app: depend on `router.require_session` of one of them."
        )
    raise RuntimeError(
        "Gatepost is not mounted in this app: call app.include_router(gatepost.create_router()), "
        "and make sure that the app's lifespan runs."
    )


def request_ip(connection: HTTPConnection, runtime: Runtime) -> IPAddress | None:
    """Return the IP address that a request comes from, or None if it is unknown."""
    peer = connection.client.host if connection.client else None
    forwarded_for = connection.headers.getlist("x-forwarded-for")
    server = runtime.forwarding_server
    if server is not None and server.has_replaced_client(connection, forwarded_for):
        # The peer is unknown, and one that the server trusts.
        return None if server.more_trusting_than_us else resolve_client_ip(peer, [], ())
    return resolve_client_ip(peer, forwarded_for, runtime.settings.trusted_proxies)


def _runtime(request: Request) -> Any:
    return find_runtime(request)


async def _transaction(request: Request) -> AsyncIterator[db.Connection]:
    async with find_runtime(request).database.transaction() as connection:
        yield connection


# FastAPI resolves the annotation at run time, where the runtime's type is not imported.
if TYPE_CHECKING:
    CurrentRuntime = Annotated[Runtime, Depends(_runtime)]
else:
    CurrentRuntime = Annotated[Any, Depends(_runtime)]

# The scope `function` commits before the response is sent, so what a response reports is durable.
Connection = Annotated[db.Connection, Depends(_transaction, scope="function")]
