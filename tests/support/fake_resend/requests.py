"""Requests to the fake Resend by hand."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.fake_resend.server import FakeResend


def resend_client(resend: FakeResend) -> httpx.AsyncClient:
    """Return a client with the API key of a fake Resend."""
    headers = {"Authorization": f"Bearer {resend.api_key}"}
    return httpx.AsyncClient(base_url=resend.url, headers=headers, timeout=5, trust_env=False)


def make_email(**changes: Any) -> dict[str, Any]:
    """Return the body of a request; `changes` replace members, None removes one."""
    members = {"from": "Acme <no-reply@acme.com>", "to": ["ada@example.com"], "subject": "Hello", "html": "<p>Hi</p>"}
    return {name: value for name, value in (members | changes).items() if value is not None}


def assert_api_error(response: httpx.Response, status: int, name: str, part: str = "") -> None:
    """Check that a response is an error of Resend's, whose message contains `part`."""
    body = response.json()
    assert (response.status_code, body["statusCode"], body["name"]) == (status, status, name)
    assert set(body) == {"statusCode", "name", "message"}
    assert part in body["message"]
