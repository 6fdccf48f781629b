"""The guard on WebSockets: refused before they are accepted, and never opened by another origin's cookie."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

import gatepost
from tests.support import PASSWORD, http_client, make_settings, serve_app

ORIGIN = "https://app.example.com"


def make_app(database_url: str) -> FastAPI:
    app = FastAPI()
    settings = make_settings(database_url, public_url=f"{ORIGIN}/account")
    app.include_router(gatepost.create_router(settings), prefix="/account")

    @app.websocket("/live")
    async def live(websocket: WebSocket, session: gatepost.CurrentSession) -> None:
        await websocket.accept()
        await websocket.send_text(str(session.id))
        await websocket.close()

    @app.websocket("/danger")
    async def danger(websocket: WebSocket, session: gatepost.RecentSession) -> None:
        await websocket.accept()
        await websocket.close()

    return app


@pytest.fixture
async def host(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serve_app(make_app(database_url)) as url, http_client(url) as client:
        yield client


async def sign_in(host: httpx.AsyncClient) -> tuple[str, str]:
    """Return the access token and the id of a new session."""
    form = {"email": "ada@example.com", "password": PASSWORD}
    body = (await host.post("/account/v1/auth/register", json=form)).json()
    return body["access_token"], body["session"]["id"]


def socket_url(host: httpx.AsyncClient, path: str = "/live") -> str:
    return str(host.base_url).replace("http", "ws").rstrip("/") + path


async def refused(host: httpx.AsyncClient, headers: dict[str, str], path: str = "/live") -> tuple[int, str]:
    """Return the status and code with which a WebSocket is refused before it is accepted."""
    with pytest.raises(InvalidStatus) as caught:
        await connect(socket_url(host, path), additional_headers=headers)
    response = caught.value.response
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, json.loads(response.body or b"{}")["code"]


async def test_a_session_opens_a_websocket_by_bearer_header_or_cookie(host: httpx.AsyncClient) -> None:
    token, session = await sign_in(host)
    bearer = {"Authorization": f"Bearer {token}"}
    by_cookie = {"Cookie": f"__Host-gatepost={token}", "Origin": ORIGIN}
    for headers in (bearer, by_cookie):
        async with connect(socket_url(host), additional_headers=headers) as websocket:
            assert await websocket.recv() == session


async def test_without_a_session_a_websocket_is_refused_before_it_is_accepted(host: httpx.AsyncClient) -> None:
    token, session = await sign_in(host)
    bearer = {"Authorization": f"Bearer {token}"}
    for path in ("/live", "/danger"):
        assert await refused(host, {}, path) == (401, "not_authenticated")
        assert await refused(host, {"Authorization": "Bearer x"}, path) == (401, "token_invalid")
    assert (await host.delete(f"/account/v1/sessions/{session}", headers=bearer)).status_code == 204
    assert await refused(host, bearer) == (401, "session_revoked")


@pytest.mark.parametrize("origin", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
async def test_another_origin_cannot_open_a_websocket_by_cookie(
    host: httpx.AsyncClient, origin: dict[str, str]
) -> None:
    """Cross-site WebSocket hijacking: browsers add cookies to the handshake whatever page it comes from."""
    token, _ = await sign_in(host)
    headers = {"Cookie": f"__Host-gatepost={token}", **origin}
    assert await refused(host, headers) == (403, "csrf_failed")


async def test_a_server_that_cannot_send_a_response_closes_the_websocket(database_url: str) -> None:
    app = make_app(database_url)

    async def without_extension(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            scope = {**scope, "extensions": {}}
        await app(scope, receive, send)

    async with serve_app(without_extension) as url:  # type: ignore[arg-type]
        with pytest.raises(InvalidStatus) as caught:
            await connect(url.replace("http", "ws") + "/live")
        # How uvicorn tells a client that a WebSocket was closed before it was accepted.
        assert caught.value.response.status_code == 403
