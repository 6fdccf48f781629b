"""Metrics: what is counted, and that they contain no personal data."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import gatepost
from tests.support import PASSWORD, Service, http_client, make_settings, serve_app


async def metrics(client: httpx.AsyncClient, prefix: str = "") -> dict[str, float]:
    """Return the samples of `/metrics` by their name with its labels."""
    response = await client.get(f"{prefix}/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = (line.rpartition(" ") for line in response.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


async def test_sessions_and_requests_are_counted(service: Service) -> None:
    user = await service.register()
    devices = [await service.login(user.email) for _ in range(5)]
    assert (await devices[0].delete(f"/v1/sessions/{devices[1].id}")).status_code == 204
    assert (await devices[0].delete(f"/v1/sessions/{devices[1].id}")).status_code == 204
    assert (await devices[0].delete("/v1/sessions")).json() == {"revoked": 3}
    await devices[0].post("/v1/auth/logout")
    await devices[0].post("/v1/auth/logout")
    await devices[0].get("/v1/me")
    await service.http.post("/v1/auth/login", json={"email": user.email, "password": "wrong password"})

    found = await metrics(service.http)
    assert found["gatepost_sign_ins_total"] == 6
    assert found["gatepost_evictions_total"] == 1
    assert found['gatepost_revocations_total{reason="signed_out_elsewhere"}'] == 4
    assert found['gatepost_revocations_total{reason="signed_out"}'] == 1
    assert found['gatepost_errors_total{code="session_revoked"}'] == 1
    assert found['gatepost_errors_total{code="invalid_credentials"}'] == 1
    assert found["gatepost_guard_seconds_count"] == 4
    assert 0 < found["gatepost_guard_seconds_sum"] < 5
    assert found['gatepost_requests_total{method="DELETE",route="/v1/sessions/{session_id}",status="204"}'] == 2
    assert found['gatepost_database_pool_size{pool="guard"}'] >= found['gatepost_database_pool_idle{pool="guard"}'] == 1
    assert found['gatepost_database_pool_size{pool="requests"}'] >= 1


async def test_sessions_revoked_by_admins_are_counted(service: Service) -> None:
    admin, user = await service.register(), await service.register()
    await service.sql.execute("update gatepost.users set role = 'admin' where id = $1", admin.user_id)
    for _ in range(3):
        await service.login(user.email)
    other = await service.register()
    for _ in range(2):
        assert (await admin.delete(f"/v1/admin/sessions/{user.id}?reason=x")).status_code == 204
    order = {"filter": {"user_ids": [str(other.user_id)]}, "reason": "x"}
    assert (await admin.post("/v1/admin/sessions/revoke", order)).json()["revoked"] == 1
    assert (await admin.post(f"/v1/admin/users/{user.user_id}/disable", {"reason": "x"})).status_code == 200
    assert (await metrics(service.http))['gatepost_revocations_total{reason="signed_out_by_admin"}'] == 5


async def test_a_stolen_refresh_token_is_counted(service: Service) -> None:
    user = await service.register()
    stolen = user.refresh_token
    await user.refresh()
    await service.sql.execute("update gatepost.refresh_tokens set rotated_at = now() - interval '1 hour'")
    await service.http.post("/v1/auth/refresh", json={"refresh_token": stolen})
    found = await metrics(service.http)
    assert found['gatepost_revocations_total{reason="refresh_token_reused"}'] == 1
    assert found['gatepost_errors_total{code="refresh_token_reused"}'] == 1


async def test_metrics_contain_no_personal_data(service: Service) -> None:
    """No label repeats anything that a client sends: path, method, id, email address or token."""
    user = await service.register(email="ada.lovelace@example.com")
    await user.get(f"/v1/sessions/{user.id}")
    await user.delete(f"/v1/sessions/{user.id}")
    await service.http.get("/secret-path/ada?token=abc")
    await service.http.request("PROPFIND", "/v1/me")
    await service.http.request("PROPFIND", "/secret-path")
    await service.http.get("/v1/me", headers={"Authorization": "Bearer gp_secretkey", "X-Request-ID": "secret-id"})
    text = (await service.http.get("/metrics")).text
    for secret in (user.id, str(user.user_id), "ada", user.access_token[:20], user.refresh_token[:20]):
        assert secret not in text
    assert "secret" not in text.lower()
    assert "PROPFIND" not in text
    assert "127.0.0.1" not in text
    found = await metrics(service.http)
    assert found['gatepost_requests_total{method="GET",route="none",status="404"}'] == 1
    assert any(name.startswith('gatepost_requests_total{method="other",route="none"') for name in found)
    routes = {name.split('route="')[1].split('"')[0] for name in found if 'route="' in name}
    assert routes <= {"none", *(await service.http.get("/openapi.json")).json()["paths"]}


@pytest.fixture
def host_app(database_url: str) -> FastAPI:
    """An app with two mounted routers, each guarding a route of the app's own."""
    app = FastAPI()
    for name in ("one", "two"):
        router = gatepost.create_router(make_settings(database_url, cookie_name=name))
        app.include_router(router, prefix=f"/{name}")

        @app.get(f"/host-{name}/{{number}}", dependencies=[guard_dependency(router)])
        async def guarded(number: int) -> int:
            return number

    return app


def guard_dependency(router: Any) -> Any:
    from fastapi import Depends

    return Depends(router.require_session)


async def test_each_mounted_router_has_its_own_metrics(host_app: FastAPI) -> None:
    async with serve_app(host_app) as url, http_client(url) as client:
        form = {"email": "eve@example.com", "password": PASSWORD}
        assert (await client.post("/one/v1/auth/register", json=form)).status_code == 201
        assert (await client.post("/two/v1/auth/register", content=b"{", headers={"Content-Type": "text/x"})).is_error
        assert (await client.get("/host-one/1")).status_code == 401
        assert (await client.get("/host-one/2")).status_code == 401
        one, two = await metrics(client, "/one"), await metrics(client, "/two")
    assert one["gatepost_sign_ins_total"] == 1
    assert two["gatepost_sign_ins_total"] == 0
    assert one['gatepost_requests_total{method="POST",route="/v1/auth/register",status="201"}'] == 1
    assert two['gatepost_requests_total{method="POST",route="/v1/auth/register",status="415"}'] == 1
    assert two['gatepost_errors_total{code="unsupported_media_type"}'] == 1
    assert one['gatepost_errors_total{code="not_authenticated"}'] == 2
    assert 'gatepost_errors_total{code="not_authenticated"}' not in two
    assert (one["gatepost_guard_seconds_count"], two["gatepost_guard_seconds_count"]) == (2, 0)


async def test_metrics_are_in_the_openapi_document(service: Service) -> None:
    document = (await service.http.get("/openapi.json")).json()
    assert list(document["paths"]["/metrics"]["get"]["responses"]["200"]["content"]) == ["text/plain"]
