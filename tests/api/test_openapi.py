"""The OpenAPI document, and every operation in it fuzzed: as a user, as an admin, and without authentication."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, reject, settings
from schemathesis.checks import CHECKS
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.support import PASSWORD
from tests.support.cli import GATEPOST
from tests.support.database import TEMPLATE, database_url, execute
from tests.support.fuzzing import ADMIN_EMAIL, admin_token, has_foreign_cursor

# These end their session: each case signs in by itself.
_ENDS_ITS_SESSION = {"logout", "revoke_session", "change_password"}
# These may reject a valid request: the renderer decides whether a template and its values are valid, and the database
# whether there is a draft that If-Match has to name. Whether registering needs a password depends on a setting.
_MAY_BE_REJECTED = {"preview_template", "publish_template", "queue_email", "queue_emails", "send_test_email"}
_MAY_BE_REJECTED |= {"save_template_draft", "restore_template_version", "register"}
_numbers = itertools.count(1)
_ROOT = Path(__file__).parents[2]
_COMMITTED = _ROOT / "docs" / "openapi.json"
_DOCUMENT = json.loads(_COMMITTED.read_text(encoding="utf-8"))

schema = schemathesis.openapi.from_dict(_DOCUMENT)


@pytest.fixture(scope="session")
def service_url(server_url: str, open_directory: Path) -> Iterator[str]:
    """A real `gatepost serve`, with a database of its own."""

    execute(server_url, f"create database fuzzed template {TEMPLATE}")
    environment = os.environ | {
        "GATEPOST_DATABASE_URL": database_url(server_url, "fuzzed"),
        "GATEPOST_SECRET_KEY": "s" * 40,
        "GATEPOST_ENVIRONMENT": "test",
        "GATEPOST_ADMIN_EMAIL": ADMIN_EMAIL,
        "GATEPOST_ADMIN_PASSWORD": PASSWORD,
    }
    command = [str(GATEPOST), "serve", "--port", "0"]
    with (
        (open_directory / "fuzzed.log").open("w") as log,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


def test_the_committed_document_is_the_one_that_is_served(service_url: str) -> None:
    assert httpx.get(f"{service_url}/openapi.json").json() == _DOCUMENT


class SignedInUsers:
    """Creates users, and returns their access tokens."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._token: str | None = None

    def token(self, operation: str) -> str:
        if self._token is None or operation in _ENDS_ITS_SESSION:
            form = {"email": f"fuzz{next(_numbers)}@example.org", "password": PASSWORD}
            response = self._client.post("/v1/auth/register", json=form)
            assert response.status_code == 201
            token = str(response.json()["access_token"])
            if operation in _ENDS_ITS_SESSION:
                return token
            self._token = token
        return self._token


@pytest.fixture(scope="session")
def users(service_url: str) -> Iterator[SignedInUsers]:
    with httpx.Client(base_url=service_url, timeout=30) as client:
        yield SignedInUsers(client)


@pytest.fixture(scope="session")
def http_session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@schema.parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_as_a_user(
    case: Any, users: SignedInUsers, service_url: str, http_session: requests.Session
) -> None:
    operation = case.operation.definition.raw["operationId"]
    headers = {"Authorization": f"Bearer {users.token(operation)}"}
    case.call_and_validate(service_url, http_session, headers=headers, checks=_checks(operation))


@schema.parametrize()
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_without_authentication(case: Any, service_url: str, http_session: requests.Session) -> None:
    checks = _checks(case.operation.definition.raw["operationId"])
    response = case.call_and_validate(service_url, http_session, checks=checks)
    if "security" in case.operation.definition.raw:
        # 404: the path does not exist, for its id is not an id.
        assert response.status_code in (401, 403, 404, 405, 415, 422)


@schema.include(path_regex="^/v1/(admin|settings|emails)").parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_admin_operation_as_an_admin(case: Any, service_url: str, http_session: requests.Session) -> None:
    if has_foreign_cursor(case):
        reject()
    headers = {"Authorization": f"Bearer {admin_token(service_url)}"}
    checks = _checks(case.operation.definition.raw["operationId"])
    case.call_and_validate(service_url, http_session, headers=headers, checks=checks)


def _checks(operation: str) -> list[Any]:
    checks: list[Any] = CHECKS.get_all()
    if operation in _MAY_BE_REJECTED:
        checks.remove(positive_data_acceptance)
    return checks


def test_sequences_of_operations_as_an_admin(service_url: str, open_directory: Path) -> None:
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", str(_COMMITTED), "--url", service_url]
    command += [
        "--phases",
        "stateful",
        "--include-path-regex",
        "^/v1/(admin|sessions|settings|emails)",
        "--max-examples",
        "30",
    ]
    # An ended session stays in lists, a template may be invalid (see _MAY_BE_REJECTED), and after the admin is deleted
    # or disabled every request fails.
    command += ["--checks", "all", "--exclude-checks", "use_after_free,positive_data_acceptance"]
    command += ["--exclude-operation-id", "delete_user", "--exclude-operation-id", "disable_user"]
    command += ["--seed", "1", "--generation-database", "none", "--no-color"]
    hooks = {
        "SCHEMATHESIS_HOOKS": "tests.support.fuzzing_hooks",
        "FUZZED_SERVICE": service_url,
        "PYTHONPATH": str(_ROOT),
    }
    done = subprocess.run(
        command, check=False, env=os.environ | hooks, cwd=open_directory, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "covered" in done.stdout
