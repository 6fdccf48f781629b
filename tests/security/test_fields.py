"""Fields that nobody may write or read, however a request asks for them (OWASP ASVS 8.2.3)."""

from __future__ import annotations

from uuid import uuid4

from tests.support import PASSWORD, Service
from tests.support.operations import OPERATIONS

SENDS_NO_MAIL = True

# What the tables have, and clients have no business with.
FORBIDDEN = {
    "role": "admin",
    "is_admin": True,
    "app_metadata": {"role": "admin"},
    "user_metadata": {"role": "admin"},
    "email_verified_at": "2020-01-01T00:00:00Z",
    "password_hash": "x",
    "id": str(uuid4()),
    "user_id": str(uuid4()),
    "session_id": str(uuid4()),
    "created_at": "2020-01-01T00:00:00Z",
    "authenticated_at": "2099-01-01T00:00:00Z",
    "expires_at": "2099-01-01T00:00:00Z",
    "disabled_at": None,
    "ended_at": None,
    "ip": "192.0.2.1",
    "current": True,
}
SECRETS = """
    select password_hash from gatepost.users
    union all select encode(secret_hash, 'hex') from gatepost.api_keys
    union all select encode(token_hash, 'hex') from gatepost.refresh_tokens
    union all select encode(private_key_encrypted, 'hex') from gatepost.signing_keys
"""


async def test_no_request_writes_a_field_that_is_not_its_own(service: Service) -> None:
    form = {"email": "mallory@example.com", "password": PASSWORD, **FORBIDDEN}
    registered = await service.http.post("/v1/auth/register", json=form)
    assert registered.status_code in (201, 422), registered.text
    user = await service.register()
    login = {"email": user.email, "password": PASSWORD, **FORBIDDEN}
    assert (await service.http.post("/v1/auth/login", json=login)).status_code in (200, 422)
    before = await service.sql.fetchrow("select * from gatepost.sessions where id = $1", user.id)
    assert before is not None
    renamed = await user.patch(f"/v1/sessions/{user.id}", {"name": "mine", **FORBIDDEN})
    assert renamed.status_code in (200, 422), renamed.text
    await user.post("/v1/sessions", {"device_name": "mine", **FORBIDDEN})
    await user.post("/v1/auth/reauthenticate", {"password": PASSWORD, **FORBIDDEN})
    await user.put("/v1/me/notifications/welcome", {"enabled": False, **FORBIDDEN})
    for method in ("POST", "PUT", "PATCH"):
        await user.request(method, "/v1/me", json={"user": FORBIDDEN, **FORBIDDEN})
    users = await service.sql.fetch("select * from gatepost.users")
    assert {row["role"] for row in users} == {"user"}
    assert {row["email_verified_at"] for row in users} == {None}
    assert not [row for row in users if row["password_hash"] == "x"]
    after = await service.sql.fetchrow("select * from gatepost.sessions where id = $1", user.id)
    assert after is not None
    allowed = {"name", "last_active_at", "authenticated_at"}
    assert {name for name in before.keys() if before[name] != after[name]} <= allowed  # noqa: SIM118 - a record
    assert after["authenticated_at"].year < 2099


async def test_no_response_has_a_secret_of_the_database(service: Service) -> None:
    """Not even an admin's: no hash, no encrypted key, no token of a link."""
    admin = await service.register_admin()
    user = await service.register()
    await service.create_api_key(admin, "users:read")
    await service.http.post("/v1/auth/password/forgot", json={"email": user.email})
    secrets = [row[0] for row in await service.sql.fetch(SECRETS)]
    assert len(secrets) >= 5
    everything = ""
    for operation in OPERATIONS.values():
        if operation.is_safe and "{" not in operation.path:
            everything += (await admin.request(operation.method, operation.path)).text
    everything += (await admin.get(f"/v1/admin/users/{user.user_id}")).text
    everything += (await admin.get(f"/v1/admin/users/{user.user_id}/sessions")).text
    assert user.email in everything
    for secret in secrets:
        assert secret not in everything
    for name in ("password", "hash", "secret_hash", "private_key"):
        assert f'"{name}"' not in everything
