"""The OpenAPI document, and every operation of it fuzzed: as a signed-in person and as nobody."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS
from tests.support import PASSWORD

from gatepost import paging

# What a sign-in does not survive: each case gets one of its own.
_ENDING = {"logout", "revoke_session", "change_password"}
_ADMIN = "boss@example.org"
_numbers = itertools.count(1)
_DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8"))

schema = schemathesis.openapi.from_dict(_DOCUMENT)

schemathesis.openapi.format(
    "email", st.builds("{}{}@example.com".format, st.sampled_from(["ada", "bob", "eve"]), st.integers(0, 10**9))
)
schemathesis.openapi.format(
    "cursor", st.builds(paging.encode, st.integers(0, 2), st.integers(-(2**50), 2**50), st.uuids())
)
schemathesis.openapi.format("ipvanynetwork", st.ip_addresses().map(str))


@pytest.fixture(scope="session")
def service_url(server_url: str, open_directory: Path) -> Iterator[str]:
    """A real `gatepost serve`, with a database of its own."""

    async def create() -> None:
        connection = await asyncpg.connect(server_url)
        await connection.execute("create database fuzzed template gatepost_template")
        await connection.close()

    asyncio.run(create())
    environment = os.environ | {
        "GATEPOST_DATABASE_URL": server_url.replace("/postgres?", "/fuzzed?"),
        "GATEPOST_SECRET_KEY": "s" * 40,
        "GATEPOST_ENVIRONMENT": "test",
        "GATEPOST_ADMIN_EMAIL": _ADMIN,
        "GATEPOST_ADMIN_PASSWORD": PASSWORD,
    }
    command = [str(Path(sys.executable).with_name("gatepost")), "serve", "--port", "0"]
    with (
        (open_directory / "fuzzed.log").open("w") as log,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


def test_the_committed_document_is_the_one_that_is_served(service_url: str) -> None:
    assert httpx.get(f"{service_url}/openapi.json").json() == _DOCUMENT


class People:
    """Signs people in, anew or again."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._token: str | None = None

    def admin(self) -> str:
        """Sign the admin in anew: an act of staff may have ended every session there was."""
        answer = self._client.post("/v1/auth/login", json={"email": _ADMIN, "password": PASSWORD})
        assert answer.status_code == 200
        return str(answer.json()["access_token"])

    def token(self, operation: str) -> str:
        if self._token is None or operation in _ENDING:
            form = {"email": f"fuzz{next(_numbers)}@example.org", "password": PASSWORD}
            answer = self._client.post("/v1/auth/register", json=form)
            assert answer.status_code == 201
            token = str(answer.json()["access_token"])
            if operation in _ENDING:
                return token
            self._token = token
        return self._token


@pytest.fixture(scope="session")
def people(service_url: str) -> Iterator[People]:
    with httpx.Client(base_url=service_url, timeout=30) as client:
        yield People(client)


@pytest.fixture(scope="session")
def wire() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@schema.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_as_a_signed_in_person(
    case: Any, people: People, service_url: str, wire: requests.Session
) -> None:
    operation = case.operation.definition.raw["operationId"]
    headers = {"Authorization": f"Bearer {people.token(operation)}"}
    case.call_and_validate(service_url, wire, headers=headers, checks=CHECKS.get_all())


@schema.parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_as_nobody(case: Any, service_url: str, wire: requests.Session) -> None:
    answer = case.call_and_validate(service_url, wire, checks=CHECKS.get_all())
    if "security" in case.operation.definition.raw:
        # 404: an address that is none, for an id that cannot be one.
        assert answer.status_code in (401, 403, 404, 405, 415, 422)


@schema.include(path_regex="^/v1/admin").parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_staff_operation_as_an_admin(case: Any, people: People, service_url: str, wire: requests.Session) -> None:
    _drop_foreign_cursor(case)
    headers = {"Authorization": f"Bearer {people.admin()}"}
    case.call_and_validate(service_url, wire, headers=headers, checks=CHECKS.get_all())


def _drop_foreign_cursor(case: Any) -> None:
    """Take out what the strategy made for the list of one's own sessions: other lists have cursors of other kinds."""
    if str((case.query or {}).get("cursor", "")).startswith("Wz"):
        del case.query["cursor"]
