"""`X-Forwarded-For` under a host's uvicorn, which trusts proxies of its own choice and replaces the client."""

from __future__ import annotations

import logging

import pytest
import uvicorn
from fastapi import FastAPI

import gatepost
from tests.support import PASSWORD, http_client, make_settings, serve_app

WARNING = "uvicorn trusts X-Forwarded-For from others than GATEPOST_TRUSTED_PROXIES"


@pytest.mark.parametrize(
    ("uvicorn_trusts", "we_trust", "sent", "expected", "is_warned"),
    [
        # Uvicorn's default trusts every program on this machine.
        ("127.0.0.1", "", "203.0.113.9", None, True),
        ("*", "", "203.0.113.9", None, True),
        ("*", "127.0.0.1", "203.0.113.9, 198.51.100.7", None, True),
        ("127.0.0.1,10.0.0.0/8", "127.0.0.1", "203.0.113.9", None, True),
        ("127.0.0.1", "127.0.0.0/8", "203.0.113.9", "203.0.113.9", False),
        ("127.0.0.1", "127.0.0.1", "198.51.100.7, 203.0.113.9", "203.0.113.9", False),
        # Without uvicorn's handling, and where it does not trust the peer.
        (None, "127.0.0.1", "198.51.100.7, 203.0.113.9", "203.0.113.9", False),
        (None, "", "203.0.113.9", "127.0.0.1", False),
        ("10.0.0.1", "", "203.0.113.9", "127.0.0.1", True),
        ("127.0.0.1", "", "", "127.0.0.1", True),
    ],
)
async def test_only_trusted_proxies_are_believed(
    database_url: str,
    caplog: pytest.LogCaptureFixture,
    uvicorn_trusts: str | None,
    we_trust: str,
    sent: str,
    expected: str | None,
    is_warned: bool,
) -> None:
    app = FastAPI()
    app.include_router(gatepost.create_router(make_settings(database_url, trusted_proxies=we_trust)), prefix="/account")
    options = {"proxy_headers": uvicorn_trusts is not None, "forwarded_allow_ips": uvicorn_trusts}
    with caplog.at_level(logging.WARNING, "gatepost"):
        async with serve_app(app, **options) as url, http_client(url) as client:
            form = {"email": "ada@example.com", "password": PASSWORD}
            headers = {"X-Forwarded-For": sent} if sent else {}
            response = await client.post("/account/v1/auth/register", json=form, headers=headers)
            assert response.json()["session"]["ip"] == expected
    assert (WARNING in caplog.text) is is_warned


def test_uvicorn_still_replaces_clients_as_we_expect() -> None:
    """What the handling relies on: the name of uvicorn's middleware, and that it is on by default."""
    config = uvicorn.Config(FastAPI(), log_config=None)
    config.load()
    assert type(config.loaded_app).__name__ == "ProxyHeadersMiddleware"
