"""A stranger's FastAPI app that mounts Gatepost in three lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

import gatepost
from tests.support import PASSWORD, assert_problem, client_of, serving, settings_for


@asynccontextmanager
async def mounted(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(app) as url, client_of(url) as client:
        yield client


async def sign_in(client: httpx.AsyncClient, prefix: str, email: str = "ada@example.com") -> dict[str, Any]:
    answer = await client.post(f"{prefix}/v1/auth/register", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def bearer(signed_in: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed_in['access_token']}"}


@pytest.fixture
async def host(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The app of the README, and nothing more."""
    app = FastAPI()
    app.include_router(gatepost.create_router(settings_for(database_url)), prefix="/account")

    @app.get("/invoices")
    async def invoices(session: gatepost.CurrentSession) -> dict[str, str]:
        return {"whose": str(session.user_id), "email": session.claims["email"]}

    @app.get("/items/{number}")
    async def item(number: int) -> int:
        if number == 0:
            raise HTTPException(418, "no teapots")
        return number

    @app.delete("/everything")
    async def everything(session: gatepost.RecentSession) -> None: ...

    async with mounted(app) as client:
        yield client


async def test_three_lines_guard_a_route(host: httpx.AsyncClient) -> None:
    signed_in = await sign_in(host, "/account")
    answer = await host.get("/invoices", headers=bearer(signed_in))
    assert answer.json() == {"whose": signed_in["session"]["user_id"], "email": "ada@example.com"}

    session = signed_in["session"]["id"]
    assert (await host.delete(f"/account/v1/sessions/{session}", headers=bearer(signed_in))).status_code == 204
    problem = assert_problem(await host.get("/invoices", headers=bearer(signed_in)), 401, "session_revoked")
    assert problem["reason"] == "signed_out"


async def test_refusals_in_host_routes_are_problems(host: httpx.AsyncClient) -> None:
    assert_problem(await host.get("/invoices"), 401, "not_authenticated")
    refused = await host.get("/invoices", headers={"Authorization": "Bearer x", "X-Request-ID": "mine-42"})
    assert assert_problem(refused, 401, "token_invalid")["request_id"] == "mine-42"
    assert_problem(await host.delete("/everything"), 401, "not_authenticated")


async def test_the_hosts_own_errors_stay_the_hosts(host: httpx.AsyncClient) -> None:
    assert (await host.get("/nowhere")).json() == {"detail": "Not Found"}
    assert (await host.get("/items/0")).json() == {"detail": "no teapots"}
    assert (await host.get("/items/x")).json()["detail"][0]["type"] == "int_parsing"
    assert (await host.post("/invoices")).json() == {"detail": "Method Not Allowed"}


async def test_our_routes_answer_as_in_the_contract_below_any_prefix(host: httpx.AsyncClient) -> None:
    refused = await host.post("/account/v1/auth/login", json={"email": 1})
    assert_problem(refused, 422, "validation_failed")
    wrong_method = await host.put("/account/v1/sessions")
    assert_problem(wrong_method, 405, "method_not_allowed")
    assert wrong_method.headers["allow"] == "DELETE, GET, POST"
    assert (await host.get("/account/healthz")).headers["x-request-id"]
    assert (await host.get("/account/readyz")).status_code == 200
    assert len((await host.get("/account/.well-known/jwks.json")).json()["keys"]) == 1


async def test_the_hosts_document_names_operations_after_functions(host: httpx.AsyncClient) -> None:
    document = (await host.get("/openapi.json")).json()
    assert document["paths"]["/account/v1/sessions"]["get"]["operationId"] == "list_sessions"
    assert document["paths"]["/invoices"]["get"]["security"] == [{"AccessToken": []}]


async def test_a_host_with_a_lifespan_handlers_and_middleware_of_its_own(database_url: str) -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, str]]:
        seen.append("up")
        yield {"motto": "ours"}
        seen.append("down")

    app = FastAPI(lifespan=lifespan)
    app.include_router(gatepost.create_router(settings_for(database_url)), prefix="/deep/down")

    @app.middleware("http")
    async def count(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers["X-Host"] = "was here"
        return response

    @app.exception_handler(HTTPException)
    @app.exception_handler(401)
    @app.exception_handler(404)
    @app.exception_handler(RequestValidationError)
    @app.exception_handler(Exception)
    async def handle(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"host": type(error).__name__}, 400)

    @app.get("/motto")
    async def motto(request: Request, session: gatepost.CurrentSession) -> str:
        return str(request.state.motto)

    @app.get("/items/{number}")
    async def item(number: int) -> int:
        return number

    async with mounted(app) as client:
        signed_in = await sign_in(client, "/deep/down")
        answer = await client.get("/motto", headers=bearer(signed_in))
        assert answer.json() == "ours"
        assert answer.headers["x-host"] == "was here"
        assert_problem(await client.get("/motto"), 401, "not_authenticated")
        assert_problem(await client.get("/deep/down/v1/me"), 401, "not_authenticated")
        assert_problem(await client.post("/deep/down/v1/auth/login", json=[]), 422, "validation_failed")
        assert (await client.get("/items/x")).json() == {"host": "RequestValidationError"}
        assert (await client.get("/nowhere")).json() == {"host": "HTTPException"}
    assert seen == ["up", "down"]


async def test_a_host_may_keep_a_request_id_of_its_own(database_url: str) -> None:
    app = FastAPI()
    app.include_router(gatepost.create_router(settings_for(database_url)), prefix="/account")

    @app.middleware("http")
    async def name(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.request_id = uuid4()
        return await call_next(request)

    @app.get("/invoices")
    async def invoices(session: gatepost.CurrentSession) -> None: ...

    async with mounted(app) as client:
        assert_problem(await client.get("/invoices"), 401, "not_authenticated")
        answer = await client.post("/account/v1/auth/register", json={"email": "a@example.com", "password": PASSWORD})
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-request-id"]


async def test_a_guard_of_a_mount_that_is_missing_lets_nobody_pass(database_url: str) -> None:
    staff = gatepost.create_router(settings_for(database_url, cookie_name="staff"))
    app = FastAPI()
    app.include_router(gatepost.create_router(settings_for(database_url)), prefix="/account")

    @app.get("/ledger")
    async def ledger(session: gatepost.Session = Depends(staff.require_session)) -> None: ...  # noqa: B008, FAST002

    @app.exception_handler(RuntimeError)
    async def handle(request: Request, error: RuntimeError) -> JSONResponse:
        return JSONResponse(str(error), 500)

    async with mounted(app) as client:
        signed_in = await sign_in(client, "/account")
        assert (await client.get("/ledger", headers=bearer(signed_in))).status_code == 500


async def test_a_host_may_render_our_refusals_itself(database_url: str) -> None:
    app = FastAPI()
    app.include_router(gatepost.create_router(settings_for(database_url)), prefix="/account")

    @app.exception_handler(gatepost.Refusal)
    async def handle(request: Request, refusal: gatepost.Refusal) -> JSONResponse:
        return JSONResponse({"mine": refusal.code}, refusal.status)

    @app.get("/invoices")
    async def invoices(session: gatepost.CurrentSession) -> None: ...

    async with mounted(app) as client:
        assert (await client.get("/invoices")).json() == {"mine": "not_authenticated"}
        assert_problem(await client.get("/account/v1/me"), 401, "not_authenticated")


async def test_two_in_one_process_keep_their_people_apart(database_url: str) -> None:
    staff = gatepost.create_router(settings_for(database_url, cookie_name="staff", public_url="http://staff.test"))
    customers = gatepost.create_router(settings_for(database_url, cookie_name="customers"))
    app = FastAPI()
    app.include_router(staff, prefix="/staff")
    app.include_router(customers, prefix="/customers")

    @app.get("/ledger")
    async def ledger(session: gatepost.Session = Depends(staff.require_session)) -> str:  # noqa: B008, FAST002
        return str(session.id)

    @app.get("/orders")
    async def orders(session: gatepost.Session = Depends(customers.require_session)) -> str:  # noqa: B008, FAST002
        return str(session.id)

    async with mounted(app) as client:
        clerk = await sign_in(client, "/staff")
        buyer = await sign_in(client, "/customers", "bob@example.com")
        assert (await client.get("/ledger", headers=bearer(clerk))).json() == clerk["session"]["id"]
        assert (await client.get("/orders", headers=bearer(buyer))).json() == buyer["session"]["id"]
        assert_problem(await client.get("/orders", headers=bearer(clerk)), 401, "token_invalid")
        assert_problem(await client.get("/staff/v1/me", headers=bearer(buyer)), 401, "token_invalid")
        cookie = {"Cookie": f"customers={buyer['access_token']}"}
        assert (await client.get("/orders", headers=cookie)).status_code == 200
        assert_problem(await client.get("/ledger", headers=cookie), 401, "not_authenticated")


async def test_the_unnamed_guard_refuses_to_choose_between_two(database_url: str) -> None:
    app = FastAPI()
    for name in ("one", "two"):
        app.include_router(gatepost.create_router(settings_for(database_url, cookie_name=name)), prefix=f"/{name}")

    @app.get("/invoices")
    async def invoices(session: gatepost.CurrentSession) -> None: ...

    @app.exception_handler(RuntimeError)
    async def handle(request: Request, error: RuntimeError) -> JSONResponse:
        return JSONResponse(str(error), 500)

    async with mounted(app) as client:
        answer = await client.get("/invoices")
        assert answer.status_code == 500
        assert "router.require_session" in answer.text


async def test_a_router_inside_the_hosts_router(database_url: str) -> None:
    from fastapi import APIRouter

    inner = APIRouter(prefix="/inner")
    inner.include_router(gatepost.create_router(settings_for(database_url)), prefix="/account")
    app = FastAPI()
    app.include_router(inner, prefix="/outer")
    async with mounted(app) as client:
        signed_in = await sign_in(client, "/outer/inner/account")
        assert (await client.get("/outer/inner/account/v1/me", headers=bearer(signed_in))).status_code == 200
