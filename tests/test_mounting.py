"""A FastAPI app that mounts Gatepost in three lines."""

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
from tests.support import PASSWORD, assert_problem, http_client, make_settings, serve_app


@asynccontextmanager
async def client_of_app(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with serve_app(app) as url, http_client(url) as client:
        yield client


async def sign_in(client: httpx.AsyncClient, prefix: str, email: str = "ada@example.com") -> dict[str, Any]:
    response = await client.post(f"{prefix}/v1/auth/register", json={"email": email, "password": PASSWORD})
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


def bearer(signed_in: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed_in['access_token']}"}


@pytest.fixture
async def host(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app like the one in the README."""
    app = FastAPI()
    app.include_router(gatepost.create_router(make_settings(database_url)), prefix="/account")

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

    async with client_of_app(app) as client:
        yield client


async def test_three_lines_guard_a_route(host: httpx.AsyncClient) -> None:
    signed_in = await sign_in(host, "/account")
    response = await host.get("/invoices", headers=bearer(signed_in))
    assert response.json() == {"whose": signed_in["session"]["user_id"], "email": "ada@example.com"}

    session = signed_in["session"]["id"]
    assert (await host.delete(f"/account/v1/sessions/{session}", headers=bearer(signed_in))).status_code == 204
    problem = assert_problem(await host.get("/invoices", headers=bearer(signed_in)), 401, "session_revoked")
    assert problem["reason"] == "signed_out"


async def test_errors_of_the_guard_in_host_routes_are_problems(host: httpx.AsyncClient) -> None:
    assert_problem(await host.get("/invoices"), 401, "not_authenticated")
    rejected = await host.get("/invoices", headers={"Authorization": "Bearer x", "X-Request-ID": "mine-42"})
    assert assert_problem(rejected, 401, "token_invalid")["request_id"] == "mine-42"
    assert_problem(await host.delete("/everything"), 401, "not_authenticated")


async def test_the_hosts_own_errors_are_not_changed(host: httpx.AsyncClient) -> None:
    assert (await host.get("/nowhere")).json() == {"detail": "Not Found"}
    assert (await host.get("/items/0")).json() == {"detail": "no teapots"}
    assert (await host.get("/items/x")).json()["detail"][0]["type"] == "int_parsing"
    assert (await host.post("/invoices")).json() == {"detail": "Method Not Allowed"}


async def test_our_routes_work_below_any_prefix(host: httpx.AsyncClient) -> None:
    rejected = await host.post("/account/v1/auth/login", json={"email": 1})
    assert_problem(rejected, 422, "validation_failed")
    wrong_method = await host.put("/account/v1/sessions")
    assert_problem(wrong_method, 405, "method_not_allowed")
    assert wrong_method.headers["allow"] == "DELETE, GET, POST"
    assert (await host.get("/account/healthz")).headers["x-request-id"]
    assert (await host.get("/account/readyz")).status_code == 200
    assert len((await host.get("/account/.well-known/jwks.json")).json()["keys"]) == 1


async def test_the_hosts_openapi_document_has_our_operation_ids(host: httpx.AsyncClient) -> None:
    document = (await host.get("/openapi.json")).json()
    assert document["paths"]["/account/v1/sessions"]["get"]["operationId"] == "list_sessions"
    assert document["paths"]["/invoices"]["get"]["security"] == [{"AccessToken": []}]


async def test_a_host_with_its_own_lifespan_exception_handlers_and_middleware(database_url: str) -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, str]]:
        seen.append("up")
        yield {"motto": "ours"}
        seen.append("down")

    app = FastAPI(lifespan=lifespan)
    app.include_router(gatepost.create_router(make_settings(database_url)), prefix="/deep/down")

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

    async with client_of_app(app) as client:
        signed_in = await sign_in(client, "/deep/down")
        response = await client.get("/motto", headers=bearer(signed_in))
        assert response.json() == "ours"
        assert response.headers["x-host"] == "was here"
        assert_problem(await client.get("/motto"), 401, "not_authenticated")
        assert_problem(await client.get("/deep/down/v1/me"), 401, "not_authenticated")
        assert_problem(await client.post("/deep/down/v1/auth/login", json=[]), 422, "validation_failed")
        assert (await client.get("/items/x")).json() == {"host": "RequestValidationError"}
        assert (await client.get("/nowhere")).json() == {"host": "HTTPException"}
    assert seen == ["up", "down"]


async def test_a_host_with_its_own_request_id(database_url: str) -> None:
    app = FastAPI()
    app.include_router(gatepost.create_router(make_settings(database_url)), prefix="/account")

    @app.middleware("http")
    async def name(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.request_id = uuid4()
        return await call_next(request)

    @app.get("/invoices")
    async def invoices(session: gatepost.CurrentSession) -> None: ...

    async with client_of_app(app) as client:
        assert_problem(await client.get("/invoices"), 401, "not_authenticated")
        response = await client.post("/account/v1/auth/register", json={"email": "a@example.com", "password": PASSWORD})
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-request-id"]


async def test_the_guard_of_a_router_that_is_not_mounted_rejects_every_request(database_url: str) -> None:
    employees_router = gatepost.create_router(make_settings(database_url, cookie_name="employees"))
    app = FastAPI()
    app.include_router(gatepost.create_router(make_settings(database_url)), prefix="/account")

    @app.get("/ledger")
    async def ledger(session: gatepost.Session = Depends(employees_router.require_session)) -> None: ...  # noqa: B008, FAST002

    @app.exception_handler(RuntimeError)
    async def handle(request: Request, error: RuntimeError) -> JSONResponse:
        return JSONResponse(str(error), 500)

    async with client_of_app(app) as client:
        signed_in = await sign_in(client, "/account")
        assert (await client.get("/ledger", headers=bearer(signed_in))).status_code == 500


async def test_a_host_with_a_handler_for_our_errors(database_url: str) -> None:
    app = FastAPI()
    app.include_router(gatepost.create_router(make_settings(database_url)), prefix="/account")

    @app.exception_handler(gatepost.ApiError)
    async def handle(request: Request, error: gatepost.ApiError) -> JSONResponse:
        return JSONResponse({"mine": error.code}, error.status)

    @app.get("/invoices")
    async def invoices(session: gatepost.CurrentSession) -> None: ...

    async with client_of_app(app) as client:
        assert (await client.get("/invoices")).json() == {"mine": "not_authenticated"}
        assert_problem(await client.get("/account/v1/me"), 401, "not_authenticated")


async def test_two_routers_in_one_app_have_separate_users(database_url: str) -> None:
    employees_router = gatepost.create_router(
        make_settings(database_url, cookie_name="employees", public_url="http://employees.test")
    )
    customers_router = gatepost.create_router(make_settings(database_url, cookie_name="customers"))
    app = FastAPI()
    app.include_router(employees_router, prefix="/employees")
    app.include_router(customers_router, prefix="/customers")

    @app.get("/ledger")
    async def ledger(session: gatepost.Session = Depends(employees_router.require_session)) -> str:  # noqa: B008, FAST002
        return str(session.id)

    @app.get("/orders")
    async def orders(session: gatepost.Session = Depends(customers_router.require_session)) -> str:  # noqa: B008, FAST002
        return str(session.id)

    async with client_of_app(app) as client:
        employee = await sign_in(client, "/employees")
        customer = await sign_in(client, "/customers", "bob@example.com")
        assert (await client.get("/ledger", headers=bearer(employee))).json() == employee["session"]["id"]
        assert (await client.get("/orders", headers=bearer(customer))).json() == customer["session"]["id"]
        assert_problem(await client.get("/orders", headers=bearer(employee)), 401, "token_invalid")
        assert_problem(await client.get("/employees/v1/me", headers=bearer(customer)), 401, "token_invalid")
        cookie = {"Cookie": f"customers={customer['access_token']}"}
        assert (await client.get("/orders", headers=cookie)).status_code == 200
        assert_problem(await client.get("/ledger", headers=cookie), 401, "not_authenticated")


async def test_the_unnamed_guard_is_an_error_with_two_routers(database_url: str) -> None:
    app = FastAPI()
    for name in ("one", "two"):
        app.include_router(gatepost.create_router(make_settings(database_url, cookie_name=name)), prefix=f"/{name}")

    @app.get("/invoices")
    async def invoices(session: gatepost.CurrentSession) -> None: ...

    @app.exception_handler(RuntimeError)
    async def handle(request: Request, error: RuntimeError) -> JSONResponse:
        return JSONResponse(str(error), 500)

    async with client_of_app(app) as client:
        response = await client.get("/invoices")
        assert response.status_code == 500
        assert "router.require_session" in response.text


async def test_a_router_inside_a_router_of_the_host(database_url: str) -> None:
    from fastapi import APIRouter

    inner = APIRouter(prefix="/inner")
    inner.include_router(gatepost.create_router(make_settings(database_url)), prefix="/account")
    app = FastAPI()
    app.include_router(inner, prefix="/outer")
    async with client_of_app(app) as client:
        signed_in = await sign_in(client, "/outer/inner/account")
        assert (await client.get("/outer/inner/account/v1/me", headers=bearer(signed_in))).status_code == 200
