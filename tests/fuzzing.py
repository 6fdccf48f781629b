"""What the fuzzer must know of our formats, and how it signs in as an admin."""

from __future__ import annotations

from typing import Any

import httpx
import schemathesis
from hypothesis import strategies as st

from gatepost.http import pagination as paging
from tests.support import PASSWORD, TLS

ADMIN = "boss@example.org"

schemathesis.openapi.format(
    "email", st.builds("{}{}@example.com".format, st.sampled_from(["ada", "bob", "eve"]), st.integers(0, 10**9))
)
schemathesis.openapi.format(
    "cursor", st.builds(paging.encode, st.integers(0, 2), st.integers(-(2**50), 2**50), st.uuids())
)
schemathesis.openapi.format("ipvanynetwork", st.ip_addresses().map(str))


def has_foreign_cursor(case: Any) -> bool:
    """Tell whether the strategy made a cursor of one's own sessions for another list."""
    return str((case.query or {}).get("cursor", "")).startswith("Wz")


_tokens: dict[str, str] = {}


def admin_token(service_url: str) -> str:
    """Return a token of the admin's that still holds: an act of staff may have ended every session there was."""
    with httpx.Client(base_url=service_url, verify=TLS) as client:
        kept = _tokens.get(service_url)
        if kept and client.get("/v1/me", headers={"Authorization": f"Bearer {kept}"}).is_success:
            return kept
        answer = client.post("/v1/auth/login", json={"email": ADMIN, "password": PASSWORD})
    _tokens[service_url] = str(answer.raise_for_status().json()["access_token"])
    return _tokens[service_url]
