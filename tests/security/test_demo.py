"""Demo accounts, whose passwords are public: never in the operator's place, and on this machine only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gatepost.cli.demo import ADMIN, USER
from tests.support import PASSWORD, running_service
from tests.support.cli import configuration_error, run_process, started_process

OWN = "the operator's own password"


@contextmanager
def demo_service(settings: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Run `gatepost serve --demo` as `make run` does; yield its URL and what it printed before."""
    with started_process(("serve", "--demo", "--port", 0), settings) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not (line := process.stdout.readline()).startswith("Gatepost listens"):
            assert line, lines
            lines.append(line.rstrip())
        yield line.split()[-1], lines
        process.terminate()


def login(url: str, email: str, password: str) -> int:
    return httpx.post(f"{url}/v1/auth/login", json={"email": email, "password": password}).status_code


def test_the_operators_password_holds_where_the_admin_is_a_demo_account(open_directory: Path) -> None:
    """Also if the demo had created the account before the operator chose a password."""
    data = {"data_dir": open_directory / "demo"}
    with demo_service(data) as (url, lines):
        assert f"Admin sign-in: {ADMIN[0]} / {ADMIN[1]}" in lines
        assert login(url, *ADMIN) == 200
    operator = {**data, "admin_email": ADMIN[0].upper(), "admin_password": OWN}
    for _ in range(2):
        with demo_service(operator) as (url, lines):
            assert (login(url, *ADMIN), login(url, ADMIN[0], OWN), login(url, *USER)) == (401, 200, 200)
            assert f"Admin sign-in: {ADMIN[0]} / your own password, because this is GATEPOST_ADMIN_EMAIL" in lines
            assert ADMIN[1] not in "".join(lines)


async def test_an_operator_with_the_demo_users_address_is_an_admin(database_url: str) -> None:
    operator = {"database_url": database_url, "admin_email": USER[0], "admin_password": OWN}
    code, out, err = run_process(("seed",), operator)
    assert (code, err) == (0, "")
    assert USER[1] not in out
    async with running_service(database_url) as service:
        role = await service.sql.fetchval("select role from gatepost.users where email = $1", USER[0])
        assert role == "admin"
        form = {"email": USER[0], "password": USER[1]}
        assert (await service.http.post("/v1/auth/login", json=form)).status_code == 401
        assert (await service.http.post("/v1/auth/login", json=form | {"password": OWN})).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_demo_mode_listens_on_this_machine_only(open_directory: Path, host: str) -> None:
    command = ("serve", "--demo", "--port", 0, "--host", host)
    message = configuration_error(command, {"data_dir": open_directory / "public demo"})
    assert message == "GATEPOST_HOST: --demo works on this machine only: omit it, or listen on 127.0.0.1"


async def test_demo_accounts_from_before_keep_the_service_on_this_machine(database_url: str) -> None:
    settings = {"database_url": database_url, "secret_key": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH"}
    run_process(("seed",), settings)
    message = configuration_error(("serve", "--port", 0, "--host", "0.0.0.0"), settings)
    assert message.startswith(f"GATEPOST_HOST: the database has the demo account {ADMIN[0]}, whose password is public")
    assert PASSWORD not in message
