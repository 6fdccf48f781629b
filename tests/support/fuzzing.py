"""What Schemathesis needs to know about our formats, and how it signs in as an admin."""

from __future__ import annotations

from typing import Any

import httpx
import schemathesis
from hypothesis import strategies as st

from gatepost.http import pagination as paging
from tests.support.service import PASSWORD, SSL_CONTEXT

ADMIN_EMAIL = "boss@example.org"

schemathesis.openapi.format(
    "email", st.builds("{}{}@example.com".format, st.sampled_from(["ada", "bob", "eve"]), st.integers(0, 10**9))
)
schemathesis.openapi.format(
    "cursor", st.builds(paging.encode, st.integers(0, 2), st.integers(-(2**50), 2**50), st.uuids())
)
# Not any text, of which some are common passwords.
schemathesis.openapi.format("password", st.uuids().map(str))
schemathesis.openapi.format("ipvanynetwork", st.ip_addresses().map(str))


def _is_sent(value: Any) -> bool:
    """Return whether a query parameter of this value reaches the server: a list without elements is not in a URL."""
    return any(map(_is_sent, value)) if isinstance(value, list | dict) else True


@schemathesis.hook
def filter_query(_context: Any, query: dict[str, Any] | None) -> bool:
    """Reject queries with a parameter that is not sent: to the server, they are valid."""
    return all(map(_is_sent, (query or {}).values()))


def has_foreign_cursor(case: Any) -> bool:
    """Return whether the strategy generated a cursor of `/v1/sessions` for another list."""
    return str((case.query or {}).get("cursor", "")).startswith("Wz")


_tokens: dict[str, str] = {}


def admin_token(service_url: str) -> str:
    """Return an access token of the admin that is valid now: any fuzzed request may have revoked every session."""
    with httpx.Client(base_url=service_url, verify=SSL_CONTEXT) as client:
        last = _tokens.get(service_url)
        if last and client.get("/v1/me", headers={"Authorization": f"Bearer {last}"}).is_success:
            return last
        response = client.post("/v1/auth/login", json={"email": ADMIN_EMAIL, "password": PASSWORD})
    _tokens[service_url] = str(response.raise_for_status().json()["access_token"])
    return _tokens[service_url]
