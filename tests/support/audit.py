"""Writing to an audit log, tampering with it, and reading it."""

from __future__ import annotations

from datetime import UTC, datetime

from gatepost.audit import SealKeys, export_lines
from gatepost.db import Database

FUTURE = datetime(2100, 1, 1, tzinfo=UTC)
KEYS = SealKeys([b"s" * 40])
RECORD_EVENT = "select gatepost.record_audit($1, 'test.done', null, 'why', '192.0.2.1', '{\"n\": 1.50}')"


async def record_events(database: Database, count: int = 1) -> None:
    for number in range(count):
        await database.execute(RECORD_EVENT, f"user:{number}")


async def tamper(database: Database, *statements: str) -> None:
    """Execute statements with the log's triggers disabled, as a superuser can."""
    async with database.transaction() as connection:
        await connection.execute("set local session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)


async def count_rows(database: Database, table: str) -> int:
    async with database.connection() as connection:
        counted: int = await connection.fetchval(f"select count(*) from gatepost.{table}")
    return counted


async def exported_lines(database: Database) -> list[bytes]:
    return [line async for line in export_lines(database, KEYS)]
