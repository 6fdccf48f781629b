"""Two roles: the owner of the schema migrates, the application's role serves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from gatepost.db import migrate, read_role
from gatepost.db.embedded import APPLICATION_ROLE
from gatepost.errors import ConfigurationError
from gatepost.sessions.store import READ_SESSION
from tests.support import Service
from tests.support.cli import run_here, started_process, wait_for_exit
from tests.support.database import application_url, connect, execute, fetch
from tests.support.service import PASSWORD

DAY = timedelta(days=1)
UNPROTECTED = "its role can change and delete audit rows"


@pytest.fixture
def role(server_url: str) -> Iterator[str]:
    """A new role without any rights."""
    name = f"role_{uuid4().hex[:8]}"
    execute(server_url, f"create role {name} login")
    yield name
    execute(server_url, f"drop role if exists {name}")


def test_migrate_runs_as_the_owner_and_grants_the_application_what_it_needs(empty_database: str, role: str) -> None:
    url = empty_database.replace("//gatepost@", f"//{role}@")
    settings = {"database_url": url, "migration_database_url": empty_database, "secret_key": "s" * 40}
    try:
        for expected in ("Applied", "The schema is up to date."):
            code, out, err = run_here(["migrate"], settings)
            assert (code, err) == (0, "")
            assert out.startswith(expected)
        for email in ("boss@example.com", "other@example.com"):
            code, _, err = run_here(["users", "create-admin", email], settings, "a good password\n")
            assert (code, err) == (0, "")
        assert run_here(["audit", "verify"], settings)[0] == 0
        owners = fetch(
            empty_database,
            "select distinct relowner::regrole::text as name from pg_class "
            "where relnamespace = 'gatepost'::regnamespace",
        )
        assert [row["name"] for row in owners] == ["gatepost"]
        # Old rows are dropped by the owner.
        assert run_here(["audit", "drop", "--before", "2100-01-01", "--yes"], settings)[0] == 0
        assert fetch(empty_database, "select count(*) as n from gatepost.audit_drops") == [{"n": 1}]
    finally:
        execute(empty_database, f"drop owned by {role}")


async def test_a_role_that_does_not_exist_is_an_error_of_one_line(empty_database: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot open the database"):
        await read_role(empty_database.replace("//gatepost@", "//nobody@"))
    with pytest.raises(ConfigurationError, match=r"^GATEPOST_MIGRATION_DATABASE_URL: cannot open the database"):
        await migrate(
            empty_database.replace("//gatepost@", "//nobody@"),
            application_role="x",
            setting="GATEPOST_MIGRATION_DATABASE_URL",
        )


async def test_a_table_of_a_later_migration_is_granted_by_the_next_migrate(database_url: str) -> None:
    async with connect(database_url) as owner:
        await owner.execute(
            "create table gatepost.later (id int); alter table gatepost.later enable row level security"
        )
    await asyncio.gather(*(migrate(database_url, application_role=APPLICATION_ROLE) for _ in range(3)))
    async with connect(application_url(database_url)) as application:
        await application.execute("insert into gatepost.later values (1)")
        assert await application.fetchval("update gatepost.later set id = 2 returning id") == 2


async def test_row_level_security_does_not_change_the_guards_plan(database_url: str) -> None:
    plans, session_id = [], uuid4()
    for url in (database_url, application_url(database_url)):
        async with connect(url) as connection:
            await connection.execute("set plan_cache_mode = force_generic_plan")
            rows = await connection.fetch(f"explain (verbose, costs off) {READ_SESSION}", session_id, DAY, DAY)
            plans.append([row[0] for row in rows])
    assert plans[0] == plans[1]
    assert "sessions_pkey" in "".join(plans[0])


async def test_the_service_serves_as_a_role_that_cannot_erase_audit_rows(service: Service) -> None:
    assert service.settings.database_url is not None
    assert await read_role(service.settings.database_url.get_secret_value()) == APPLICATION_ROLE
    device = await service.register()
    assert (await device.get("/v1/me")).status_code == 200
    assert await service.sql.fetchval("select current_user") == "gatepost"


async def test_one_role_for_both_works_and_is_logged(database_url: str) -> None:
    settings = {"database_url": database_url, "secret_key": "s" * 40, "environment": "test"}
    for url, expected in ((database_url, 1), (application_url(database_url), 0)):
        with started_process(["serve", "--port", 0], settings | {"database_url": url}) as process:
            assert process.stdout is not None
            ready = next(line for line in process.stdout if "http://" in line)
            async with httpx.AsyncClient() as client:
                form = {"email": f"user{expected}@example.com", "password": PASSWORD}
                (await client.post(ready.split()[-1] + "/v1/auth/register", json=form)).raise_for_status()
            process.terminate()
            _, _, err = wait_for_exit(process)
        assert err.count(UNPROTECTED) == expected


def test_the_embedded_database_uses_both_roles(open_directory: Path) -> None:
    settings = {"data_dir": open_directory / "roles", "environment": "test"}
    with started_process(["serve", "--demo", "--port", 0], settings) as process:
        assert process.stdout is not None
        ready = next(line for line in process.stdout if "http://" in line)
        httpx.get(ready.split()[-1] + "/readyz").raise_for_status()
        code, out, err = run_here(["audit", "drop", "--before", "2100-01-01", "--yes"], settings)
        assert code == 0, (out, err)
        code, out, err = run_here(["audit", "verify"], settings)
        assert "no tampering found" in out
        process.terminate()
        _, _, err = wait_for_exit(process)
    assert UNPROTECTED not in err
