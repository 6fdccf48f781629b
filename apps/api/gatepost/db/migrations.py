"""Migrations: applied in order, under a lock, each in a transaction of its own.

`supabase/migrations` is the only source of the schema. Our own ledger says what has been applied; what the Supabase
CLI has recorded counts too, but its ledger is never written: a row of ours there would break `supabase db push`.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import asyncpg

from gatepost import package_files as assets
from gatepost.db import pool as db
from gatepost.errors import ConfigurationError

# Any fixed number does: what counts is that every process takes the same lock.
_LOCK = 0x6761_7465_706F_7374

_LEDGER = """
create schema if not exists gatepost;
create table if not exists gatepost.schema_migrations (
  version text primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
);
alter table gatepost.schema_migrations enable row level security;
"""

_OUR_LEDGER = (
    "gatepost.schema_migrations",
    "select version, checksum from gatepost.schema_migrations",
)
_SUPABASE_LEDGER = (
    "supabase_migrations.schema_migrations",
    "select version, name from supabase_migrations.schema_migrations",
)


@dataclass(frozen=True)
class Migration:
    """One file of SQL; `version` is its timestamp."""

    version: str
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """The SHA-256 of the file's text, in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load(directory: Path | None = None) -> list[Migration]:
    """Return the migrations of a directory (ours by default), oldest first."""
    return _read(directory) if directory else _ours()


@cache
def _ours() -> list[Migration]:
    return _read(assets.migrations())


def _read(directory: Path) -> list[Migration]:
    return [
        Migration(match[1], match[2], path.read_text(encoding="utf-8"))
        for path in sorted(directory.glob("*.sql"))
        if (match := re.fullmatch(r"(\d{14})_(\w+)\.sql", path.name))
    ]


async def migrate(url: str, directory: Path | None = None) -> list[Migration]:
    """Apply what is pending and return it; several processes at once apply each migration once.

    Raises:
        ConfigurationError: the database cannot be reached, was made by another, unreleased schema, or refuses one of
            our statements; what had been applied before stays.
    """
    connection = await _connect(url)
    try:
        # Held by the session, so that the lock outlives each migration's transaction.
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        with _refused("the ledger gatepost.schema_migrations"):
            await connection.execute(_LEDGER)
        todo = await pending(connection, directory)
        for migration in todo:
            await _apply(connection, migration)
        return todo
    finally:
        await connection.close()


async def pending(connection: db.Connection, directory: Path | None = None) -> list[Migration]:
    """Return the migrations that this database lacks, oldest first.

    Raises:
        ConfigurationError: an applied migration is not the one we carry, or a ledger may not be read.
    """
    ours = await _recorded(connection, *_OUR_LEDGER)
    migrations = load(directory)
    for migration in migrations:
        if ours.get(migration.version, migration.checksum) != migration.checksum:
            raise ConfigurationError(
                f"this database was made by an unreleased schema (migration {migration.version} has changed since): "
                "drop the schema gatepost, or the data directory of the embedded database, and start again"
            )
    missing = [migration for migration in migrations if migration.version not in ours]
    # Not asked for nothing: a role of ours may well be kept out of the Supabase CLI's schema.
    theirs = await _recorded(connection, *_SUPABASE_LEDGER) if missing else {}
    return [migration for migration in missing if theirs.get(migration.version) != migration.name]


def copy(directory: Path) -> list[Path]:
    """Copy our migrations into a Supabase project's folder and return the new files; those there already stay.

    Raises:
        ConfigurationError: the folder is not there or not writable, or holds another file under one of our names; then
            nothing is copied.
    """
    if not directory.is_dir():
        raise ConfigurationError(f"{directory}: is no folder; in a Supabase project it is supabase/migrations")
    try:
        new = []
        for source in sorted(assets.migrations().glob("*.sql")):
            target = directory / source.name
            if not target.exists():
                new.append((source, target))
            elif target.read_bytes() != source.read_bytes():
                raise ConfigurationError(f"{target}: is there already, and is not the file of this version of Gatepost")
        return [Path(shutil.copyfile(source, target)) for source, target in new]
    except OSError as error:
        raise ConfigurationError(f"{directory}: cannot copy the migrations: {error}") from None


async def _connect(url: str) -> db.Connection:
    try:
        return await asyncpg.connect(url, timeout=10, server_settings={"application_name": "gatepost migrate"})
    except (OSError, TimeoutError, ValueError, OverflowError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise db.unreachable(error) from None


async def _recorded(connection: db.Connection, ledger: str, query: str) -> dict[str, str]:
    with _refused(f"reading {ledger}"):
        if await connection.fetchval("select to_regclass($1)", ledger) is None:
            return {}
        return {row[0]: row[1] for row in await connection.fetch(query)}


async def _apply(connection: db.Connection, migration: Migration) -> None:
    with _refused(f"migration {migration.version}_{migration.name}"):
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "insert into gatepost.schema_migrations (version, name, checksum) values ($1, $2, $3)",
                migration.version,
                migration.name,
                migration.checksum,
            )


@contextmanager
def _refused(what: str) -> Iterator[None]:
    try:
        yield
    except asyncpg.PostgresError as error:
        raise ConfigurationError(f"GATEPOST_DATABASE_URL: the database refuses {what}: {error}") from error
