"""The router: Gatepost's routes, to be included in an app; its lifespan opens the runtime."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, cast

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from gatepost import health
from gatepost.accounts import link_routes
from gatepost.accounts import routes as accounts
from gatepost.admin import routes as admin
from gatepost.errors import ConfigurationError
from gatepost.http import ApiRoute, find_forwarding_server, mount_key, select_mount
from gatepost.mail.mailbox import routes as mailbox
from gatepost.mail.notifications import routes as notifications
from gatepost.mail.outbox import routes as outbox
from gatepost.mail.templates import preview_routes
from gatepost.mail.templates import routes as templates
from gatepost.runtime import Runtime, open_runtime
from gatepost.sessions import SessionEndHook, SessionGuard
from gatepost.sessions import routes as sessions
from gatepost.settings import PARTS, Part, Settings

# In the order of the OpenAPI document. Routes without a part are always there.
_ROUTERS: tuple[tuple[Part | None, APIRouter], ...] = (
    ("registration", accounts.registration),
    (None, accounts.router),
    (None, link_routes.router),
    (None, sessions.router),
    ("admin", admin.bulk),
    ("admin", admin.router),
    ("templates", templates.router),
    ("templates", preview_routes.router),
    ("templates", templates.language),
    ("emails", outbox.router),
    ("emails", outbox.sending),
    (None, outbox.provider),
    ("mailbox", mailbox.router),
    (None, notifications.router),
    (None, health.router),
    ("metrics", health.metrics_router),
)


class GatepostRouter(APIRouter):
    """One mounted Gatepost.

    An app that includes several guards its routes with `router.require_session` of the one it means.
    """

    def __init__(
        self, settings: Settings, on_session_ended: SessionEndHook | None = None, parts: Collection[Part] = PARTS
    ) -> None:
        # The routes themselves and not their routers: FastAPI would build every route of a nested router twice.
        routes = [route for part, router in _ROUTERS if part is None or part in parts for route in router.routes]
        self._first_segments = frozenset("/" + cast(APIRoute, route).path.split("/")[1] for route in routes)
        self.settings = settings
        self._on_session_ended = on_session_ended
        self.mount_key = mount_key(self)
        self.require_session = SessionGuard(self.mount_key)
        super().__init__(
            routes=routes,
            lifespan=self._lifespan,
            route_class=ApiRoute,
            generate_unique_id_function=lambda route: route.name,
        )

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return the route for a request. A quick check spares the host's own requests a look at each route."""
        path = scope.get("path", "")
        if any(segment in path for segment in self._first_segments):
            return super().matches(scope)
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request with the runtime of this router, if the app includes several."""
        select_mount(scope, self.mount_key)
        await super().handle(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Any) -> AsyncIterator[dict[str, Runtime]]:
        forwarding_server = find_forwarding_server(self.settings.trusted_proxies)
        async with open_runtime(self.settings) as runtime, runtime.serving(self._on_session_ended):
            runtime.forwarding_server = forwarding_server
            yield {self.mount_key: runtime}


def chosen_parts(settings: Settings, include: Collection[Part] | None) -> frozenset[Part]:
    """Return the parts to include: the given ones, or else those of the setting `INCLUDE`.

    Raises:
        ConfigurationError: there is no such part.
    """
    parts = frozenset(settings.include if include is None else include)
    if unknown := parts - PARTS:
        raise ConfigurationError(f"include: {', '.join(sorted(unknown))} unknown; there are {', '.join(sorted(PARTS))}")
    return parts


def create_router(
    settings: Settings | None = None,
    *,
    include: Collection[Part] | None = None,
    on_session_ended: SessionEndHook | None = None,
) -> GatepostRouter:
    """Return Gatepost as a router for `app.include_router(..., prefix=...)`, with any prefix.

    Without settings, those of the environment are used. Use `include_router` and not `mount`: the lifespan of a mounted
    app does not run, and it is what opens the database.

    `include` names the parts to have: `registration`, `admin`, `templates`, `emails`, `mailbox`, `metrics`. Without it,
    the setting `INCLUDE` does, whose default is all. The routes of a part that is left out do not exist: a request gets
    the app's own 404. Sign-in, sessions, links in emails, `/healthz` and `/readyz` are always there.

    `on_session_ended(session)` is awaited in this process when any session ends, in any process, within milliseconds of
    the commit. Use it to close sockets and clear caches. It is called once per session, also for sessions that ended
    while the database connection was lost. A session that expires ends when it is next used or listed.

    Raises:
        ConfigurationError: a setting is missing or wrong.
    """
    settings = settings or Settings()
    return GatepostRouter(settings, on_session_ended, chosen_parts(settings, include))
