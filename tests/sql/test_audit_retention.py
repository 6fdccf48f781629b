"""What leaves the audit log: the export verifies by itself, old rows go on purpose alone, and the rest verifies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from tests.audit_log import NOTE, count, lines, note, tamper

from gatepost.audit.chain import Anchor, Tampering
from gatepost.audit.retention import drop, droppable
from gatepost.audit.sealer import seal
from gatepost.audit.service import verify_lines, verify_log
from gatepost.db.pool import Connection, Database
from gatepost.errors import ConfigurationError

FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


async def test_the_export_verifies_without_a_database(database: Database) -> None:
    await note(database, 5)
    made = await lines(database)
    head = (await verify_log(database)).head
    assert verify_lines(made, head) == (1, 5, head, None)
    with pytest.raises(Tampering, match="line 3: position 3 is missing"):
        verify_lines([*made[:2], *made[3:]])
    with pytest.raises(Tampering, match="line 3: row 3"):
        verify_lines([*made[:2], made[2].replace(b"why", b"not"), *made[3:]])
    assert verify_lines(made[2:], head).first == 3
    assert verify_lines([]).rows == 0


async def aged(database: Database, until: int) -> None:
    """Make the rows up to a number old before anything is sealed."""
    await tamper(database, f"update gatepost.audit_log set at = at - interval '1 year' where id <= {until}")


async def test_old_rows_go_and_the_rest_verifies(database: Database) -> None:
    await note(database, 6)
    await aged(database, 4)
    anchor = (await verify_log(database)).head
    before = datetime.now(UTC) - timedelta(days=30)
    async with database.connection() as connection:
        old = Anchor(
            2, await connection.fetchval("select encode(hash, 'hex') from gatepost.audit_seals where position = 2")
        )
    going = await droppable(database, before)
    assert going is not None
    assert (going.rows, going.last.position) == (4, 4)
    await drop(database, going, before)
    await drop(database, going, before)
    found = await verify_log(database, anchor)
    # The six less four, and the row that tells of it.
    assert (found.first, found.rows, await count(database, "audit_log")) == (5, 3, 3)
    assert await droppable(database, before) is None
    assert verify_lines(await lines(database), anchor).first == 5
    with pytest.raises(ConfigurationError, match="dropped since"):
        await verify_log(database, old)
    await verify_log(database, Anchor(4, going.last.hash))
    await tamper(database, "delete from gatepost.audit_drops")
    with pytest.raises(Tampering, match="position 1 is missing"):
        await verify_log(database)


async def test_an_interrupted_drop_verifies_and_is_finished_later(database: Database) -> None:
    await note(database, 4)
    going = await droppable(database, FUTURE)
    assert going is not None
    assert going.rows == 3
    async with database.transaction() as connection:
        await _say_dropped(connection, going.last.hash)
    assert (await verify_log(database)).first == 4
    await drop(database, None, FUTURE)
    assert (await verify_log(database)).first == 4
    assert await count(database, "audit_log") == 1


async def _say_dropped(connection: Connection, kept: str) -> None:
    await connection.execute("insert into gatepost.audit_drops (position, hash) values (3, decode($1, 'hex'))", kept)


async def test_nothing_is_dropped_of_a_log_that_was_tampered_with(database: Database) -> None:
    await note(database, 4)
    await seal(database)
    await tamper(database, "update gatepost.audit_log set reason = 'no' where id = 3")
    with pytest.raises(Tampering):
        await droppable(database, FUTURE)
    assert await count(database, "audit_log") == 4


async def test_what_is_not_sealed_never_goes(database: Database) -> None:
    await note(database)
    await seal(database)
    async with database.transaction() as slow:
        await slow.execute(NOTE, "slow")
        await note(database, 3)
        assert await droppable(database, FUTURE) is None


@pytest.mark.parametrize("table", ["audit_log", "audit_seals", "audit_drops"])
async def test_nothing_is_altered_or_removed(database: Database, table: str) -> None:
    await note(database, 4)
    going = await droppable(database, FUTURE)
    await drop(database, going, FUTURE)
    await seal(database)
    column = "reason = 'x'" if table == "audit_log" else "position = position"
    for statement in (f"update {{}} set {column}", "delete from {}", "truncate {}"):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await database.execute(statement.format(f"gatepost.{table}"))
