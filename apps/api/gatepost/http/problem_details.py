"""Errors as `application/problem+json` responses (RFC 9457), in Gatepost's routes and in a host's."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any, cast

from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette import status
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ExceptionHandler, Scope
from starlette.websockets import WebSocket

from gatepost import log
from gatepost.errors import (
    ApiError,
    InternalError,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Problem,
    ValidationFailed,
    field_errors,
)
from gatepost.http.mount_registry import find_mounts
from gatepost.metrics import Metrics

_HANDLERS = "starlette.exception_handlers"
# Prefixed, because hosts often keep a `request_id` of their own in the request's state.
_REQUEST_ID = "gatepost_request_id"
_COUNTED = "gatepost_error_counted"
_VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

logger = log.get_logger()


def request_id(connection: HTTPConnection) -> str:
    """Return the id of a request: the client's `X-Request-ID` if it is well-formed, or else a new one."""
    state = connection.scope.setdefault("state", {})
    if _REQUEST_ID not in state:
        sent = connection.headers.get("x-request-id", "")
        state[_REQUEST_ID] = sent if _VALID_REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
    return cast(str, state[_REQUEST_ID])


def has_request_id(scope: Scope) -> bool:
    """Return whether a request already has its id."""
    return _REQUEST_ID in scope.setdefault("state", {})


def problem_response(connection: HTTPConnection, error: ApiError) -> Response:
    """Return the problem response of an error, and count it."""
    count_error(connection, error, find_metrics(connection.scope))
    identifier = request_id(connection)
    body = error.problem(identifier).model_dump_json(exclude_none=True)
    headers = {**error.headers, "X-Request-ID": identifier, "Cache-Control": "no-store"}
    return Response(body, error.status, headers, media_type="application/problem+json")


def count_error(connection: HTTPConnection, error: ApiError, metrics: Metrics | None) -> None:
    """Count the error of a request once. In a host's routes, only the guard is certain to see it."""
    state = connection.scope.setdefault("state", {})
    if metrics is not None and _COUNTED not in state:
        state[_COUNTED] = True
        metrics.count_error(error.code)


def find_metrics(scope: Scope) -> Metrics | None:
    """Return the metrics of the mount that handles a request, or None if it is ambiguous."""
    mounted = find_mounts(scope)
    return cast(Metrics, mounted[0].metrics) if len(mounted) == 1 else None


def install_problem_handler(connection: HTTPConnection) -> None:
    """Make a host's route respond to Gatepost's errors with a problem, unless the host handles `ApiError` itself."""
    if handlers := connection.scope.get(_HANDLERS):
        handlers[0].setdefault(ApiError, _on_api_error)


async def _on_api_error(connection: HTTPConnection, error: Exception) -> Response | None:
    if isinstance(error, InternalError):
        logger.error("unhandled exception", exc_info=error)
    response = problem_response(connection, cast(ApiError, error))
    if not isinstance(connection, WebSocket):
        return response
    # Before it is accepted: the handshake gets the problem as its response, where the server can send one.
    if "websocket.http.response" in connection.scope.get("extensions", {}):
        await connection.send_denial_response(response)
    else:
        await connection.close(status.WS_1008_POLICY_VIOLATION)
    return None


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    errors = field_errors(cast(RequestValidationError, error).errors())
    return problem_response(request, ValidationFailed(errors=errors))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    by_status: dict[int, type[ApiError]] = {
        400: ValidationFailed,
        404: NotFound,
        405: MethodNotAllowed,
        413: PayloadTooLarge,
    }
    api_error = by_status.get(cast(HTTPException, error).status_code, InternalError)()
    if isinstance(api_error, MethodNotAllowed):
        api_error.headers = {"Allow": ", ".join(sorted(_allowed_methods(request)))}
    return problem_response(request, api_error)


async def _on_client_disconnect(_request: Request, _error: Exception) -> Response:
    # The client has disconnected and reads no response. This is not a server error.
    return Response(status_code=400)


async def _on_exception(request: Request, error: Exception) -> Response:
    logger.error("unhandled exception", exc_info=error)
    return problem_response(request, InternalError())


EXCEPTION_HANDLERS: Mapping[Any, ExceptionHandler] = {
    ApiError: cast(ExceptionHandler, _on_api_error),
    RequestValidationError: cast(ExceptionHandler, _on_invalid_request),
    HTTPException: cast(ExceptionHandler, _on_http_exception),
    ClientDisconnect: _on_client_disconnect,
    Exception: cast(ExceptionHandler, _on_exception),
}


def _allowed_methods(request: Request) -> set[str]:
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    allowed: dict[int, set[str]] = {}
    for context in iter_route_contexts(request.app.routes):
        pattern = getattr(context, "path_regex", None)
        if pattern is not None and pattern.match(path):
            parameters = (context.path_format or "").count("{")
            allowed.setdefault(parameters, set()).update(context.methods or ())
    # A literal path wins over one with parameters that matches too.
    return allowed[min(allowed)] if allowed else set()


ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        401: "Not signed in, or signed out",
        403: "Not allowed",
        404: "Not found",
        409: "Conflicts with the current state",
        410: "The link was already used or has expired",
        413: "The request body is too large",
        415: "The request body is not JSON",
        422: "Invalid request",
        428: "The If-Match header is missing",
        429: "Too many requests",
        500: "Internal error",
        503: "The service is temporarily unavailable",
    }.items()
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses for the errors of an operation, plus those that every operation can have."""
    return {status: ERROR_RESPONSES[status] for status in (*statuses, 500, 503)}
