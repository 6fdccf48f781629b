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
from hypothesis import HealthCheck, reject, settings
from schemathesis.checks import CHECKS
from schemathesis.specs.openapi.checks import positive_data_acceptance
from tests.fuzzing import ADMIN, admin_token, has_foreign_cursor
from tests.support import PASSWORD

# What a sign-in does not survive: each case gets one of its own.
_ENDING = {"logout", "revoke_session", "change_password"}
# Whether words can be published or shown, and values fit them, is for the renderer to say, not for the request's form;
# whether there is a draft to be named in If-Match, for the database.
_JUDGED = {"preview_template", "publish_template", "queue_email", "queue_emails", "send_test_email"}
_JUDGED |= {"save_template_draft", "restore_template_version"}
_numbers = itertools.count(1)
_ROOT = Path(__file__).parents[2]
_COMMITTED = _ROOT / "docs" / "openapi.json"
_DOCUMENT = json.loads(_COMMITTED.read_text(encoding="utf-8"))

schema = schemathesis.openapi.from_dict(_DOCUMENT)


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
        "GATEPOST_ADMIN_EMAIL": ADMIN,
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
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_as_a_signed_in_person(
    case: Any, people: People, service_url: str, wire: requests.Session
) -> None:
    operation = case.operation.definition.raw["operationId"]
    headers = {"Authorization": f"Bearer {people.token(operation)}"}
    case.call_and_validate(service_url, wire, headers=headers, checks=CHECKS.get_all())


@schema.parametrize()
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_as_nobody(case: Any, service_url: str, wire: requests.Session) -> None:
    answer = case.call_and_validate(service_url, wire, checks=CHECKS.get_all())
    if "security" in case.operation.definition.raw:
        # 404: an address that is none, for an id that cannot be one.
        assert answer.status_code in (401, 403, 404, 405, 415, 422)


@schema.include(path_regex="^/v1/(admin|settings|emails)").parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_staff_operation_as_an_admin(case: Any, service_url: str, wire: requests.Session) -> None:
    if has_foreign_cursor(case):
        reject()
    headers = {"Authorization": f"Bearer {admin_token(service_url)}"}
    checks = CHECKS.get_all()
    if case.operation.definition.raw["operationId"] in _JUDGED:
        checks.remove(positive_data_acceptance)
    case.call_and_validate(service_url, wire, headers=headers, checks=checks)


def test_what_follows_from_one_operation_to_the_next_as_an_admin(service_url: str, open_directory: Path) -> None:
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", str(_COMMITTED), "--url", service_url]
    command += [
        "--phases",
        "stateful",
        "--include-path-regex",
        "^/v1/(admin|sessions|settings|emails)",
        "--max-examples",
        "30",
    ]
    # An ended session stays in the lists, and a template's words may be wrong (see _JUDGED); whoever deletes or
    # disables the admin can do nothing after.
    command += ["--checks", "all", "--exclude-checks", "use_after_free,positive_data_acceptance"]
    command += ["--exclude-operation-id", "delete_user", "--exclude-operation-id", "disable_user"]
    command += ["--seed", "1", "--generation-database", "none", "--no-color"]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.fuzzing_hooks", "FUZZED_SERVICE": service_url, "PYTHONPATH": str(_ROOT)}
    done = subprocess.run(
        command, check=False, env=os.environ | hooks, cwd=open_directory, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "covered" in done.stdout
