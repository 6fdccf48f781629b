"""Parts that a host leaves out do not exist: no route, no documentation, and the host's own 404."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import gatepost
from gatepost.settings import PARTS
from tests.support import assert_problem, http_client, make_settings, running_service, serve_app

# An operation of each part.
OPERATIONS = {
    "registration": ("POST", "/v1/auth/register"),
    "admin": ("GET", "/v1/admin/sessions"),
    "templates": ("GET", "/v1/settings/email-templates"),
    "emails": ("POST", "/v1/emails"),
    "mailbox": ("GET", "/v1/mailbox"),
    "metrics": ("GET", "/metrics"),
}


def mounted(database_url: str, **options: Any) -> FastAPI:
    app = FastAPI()
    app.include_router(gatepost.create_router(make_settings(database_url), **options), prefix="/account")
    return app


async def request(client: httpx.AsyncClient, part: str) -> httpx.Response:
    method, path = OPERATIONS[part]
    return await client.request(method, f"/account{path}", json={} if method == "POST" else None)


async def test_by_default_everything_is_there(database_url: str) -> None:
    async with serve_app(mounted(database_url)) as url, http_client(url) as client:
        assert {part: (await request(client, part)).status_code for part in OPERATIONS} == {
            "registration": 422,
            "admin": 401,
            "templates": 401,
            "emails": 401,
            "mailbox": 401,
            "metrics": 200,
        }


@pytest.mark.parametrize("part", sorted(OPERATIONS))
async def test_a_part_that_is_left_out_does_not_exist(database_url: str, part: str) -> None:
    app = mounted(database_url, include=PARTS - {part})
    async with serve_app(app) as url, http_client(url) as client:
        for each in OPERATIONS:
            response = await request(client, each)
            if each == part:
                assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})
            else:
                assert response.status_code != 404
        document = (await client.get("/openapi.json")).json()
        assert f"/account{OPERATIONS[part][1]}" not in document["paths"]


async def test_nothing_but_sessions_and_sign_in(database_url: str) -> None:
    async with serve_app(mounted(database_url, include=[])) as url, http_client(url) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
        assert not [path for path in paths if "admin" in path or "settings" in path or "emails" in path]
        assert {"/account/v1/sessions", "/account/v1/auth/login", "/account/v1/me", "/account/healthz"} <= set(paths)
        assert (await client.get("/account/v1/me")).status_code == 401


async def test_the_setting_chooses_the_parts_of_the_standalone_service(database_url: str) -> None:
    async with running_service(database_url, include="templates,emails") as service:
        for path in ("/v1/admin/users", "/metrics", "/v1/mailbox", "/login", "/"):
            assert_problem(await service.http.get(path), 404, "not_found")
        assert_problem(await service.http.post("/v1/auth/register", json={}), 404, "not_found")
        assert (await service.http.get("/v1/emails")).status_code == 401


def test_an_unknown_part_is_an_error(database_url: str) -> None:
    with pytest.raises(gatepost.ConfigurationError, match="GATEPOST_INCLUDE"):
        make_settings(database_url, include="everything")
    with pytest.raises(gatepost.ConfigurationError, match="everything unknown"):
        gatepost.create_router(make_settings(database_url), include={"everything"})  # type: ignore[arg-type]
