"""The standalone service: the router in an app of its own."""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from gatepost.http import EXCEPTION_HANDLERS, AllowedHosts, RequestContext, serve_pages
from gatepost.router import chosen_parts, create_router
from gatepost.security import Cookies, Hosts
from gatepost.settings import Part, Settings

_PROBLEM = "application/problem+json"


def create_app(settings: Settings | None = None, *, include: Collection[Part] | None = None) -> FastAPI:
    """Return the standalone service as an ASGI app, with all parts or those in `include` (default: `INCLUDE`).

    Raises:
        ConfigurationError: a setting is missing or wrong.
    """
    settings = settings or Settings()
    in_production = settings.environment == "production"
    app = FastAPI(
        title="Gatepost",
        version=version("gatepost"),
        summary="Multi-device sessions and transactional email",
        docs_url=None if in_production else "/docs",
        redoc_url=None,
        exception_handlers=dict(EXCEPTION_HANDLERS),
    )
    parts = chosen_parts(settings, include)
    app.include_router(create_router(settings, include=parts))
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_credentials=True,
            allow_methods=["*"],
            allow_headers=["Authorization", "Content-Type", "If-Match", "Idempotency-Key", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After", "ETag"],
        )
    if "pages" in parts:
        serve_pages(app)
    app.add_middleware(AllowedHosts, hosts=Hosts(settings))
    app.add_middleware(RequestContext, https_only=settings.secure_cookies)
    _describe(app, Cookies(settings).access)
    return app


def _describe(app: FastAPI, cookie_name: str) -> None:
    """Add to the OpenAPI document what FastAPI cannot know: the media type of problems, and cookie authentication."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            for path in document["paths"].values():
                for operation in path.values():
                    _describe_operation(operation)
            schemes = document["components"].setdefault("securitySchemes", {})
            schemes["SessionCookie"] = {"type": "apiKey", "in": "cookie", "name": cookie_name}
        return app.openapi_schema or generate()

    app.openapi = openapi  # type: ignore[method-assign]


def _describe_operation(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if int(status) >= 400 and content:
            _, described = content.popitem()
            content[_PROBLEM] = described
    if "security" in operation:
        operation["security"].append({"SessionCookie": []})
