"""Gatepost's route class and request middleware: bounded JSON bodies, request ids, headers, the access log."""

from __future__ import annotations

import re
import time
from collections import Counter
from urllib.parse import parse_qsl

import structlog
from fastapi.routing import APIRoute
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatepost import log
from gatepost.errors import FieldError, PayloadTooLarge, UnsupportedMediaType, ValidationFailed
from gatepost.http.problem_details import EXCEPTION_HANDLERS, find_metrics, has_request_id, request_id

MAX_BODY_BYTES = 1024 * 1024
# Of a body that is too large, this much is read and discarded before the response.
_DRAINED_BYTES = 16 * MAX_BODY_BYTES

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
                    headers["Strict-Transport-Security"] = "max-age=31536000"
                headers.setdefault("Cache-Control", "no-store")
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
    """A route of Gatepost's API, in any app: bounded bodies, JSON only, and every error a problem response."""

    max_body_bytes = MAX_BODY_BYTES

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, errors included."""
        bounded = ExceptionMiddleware(self._handle_bounded, EXCEPTION_HANDLERS)
        await RequestContext(bounded)(scope, receive, send)

    async def _handle_bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _BoundedBody(receive, self.max_body_bytes)
        headers = Headers(scope=scope)
        if _content_length(headers) > self.max_body_bytes:
            await body.reject()
        if repeated := _repeated_parameter(scope["query_string"]):
            error = FieldError(loc=["query", repeated], msg="was given more than once", type="repeated")
            raise ValidationFailed(errors=[error])
        if self.body_field is not None and _has_body(headers) and not _is_json(headers):
            raise UnsupportedMediaType
        await super().handle(scope, body.receive, send)


class _BoundedBody:
    def __init__(self, receive: Receive, max_bytes: int) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._received = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self._max_bytes:
            await self.reject(more=message.get("more_body", False))
        return message

    async def reject(self, more: bool = True) -> None:
        # A client that is still writing its body would see a broken pipe instead of the response.
        while more and self._received < _DRAINED_BYTES:
            message = await self._receive()
            self._received += len(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)
        # The only exception that FastAPI lets through while it reads a body.
        raise HTTPException(PayloadTooLarge.status)


def _repeated_parameter(query: bytes) -> str | None:
    """Return a query parameter that was given twice. No route takes lists, so it is ambiguous which value counts."""
    names = Counter(name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    return next((name[:100] for name, times in names.items() if times > 1), None)


def _content_length(headers: Headers) -> int:
    value = headers.get("content-length", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else 0


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _is_json(headers: Headers) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or bool(re.fullmatch(r"application/[a-z0-9.-]+\+json", media_type))
