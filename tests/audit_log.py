"""What the tests do to an audit log, and how they look at it."""

from __future__ import annotations

from gatepost.audit.export import export_lines
from gatepost.db.pool import Database

NOTE = "select gatepost.note_audit($1, 'test.done', null, 'why', '192.0.2.1', '{\"n\": 1.50}')"


async def note(database: Database, count: int = 1) -> None:
    for number in range(count):
        await database.execute(NOTE, f"person:{number}")


async def tamper(database: Database, *statements: str) -> None:
    """What somebody does who may do everything."""
    async with database.transaction() as connection:
        await connection.execute("set local session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)


async def count(database: Database, table: str) -> int:
    async with database.connection() as connection:
        counted: int = await connection.fetchval(f"select count(*) from gatepost.{table}")
    return counted


async def lines(database: Database) -> list[bytes]:
    return [line async for line in export_lines(database)]
