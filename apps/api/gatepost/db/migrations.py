"""Migrations: applied in order, under a lock, each in its own transaction.

`supabase/migrations` is the only source of the schema. Applied migrations are recorded in a ledger, the table
`gatepost.schema_migrations`. Those that the Supabase CLI has recorded in its own ledger count as applied too, but that
ledger is never written: rows of ours would break `supabase db push`.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import asyncpg

from gatepost import package_files
from gatepost.db.embedded import APPLICATION_ROLE, EmbeddedPostgres
from gatepost.db.pool import Connection, connection_error
from gatepost.errors import ConfigurationError

# An arbitrary number, the same in every process.
_LOCK = 0x6761_7465_706F_7374

_CREATE_LEDGER = """
create schema if not exists gatepost;
create table if not exists gatepost.schema_migrations (
  version text primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
);
alter table gatepost.schema_migrations enable row level security;
"""

# Name, and the query of what it has recorded.
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
    """A file of SQL; `version` is the timestamp in its name."""

    version: str
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """The SHA-256 of the file's text, in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load(directory: Path | None = None) -> list[Migration]:
    """Return the migrations of a directory, by default Gatepost's own, oldest first."""
    return _read(directory) if directory else _read_own()


@cache
def _read_own() -> list[Migration]:
    return _read(package_files.migrations())


def _read(directory: Path) -> list[Migration]:
    return [
        Migration(match[1], match[2], path.read_text(encoding="utf-8"))
        for path in sorted(directory.glob("*.sql"))
        if (match := re.fullmatch(r"(\d{14})_(\w+)\.sql", path.name))
    ]


async def migrate(
    url: str,
    directory: Path | None = None,
    *,
    application_role: str | None = None,
    setting: str = "GATEPOST_DATABASE_URL",
) -> list[Migration]:
    """Apply the pending migrations and return them. Concurrent calls apply each migration once.

    An application role, which has to exist, is granted what the service needs, without the right to change or delete
    audit rows. `setting` is where the URL comes from, for the message of an error.

    Raises:
        ConfigurationError: the database cannot be reached, has an unreleased schema, or rejects a statement. The
            migrations before that one stay applied.
    """
    connection = await _connect(url, setting)
    try:
        # A lock of the session, so that it is held across the transactions of all migrations.
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        with _errors_reported("create the ledger gatepost.schema_migrations"):
            await connection.execute(_CREATE_LEDGER)
        missing = await pending(connection, directory)
        for migration in missing:
            await _apply(connection, migration)
        if application_role is not None:
            with _errors_reported(f"grant the role {application_role} what it needs"):
                await connection.execute("select gatepost.grant_application_role($1)", application_role)
        return missing
    finally:
        await connection.close()


async def migrate_embedded(server: EmbeddedPostgres) -> list[Migration]:
    """Create the application role of the embedded database, and apply the pending migrations as the owner.

    Raises:
        ConfigurationError: the database cannot be reached, or has an unreleased schema.
    """
    connection = await _connect(server.url)
    try:
        with _errors_reported(f"create the role {APPLICATION_ROLE}"), suppress(asyncpg.DuplicateObjectError):
            await connection.execute(f"create role {APPLICATION_ROLE} login")
    finally:
        await connection.close()
    return await migrate(server.url, application_role=APPLICATION_ROLE)


async def read_role(url: str) -> str:
    """Return the role that a URL connects as; a connection pooler's user can have another name.

    Raises:
        ConfigurationError: the database cannot be reached, or has no such role.
    """
    connection = await _connect(url)
    try:
        role: str = await connection.fetchval("select current_user")
        return role
    finally:
        await connection.close()


async def can_erase_audit(connection: Connection) -> bool:
    """Return whether the connection's role can change or delete audit rows, or the tables themselves."""
    query = """
        select bool_or(has_table_privilege(c.oid, 'update, delete, truncate') or pg_has_role(c.relowner, 'member'))
        from pg_class c
        where c.relnamespace = 'gatepost'::regnamespace and c.relname in ('audit_log', 'audit_seals', 'audit_drops')
    """
    return bool(await connection.fetchval(query))


async def pending(connection: Connection, directory: Path | None = None) -> list[Migration]:
    """Return the migrations that this database lacks, oldest first.

    Raises:
        ConfigurationError: an applied migration differs from ours, or a ledger cannot be read.
    """
    applied = await _recorded(connection, *_OUR_LEDGER)
    migrations = load(directory)
    for migration in migrations:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise ConfigurationError(
                "this database was created by an unreleased version "
                f"(migration {migration.version} has changed since): "
                "drop the schema gatepost, or delete the data directory of the embedded database, and start again"
            )
    missing = [migration for migration in migrations if migration.version not in applied]
    # Only if needed: our role may have no access to the schema of the Supabase CLI.
    by_supabase = await _recorded(connection, *_SUPABASE_LEDGER) if missing else {}
    return [migration for migration in missing if by_supabase.get(migration.version) != migration.name]


def copy_migrations(directory: Path) -> list[Path]:
    """Copy the migrations to a directory of a Supabase project and return the new files. Existing files are kept.

    Raises:
        ConfigurationError: the directory does not exist or is not writable, or a file of the same name has another
            content; then nothing is copied.
    """
    if not directory.is_dir():
        raise ConfigurationError(f"{directory}: is not a directory; in a Supabase project, use supabase/migrations")
    try:
        new = []
        for source in sorted(package_files.migrations().glob("*.sql")):
            target = directory / source.name
            if not target.exists():
                new.append((source, target))
            elif target.read_bytes() != source.read_bytes():
                raise ConfigurationError(
                    f"{target}: already exists, and differs from the file of this version of Gatepost"
                )
        return [Path(shutil.copyfile(source, target)) for source, target in new]
    except OSError as error:
        raise ConfigurationError(f"{directory}: cannot copy the migrations: {error}") from None


async def _connect(url: str, setting: str = "GATEPOST_DATABASE_URL") -> Connection:
    try:
        return await asyncpg.connect(url, timeout=10, server_settings={"application_name": "gatepost migrate"})
    except (OSError, TimeoutError, ValueError, OverflowError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise connection_error(error, setting) from None


async def _recorded(connection: Connection, ledger: str, query: str) -> dict[str, str]:
    with _errors_reported(f"read {ledger}"):
        if await connection.fetchval("select to_regclass($1)", ledger) is None:
            return {}
        return {row[0]: row[1] for row in await connection.fetch(query)}


async def _apply(connection: Connection, migration: Migration) -> None:
    with _errors_reported(f"apply migration {migration.version}_{migration.name}"):
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "insert into gatepost.schema_migrations (version, name, checksum) values ($1, $2, $3)",
                migration.version,
                migration.name,
                migration.checksum,
            )


@contextmanager
def _errors_reported(attempt: str) -> Iterator[None]:
    try:
        yield
    except asyncpg.PostgresError as error:
        raise ConfigurationError(f"GATEPOST_DATABASE_URL: cannot {attempt}: {error}") from error
