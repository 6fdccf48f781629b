"""Gatepost's route class and request middleware: authentication, bounded bodies, request ids, headers, the log."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Annotated, Any
from urllib.parse import parse_qsl

import structlog
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import Field, TypeAdapter
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatepost import log
from gatepost.errors import FieldError, PayloadTooLarge, UnsupportedMediaType, ValidationFailed
from gatepost.http.bodies import MAX_BODY_BYTES, BoundedBody, parse_body, parse_json
from gatepost.http.dependencies import find_runtime
from gatepost.http.guard import Guard, authenticate
from gatepost.http.problem_details import EXCEPTION_HANDLERS, find_metrics, has_request_id, request_id

# OWASP ASVS 3.4.1: for a year, subdomains included.
_HSTS = "max-age=31536000; includeSubDomains"
# OWASP ASVS 3.2.1, 3.4.3, 3.4.6: what is no page loads nothing, runs nothing and is in no frame, even if a browser
# shows it as one.
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"

# For FastAPI's `/docs`, which loads scripts from a CDN and does not exist in production.
_NO_FRAME = "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

# Its headers replace those of the page that the browser has stored (RFC 9111, 3.2).
_NOT_MODIFIED = 304
_MAX_PARAMETERS = 50

logger = log.get_logger()


class RequestContext:
    """ASGI middleware: gives a request its id, logs and counts the response, and sets headers that forbid caching.

    It wraps each of Gatepost's routes and the standalone service; only the outermost instance does anything.
    """

    def __init__(self, app: ASGIApp, *, https_only: bool = False) -> None:
        self.app = app
        self._https_only = https_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or has_request_id(scope):
            await self.app(scope, receive, send)
            return
        identifier = request_id(HTTPConnection(scope))
        started = time.perf_counter()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = identifier
                headers["X-Content-Type-Options"] = "nosniff"
                if self._https_only:
                    headers["Strict-Transport-Security"] = _HSTS
                headers.setdefault("Cache-Control", "no-store")
                if status != _NOT_MODIFIED:
                    # Pages and rendered emails have policies of their own.
                    is_page = headers.get("content-type", "").startswith("text/html")
                    headers.setdefault("Content-Security-Policy", _NO_FRAME if is_page else _NOTHING)
                    headers.setdefault("Referrer-Policy", "no-referrer")
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=identifier):
            try:
                await self.app(scope, receive, send_with_headers)
            finally:
                duration = round((time.perf_counter() - started) * 1000, 2)
                route = getattr(scope.get("route"), "path_format", None)
                log.request(logger, method=scope["method"], route=route, status=status, ms=duration)
                if metrics := find_metrics(scope):
                    metrics.count_request(scope["method"], route, status)


class ApiRoute(APIRoute):
    """A route of Gatepost's API, in any app: every error is a problem response, and bodies are bounded JSON.

    A request is authenticated before its body is read: what is sent without credentials costs nothing but its reading.
    """

    max_body_bytes = MAX_BODY_BYTES
    # Health checks use the IP address of one process.
    any_host = False

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, errors included."""
        bounded = ExceptionMiddleware(self._handle_bounded, EXCEPTION_HANDLERS)
        await RequestContext(bounded)(scope, receive, send)

    async def _handle_bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.any_host:
            connection = HTTPConnection(scope)
            find_runtime(connection).hosts.check(connection)
        if _content_length(Headers(scope=scope)) > self.max_body_bytes:
            raise PayloadTooLarge
        await super().handle(scope, BoundedBody(receive, self.max_body_bytes).receive, send)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of a request: FastAPI's, after the checks that come before it reads and parses a body."""
        handle = super().get_route_handler()
        guards = _guards(self.dependant)
        body = self.body_field and self.body_field.field_info
        # The type is known at run time only.
        type_: Any = Annotated[(body.annotation, Field(), *body.metadata)] if body else None
        json_body = TypeAdapter[Any](type_) if body else None

        async def handle_checked(request: Request) -> Response:
            await authenticate(request, guards)
            _check_query(request.scope["query_string"])
            if json_body is not None:
                if _has_body(request.headers) and not _is_json(request.headers):
                    raise UnsupportedMediaType
                # FastAPI finds the body read, parsed and validated: it accepts instances of a model as they are.
                if raw := await request.body():
                    request._json = await parse_body(request, raw, partial(parse_json, json_body))  # noqa: SLF001
            return await handle(request)

        return handle_checked


def _guards(dependant: Dependant) -> list[Guard]:
    found: list[Guard] = []
    for each in dependant.dependencies:
        found += [each.call] if isinstance(each.call, Guard) else _guards(each)
    return found


def _check_query(query: bytes) -> None:
    """Require few query parameters, each given once. No route takes lists, so it is ambiguous which value counts.

    Raises:
        ValidationFailed: there are too many, or one was given twice.
    """
    if query.count(b"&") >= _MAX_PARAMETERS:
        error = FieldError(loc=["query"], msg=f"has more than {_MAX_PARAMETERS} parameters", type="too_many")
        raise ValidationFailed(errors=[error])
    names = Counter(name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    repeated = next((name[:100] for name, times in names.items() if times > 1), None)
    if repeated is not None:
        error = FieldError(loc=["query", repeated], msg="was given more than once", type="repeated")
        raise ValidationFailed(errors=[error])


def _content_length(headers: Headers) -> int:
    value = headers.get("content-length", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else 0


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _is_json(headers: Headers) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or bool(re.fullmatch(r"application/[a-z0-9.-]+\+json", media_type))
