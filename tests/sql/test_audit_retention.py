"""Exporting the audit log, and dropping old rows: the export and the remaining rows verify."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gatepost.audit import Anchor, Tampering, drop, find_droppable, seal, verify_lines, verify_log
from gatepost.db import Connection, Database
from gatepost.errors import ConfigurationError, InternalError
from tests.support.audit import RECORD_EVENT, count_rows, exported_lines, record_events, tamper

FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


async def test_an_export_verifies_without_a_database(database: Database) -> None:
    await record_events(database, 5)
    export = await exported_lines(database)
    head = (await verify_log(database)).head
    assert verify_lines(export, head) == (1, 5, head, None)
    with pytest.raises(Tampering, match="line 3: position 3 is missing"):
        verify_lines([*export[:2], *export[3:]])
    with pytest.raises(Tampering, match="line 3: row 3"):
        verify_lines([*export[:2], export[2].replace(b"why", b"not"), *export[3:]])
    assert verify_lines(export[2:], head).first == 3
    assert verify_lines([]).rows == 0


async def make_old(database: Database, last_id: int) -> None:
    """Make the rows up to an id a year older, before anything is sealed."""
    await tamper(database, f"update gatepost.audit_log set at = at - interval '1 year' where id <= {last_id}")


async def test_old_rows_are_dropped_and_the_rest_verifies(database: Database) -> None:
    await record_events(database, 6)
    await make_old(database, 4)
    anchor = (await verify_log(database)).head
    before = datetime.now(UTC) - timedelta(days=30)
    async with database.connection() as connection:
        old_anchor = Anchor(
            2, await connection.fetchval("select encode(hash, 'hex') from gatepost.audit_seals where position = 2")
        )
    to_drop = await find_droppable(database, before)
    assert to_drop is not None
    assert (to_drop.rows, to_drop.last.position) == (4, 4)
    await drop(database, to_drop, before)
    await drop(database, to_drop, before)
    log = await verify_log(database, anchor)
    # Six rows less four, and the row that records the drop.
    assert (log.first, log.rows, await count_rows(database, "audit_log")) == (5, 3, 3)
    assert await find_droppable(database, before) is None
    assert verify_lines(await exported_lines(database), anchor).first == 5
    with pytest.raises(ConfigurationError, match="dropped since"):
        await verify_log(database, old_anchor)
    await verify_log(database, Anchor(4, to_drop.last.hash))
    await tamper(database, "delete from gatepost.audit_drops")
    with pytest.raises(Tampering, match="position 1 is missing"):
        await verify_log(database)


async def test_an_interrupted_drop_verifies_and_can_be_finished(database: Database) -> None:
    await record_events(database, 4)
    to_drop = await find_droppable(database, FUTURE)
    assert to_drop is not None
    assert to_drop.rows == 3
    async with database.transaction() as connection:
        await record_drop(connection, to_drop.last.hash)
    assert (await verify_log(database)).first == 4
    await drop(database, None, FUTURE)
    assert (await verify_log(database)).first == 4
    assert await count_rows(database, "audit_log") == 1


async def record_drop(connection: Connection, hash_: str) -> None:
    await connection.execute("insert into gatepost.audit_drops (position, hash) values (3, decode($1, 'hex'))", hash_)


async def test_nothing_is_dropped_from_a_log_that_was_tampered_with(database: Database) -> None:
    await record_events(database, 4)
    await seal(database)
    await tamper(database, "update gatepost.audit_log set reason = 'no' where id = 3")
    with pytest.raises(Tampering):
        await find_droppable(database, FUTURE)
    assert await count_rows(database, "audit_log") == 4


async def test_rows_that_are_not_sealed_are_never_dropped(database: Database) -> None:
    await record_events(database)
    await seal(database)
    async with database.transaction() as slow:
        await slow.execute(RECORD_EVENT, "slow")
        await record_events(database, 3)
        assert await find_droppable(database, FUTURE) is None


@pytest.mark.parametrize("table", ["audit_log", "audit_seals", "audit_drops"])
async def test_rows_cannot_be_updated_deleted_or_truncated(database: Database, table: str) -> None:
    await record_events(database, 4)
    to_drop = await find_droppable(database, FUTURE)
    await drop(database, to_drop, FUTURE)
    await seal(database)
    column = "reason = 'x'" if table == "audit_log" else "position = position"
    for statement in (f"update {{}} set {column}", "delete from {}", "truncate {}"):
        with pytest.raises(InternalError, match="append-only"):
            await database.execute(statement.format(f"gatepost.{table}"))
