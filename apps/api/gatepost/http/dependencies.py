"""What routes are given: the runtime of their mount, and one transaction a request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Protocol, cast

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from gatepost.db import pool as db
from gatepost.db.pool import Database, Reader
from gatepost.geoip import Places
from gatepost.http import client_ip as address
from gatepost.http import mount_registry as mounts
from gatepost.mail.mailbox.service import Mailbox
from gatepost.mail.outbox.service import Emails
from gatepost.mail.templates.service import Templates
from gatepost.metrics import Metrics
from gatepost.security.access_tokens import AccessTokens
from gatepost.security.cookies import Cookies, Origins
from gatepost.security.known_devices import KnownDevices
from gatepost.security.link_tokens import LinkTokens
from gatepost.security.passwords import Passwords
from gatepost.security.rate_limits import Throttle
from gatepost.security.refresh_tokens import RefreshTokens
from gatepost.security.signing_keys import KeyRing
from gatepost.settings import Settings


class Runtime(Protocol):
    """What one mounted Gatepost consists of. `reader` is the guard's own."""

    settings: Settings
    database: Database
    reader: Reader
    passwords: Passwords
    keys: KeyRing
    access_tokens: AccessTokens
    refresh_tokens: RefreshTokens
    cookies: Cookies
    origins: Origins
    throttle: Throttle
    known_devices: KnownDevices
    links: LinkTokens
    metrics: Metrics
    places: Places
    templates: Templates
    emails: Emails
    mailbox: Mailbox


def find_runtime(connection: HTTPConnection, mount: str | None = None) -> Runtime:
    """Return the runtime of a mount; with None, of the router the request came through, else of the only one mounted.

    Raises:
        RuntimeError: there is none, or there are several and nothing says which: a mistake in the host's code.
    """
    mounted = mounts.candidates(connection.scope, mount)
    if len(mounted) == 1:
        return cast(Runtime, mounted[0])
    if mounted:
        raise RuntimeError("several Gateposts are mounted here: depend on `router.require_session` of one of them")
    raise RuntimeError(
        "Gatepost is not mounted here: app.include_router(gatepost.create_router()), and run the lifespan"
    )


def client_address(connection: HTTPConnection, runtime: Runtime) -> address.Address | None:
    """Return where the request comes from, as far as the trusted proxies tell."""
    peer = connection.client.host if connection.client else None
    forwarded_for = connection.headers.getlist("x-forwarded-for")
    return address.client_address(peer, forwarded_for, runtime.settings.trusted_proxies)


def _runtime(request: Request) -> Runtime:
    return find_runtime(request)


CurrentRuntime = Annotated[Runtime, Depends(_runtime)]


async def _transaction(runtime: CurrentRuntime) -> AsyncIterator[db.Connection]:
    async with runtime.database.transaction() as connection:
        yield connection


# The scope `function` ends the dependency before the answer is sent: what we say has happened has been committed.
Connection = Annotated[db.Connection, Depends(_transaction, scope="function")]
