"""Migrations on a real PostgreSQL: each once, in order, together with the Supabase CLI; and the privileges."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from gatepost.db import Connection
from gatepost.db.migrations import Migration, load, migrate
from gatepost.errors import ConfigurationError
from tests.support.database import connect, temporary_database

LEDGER = "select version, name, checksum from gatepost.schema_migrations order by version"
# As the Supabase CLI creates it.
SUPABASE_LEDGER = """
create schema supabase_migrations;
create table supabase_migrations.schema_migrations (version text not null primary key, statements text[], name text);
"""


@pytest.fixture
async def url(each_server: str) -> AsyncIterator[str]:
    """An empty database."""
    async with temporary_database(each_server, "migrations", "template0") as url:
        yield url


@pytest.fixture
async def sql(url: str) -> AsyncIterator[Connection]:
    """A connection to it, as the superuser."""
    async with connect(url) as connection:
        yield connection


@pytest.fixture
async def supabase_roles(sql: Connection) -> AsyncIterator[None]:
    """The roles that Supabase has."""
    await sql.execute("create role anon; create role authenticated")
    yield
    await sql.execute("reset role; drop owned by anon, authenticated; drop role anon, authenticated")


async def test_each_migration_is_applied_once_and_recorded(url: str, sql: Connection) -> None:
    applied = await migrate(url)
    assert applied == load()
    assert len(applied) > 1
    ledger = await sql.fetch(LEDGER)
    assert [tuple(row) for row in ledger] == [(m.version, m.name, m.checksum) for m in load()]
    assert await migrate(url) == []
    assert await sql.fetch(LEDGER) == ledger


async def test_concurrent_migrations_apply_each_once(url: str) -> None:
    applied = await asyncio.gather(*(migrate(url) for _ in range(5)))
    assert sorted(m.version for each in applied for m in each) == [m.version for m in load()]


async def migration_error(url: str, directory: Path | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        await migrate(url, directory)
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_a_changed_migration_is_reported_as_an_unreleased_schema(url: str, sql: Connection) -> None:
    first = (await migrate(url))[0]
    await sql.execute("update gatepost.schema_migrations set checksum = 'other' where version = $1", first.version)
    message = await migration_error(url)
    assert message.startswith(
        f"this database was created by an unreleased version (migration {first.version} has changed"
    )


async def deploy_by_supabase_cli(sql: Connection, migration: Migration, name: str) -> None:
    """Apply and record a migration as `supabase db push` does."""
    await sql.execute(migration.sql)
    await sql.execute(
        "insert into supabase_migrations.schema_migrations values ($1, $2, $3)", migration.version, ["…"], name
    )


async def supabase_rows(sql: Connection) -> list[asyncpg.Record]:
    return await sql.fetch("select xmin::text, ctid::text, * from supabase_migrations.schema_migrations")


async def test_migrations_applied_by_the_supabase_cli_count_and_its_ledger_is_not_written(
    url: str, sql: Connection
) -> None:
    first, *others = load()
    await sql.execute(SUPABASE_LEDGER)
    await deploy_by_supabase_cli(sql, first, first.name)
    before = await supabase_rows(sql)
    assert await migrate(url) == others
    assert await migrate(url) == []
    assert [row["version"] for row in await sql.fetch(LEDGER)] == [m.version for m in others]
    assert await supabase_rows(sql) == before


async def test_another_migration_with_the_same_version_does_not_count(url: str, sql: Connection) -> None:
    await sql.execute(SUPABASE_LEDGER)
    other = Migration(load()[0].version, "todo_list", "create table todo_list ()")
    await deploy_by_supabase_cli(sql, other, other.name)
    before = await supabase_rows(sql)
    assert await migrate(url) == load()
    assert await supabase_rows(sql) == before


async def test_a_failing_migration_is_rolled_back(url: str, sql: Connection, tmp_path: Path) -> None:
    (tmp_path / "20270101000001_good.sql").write_text("create table gatepost.whole ();")
    broken = tmp_path / "20270101000002_broken.sql"
    broken.write_text("create table gatepost.half ();\nselect 1 / 0;")
    message = await migration_error(url, tmp_path)
    assert message == "GATEPOST_DATABASE_URL: cannot apply migration 20270101000002_broken: division by zero"
    assert await sql.fetchval("select to_regclass('gatepost.whole')") is not None
    assert await sql.fetchval("select to_regclass('gatepost.half')") is None
    assert [row["name"] for row in await sql.fetch(LEDGER)] == ["good"]

    broken.write_text("create table gatepost.half ();")
    assert [m.name for m in await migrate(url, tmp_path)] == ["broken"]


async def test_missing_privileges_are_reported_in_one_line(url: str, sql: Connection) -> None:
    await sql.execute("create role limited login")
    try:
        as_limited = url.replace("//gatepost@", "//limited@")
        assert "permission denied for database" in await migration_error(as_limited)
        await sql.execute("grant create on database migrations to limited")
        await sql.execute(SUPABASE_LEDGER)
        assert "permission denied for schema supabase_migrations" in await migration_error(as_limited)
        await sql.execute("grant usage on schema supabase_migrations to limited")
        await sql.execute("grant select on supabase_migrations.schema_migrations to limited")
        assert await migrate(as_limited) == load()
        # With no migration pending, the other ledger is not read.
        await sql.execute("revoke usage on schema supabase_migrations from limited")
        assert await migrate(as_limited) == []
    finally:
        await sql.execute("drop owned by limited cascade; drop role limited")


async def test_public_has_no_execute_and_every_table_has_row_level_security(url: str, sql: Connection) -> None:
    await migrate(url)
    functions = await sql.fetch(
        "select oid::regprocedure::text as name, exists("
        "  select from aclexplode(coalesce(proacl, acldefault('f', proowner))) where grantee = 0"
        ") as public from pg_proc where pronamespace = 'gatepost'::regnamespace"
    )
    assert len(functions) > 5
    assert [row["name"] for row in functions if row["public"]] == []
    tables = await sql.fetch(
        "select oid::regclass::text as name, relrowsecurity as secured from pg_class "
        "where relnamespace = 'gatepost'::regnamespace and relkind in ('r', 'p')"
    )
    assert len(tables) > 4
    assert [row["name"] for row in tables if not row["secured"]] == []


@pytest.mark.usefixtures("supabase_roles")
async def test_on_supabase_signed_in_users_may_only_select_sessions(url: str, sql: Connection) -> None:
    await migrate(url)
    rights = await sql.fetch(
        "select role, relname, privilege from pg_class, unnest(array['anon', 'authenticated']) role,"
        " unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) privilege "
        "where relnamespace = 'gatepost'::regnamespace and relkind in ('r', 'p', 'v', 'm') "
        "and has_table_privilege(role, oid, privilege)"
    )
    assert [tuple(row) for row in rights] == [("authenticated", "sessions", "select")]
    assert not await sql.fetch(
        "select role, proname from pg_proc, unnest(array['anon', 'authenticated']) role "
        "where pronamespace = 'gatepost'::regnamespace and has_function_privilege(role, oid, 'execute')"
    )
    assert not await sql.fetchval("select has_schema_privilege('anon', 'gatepost', 'usage')")
    assert not await sql.fetchval("select has_schema_privilege('authenticated', 'gatepost', 'create')")


@pytest.mark.usefixtures("supabase_roles")
async def test_on_supabase_signed_in_users_see_their_own_sessions(url: str, sql: Connection) -> None:
    await migrate(url)
    ada, bob = uuid4(), uuid4()
    for user in (ada, ada, bob):
        await sql.execute(
            "insert into gatepost.sessions (user_id, device_kind, expires_at) values ($1, 'unknown', now())", user
        )
    await sql.execute("set role authenticated")
    for claims, visible in (
        (json.dumps({"sub": str(ada)}), [ada, ada]),
        (json.dumps({"sub": str(bob)}), [bob]),
        (json.dumps({"sub": str(uuid4())}), []),
        (json.dumps({"role": "anon"}), []),
        ("", []),
    ):
        await sql.execute("select set_config('request.jwt.claims', $1, false)", claims)
        assert [row["user_id"] for row in await sql.fetch("select user_id from gatepost.sessions")] == visible
    for statement in (
        "select from gatepost.users",
        "select from gatepost.refresh_tokens",
        "delete from gatepost.sessions",
        "select gatepost.lock_sessions(gen_random_uuid())",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sql.execute(statement)
