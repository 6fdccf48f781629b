"""How every answer of ours leaves: with a request id, never cached, and as a problem when it is a refusal."""

from __future__ import annotations

import re
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

from gatepost import log
from gatepost.errors import (
    FieldError,
    InternalError,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Problem,
    Refusal,
    UnsupportedMediaType,
    ValidationFailed,
    field_errors,
)
from gatepost.http import mount_registry as mounts
from gatepost.metrics import Metrics

MAX_BODY_BYTES = 1024 * 1024
_DRAINED_BYTES = 16 * MAX_BODY_BYTES
_HANDLERS = "starlette.exception_handlers"
# A key of our own: hosts like to keep something called request_id there themselves.
_REQUEST_ID = "gatepost_request_id"
_COUNTED = "gatepost_refusal_counted"
_WELL_FORMED_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

logger = log.get_logger()


def request_id(connection: HTTPConnection) -> str:
    """Return the id of this request: the caller's `X-Request-ID` if it is well formed, else one of ours."""
    state = connection.scope.setdefault("state", {})
    if _REQUEST_ID not in state:
        sent = connection.headers.get("x-request-id", "")
        state[_REQUEST_ID] = sent if _WELL_FORMED_ID.fullmatch(sent) else uuid.uuid4().hex
    return cast(str, state[_REQUEST_ID])


def answer(connection: HTTPConnection, refusal: Refusal) -> Response:
    """Return the problem+json response for a refusal (RFC 9457)."""
    count_refusal(connection, refusal, _metrics(connection.scope))
    identifier = request_id(connection)
    body = refusal.problem(identifier).model_dump_json(exclude_none=True)
    headers = {**refusal.headers, "X-Request-ID": identifier, "Cache-Control": "no-store"}
    return Response(body, refusal.status, headers, media_type="application/problem+json")


def count_refusal(connection: HTTPConnection, refusal: Refusal, metrics: Metrics | None) -> None:
    """Count a refusal once, whoever handles it; in a host's routes the guard alone is sure to see it."""
    state = connection.scope.setdefault("state", {})
    if metrics is not None and _COUNTED not in state:
        state[_COUNTED] = True
        metrics.refused(refusal.code)


def _metrics(scope: Scope) -> Metrics | None:
    mounted = mounts.candidates(scope)
    return cast(Metrics, mounted[0].metrics) if len(mounted) == 1 else None


def answer_in_host(connection: HTTPConnection) -> None:
    """Let the host's own routes answer our refusals as problems, unless the host handles `Refusal` itself."""
    if handlers := connection.scope.get(_HANDLERS):
        handlers[0].setdefault(Refusal, _on_refusal)


async def _on_refusal(request: Request, error: Exception) -> Response:
    return answer(request, cast(Refusal, error))


async def _on_invalid(request: Request, error: Exception) -> Response:
    return answer(request, ValidationFailed(errors=field_errors(cast(RequestValidationError, error).errors())))


async def _on_http(request: Request, error: Exception) -> Response:
    refusals: dict[int, type[Refusal]] = {
        400: ValidationFailed,
        404: NotFound,
        405: MethodNotAllowed,
        413: PayloadTooLarge,
    }
    refusal = refusals.get(cast(HTTPException, error).status_code, InternalError)()
    if isinstance(refusal, MethodNotAllowed):
        refusal.headers = {"Allow": ", ".join(sorted(_allowed_methods(request)))}
    return answer(request, refusal)


async def _on_hang_up(_request: Request, _error: Exception) -> Response:
    # Nobody reads it; but it is no crash.
    return Response(status_code=400)


async def _on_crash(request: Request, error: Exception) -> Response:
    logger.error("crashed", exc_info=error)
    return answer(request, InternalError())


EXCEPTION_HANDLERS: Mapping[Any, ExceptionHandler] = {
    Refusal: cast(ExceptionHandler, _on_refusal),
    RequestValidationError: cast(ExceptionHandler, _on_invalid),
    HTTPException: cast(ExceptionHandler, _on_http),
    ClientDisconnect: _on_hang_up,
    Exception: cast(ExceptionHandler, _on_crash),
}


def _allowed_methods(request: Request) -> set[str]:
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    allowed: dict[int, set[str]] = {}
    for context in iter_route_contexts(request.app.routes):
        pattern = getattr(context, "path_regex", None)
        if pattern is not None and pattern.match(path):
            placeholders = (context.path_format or "").count("{")
            allowed.setdefault(placeholders, set()).update(context.methods or ())
    # An address with a name of its own is not one of those that a placeholder stands for.
    return allowed[min(allowed)] if allowed else set()


class RequestContext:
    """ASGI middleware: gives the request its id, counts and logs it when it is answered, and forbids caching.

    Wrapped around our own routes and around the standalone service; the outermost does the work.
    """

    def __init__(self, app: ASGIApp, *, only_https: bool = False) -> None:
        self.app = app
        self._only_https = only_https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or _REQUEST_ID in scope.setdefault("state", {}):
            await self.app(scope, receive, send)
            return
        identifier = request_id(HTTPConnection(scope))
        started = time.perf_counter()
        status = 500

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = identifier
                headers["X-Content-Type-Options"] = "nosniff"
                if self._only_https:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=identifier):
            try:
                await self.app(scope, receive, send_marked)
            finally:
                took = round((time.perf_counter() - started) * 1000, 2)
                path = getattr(scope.get("route"), "path_format", None)
                logger.info("answered", method=scope["method"], route=path, status=status, ms=took)
                if metrics := _metrics(scope):
                    metrics.answered(scope["method"], path, status)


class ContractRoute(APIRoute):
    """A route of ours, whoever's app it is mounted in: bounded bodies, JSON only, and every error a problem."""

    max_body_bytes = MAX_BODY_BYTES

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, errors included."""
        bounded = ExceptionMiddleware(self._handle_bounded, EXCEPTION_HANDLERS)
        await RequestContext(bounded)(scope, receive, send)

    async def _handle_bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _BoundedBody(receive, self.max_body_bytes)
        headers = Headers(scope=scope)
        if int(_digits(headers.get("content-length"))) > self.max_body_bytes:
            await body.refuse()
        if repeated := _repeated(scope["query_string"]):
            msg = "is given more than once"
            raise ValidationFailed(errors=[FieldError(loc=["query", repeated], msg=msg, type="repeated")])
        if self.body_field is not None and _has_body(headers) and not _is_json(headers):
            raise UnsupportedMediaType
        await super().handle(scope, body.receive, send)


class _BoundedBody:
    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._most = most
        self._received = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self._most:
            await self.refuse(more=message.get("more_body", False))
        return message

    async def refuse(self, more: bool = True) -> None:
        # A client still writing its body would see a broken pipe in place of our answer.
        while more and self._received < _DRAINED_BYTES:
            message = await self._receive()
            self._received += len(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)
        # FastAPI lets no other exception pass while it reads a body.
        raise HTTPException(PayloadTooLarge.status)


def _repeated(query: bytes) -> str | None:
    """Return a parameter that stands there twice: no address takes lists, and which one counts nobody could say."""
    names = Counter(name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    return next((name[:100] for name, times in names.items() if times > 1), None)


def _digits(value: str | None) -> str:
    return value if value and value.isascii() and value.isdigit() and len(value) < 20 else "0"


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _is_json(headers: Headers) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or bool(re.fullmatch(r"application/[a-z0-9.-]+\+json", media_type))


ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        401: "Not signed in, or no longer",
        403: "Not allowed",
        404: "Not found",
        409: "In conflict with what is there",
        410: "The link has been used, or has expired",
        413: "The body is too large",
        415: "The body is not JSON",
        422: "Not of the form that this address takes",
        428: "If-Match is missing",
        429: "Too many attempts",
        500: "Something went wrong on our side",
        503: "The database cannot be reached",
    }.items()
}


def refuses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses for the refusals of an operation, with those that any operation can give."""
    return {status: ERROR_RESPONSES[status] for status in (*statuses, 500, 503)}
