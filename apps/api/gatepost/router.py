"""The router: joins the rooms; its lifespan opens the runtime."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from gatepost import health as operations
from gatepost import runtime
from gatepost.accounts import recovery
from gatepost.accounts import routes as accounts
from gatepost.admin import routes as admin
from gatepost.http import mount_registry as mounts
from gatepost.http.problems import ContractRoute
from gatepost.mail.mailbox import routes as mailbox
from gatepost.mail.notifications import routes as notices
from gatepost.mail.outbox import routes as outbox
from gatepost.mail.templates import routes as templates
from gatepost.sessions import routes as sessions
from gatepost.sessions.events import Hook
from gatepost.sessions.guard import SessionGuard
from gatepost.settings import Settings

# The routes themselves rather than their routers: of routers within routers, FastAPI builds every route once more.
_ROUTES = [
    route
    for room in (
        *(accounts.router, recovery.router, sessions.router, admin.router),
        *(templates.router, templates.language, outbox.router, outbox.sending, mailbox.router, notices.router),
        operations.router,
    )
    for route in room.routes
]
_FIRST_SEGMENTS = frozenset("/" + cast(APIRoute, route).path.split("/")[1] for route in _ROUTES)


class GatepostRouter(APIRouter):
    """One mounted Gatepost.

    Where an app mounts several, its routes depend on `router.require_session` of the one they mean.
    """

    def __init__(self, settings: Settings, on_session_ended: Hook | None = None) -> None:
        self.settings = settings
        self._on_session_ended = on_session_ended
        self.mount_key = f"{mounts.MOUNT_PREFIX}{id(self)}"
        self.require_session = SessionGuard(self.mount_key)
        super().__init__(
            routes=_ROUTES,
            lifespan=self._lifespan,
            route_class=ContractRoute,
            generate_unique_id_function=lambda route: route.name,
        )

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell which of our routes a request is for; a host's own request is not held up by a look at each of them."""
        path = scope.get("path", "")
        if any(segment in path for segment in _FIRST_SEGMENTS):
            return super().matches(scope)
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; of several mounts in one app, everything below this router is to find this one."""
        state = scope.setdefault("state", {})
        if self.mount_key in state:
            state[mounts.SELECTED] = state[self.mount_key]
        await super().handle(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Any) -> AsyncIterator[dict[str, runtime.Runtime]]:
        async with (
            runtime.opened(self.settings) as opened,
            opened.carrying_mail(),
            opened.carrying_webhooks(),
            opened.telling(self._on_session_ended),
        ):
            yield {self.mount_key: opened}


def create_router(settings: Settings | None = None, *, on_session_ended: Hook | None = None) -> GatepostRouter:
    """Return Gatepost as a router for `app.include_router(..., prefix=...)`, with any prefix.

    Without settings, those of the environment count. Use `include_router`, not `mount`: a mounted app's lifespan does
    not run, and that is where the database is opened.

    `on_session_ended(session)` is awaited in this process whenever a session ends, whoever ended it and in whichever
    process, within milliseconds of the commit: to close sockets and clear caches. It is told once; after a lost
    connection to the database it is told what it missed. A session that nobody uses any more ends when it is next met.

    Raises:
        ConfigurationError: a setting is missing or wrong.
    """
    return GatepostRouter(settings or Settings(), on_session_ended)
