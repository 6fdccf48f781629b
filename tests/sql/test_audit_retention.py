"""Exporting the audit log, and dropping old rows: the export and the remaining rows verify."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gatepost.audit import Anchor, Tampering, drop, find_droppable, seal, verify_lines, verify_log
from gatepost.audit.service import record_retention
from gatepost.db import Database
from gatepost.errors import ConfigurationError, InternalError
from tests.support.audit import KEYS, RECORD_EVENT, count_rows, exported_lines, record_events, tamper

FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


async def test_an_export_verifies_without_a_database(database: Database) -> None:
    await record_events(database, 5)
    export = await exported_lines(database)
    head = (await verify_log(database, KEYS)).head
    for keys in (None, KEYS):
        assert verify_lines(export, head, keys) == (1, 5, head, None, None)
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
    anchor = (await verify_log(database, KEYS)).head
    before = datetime.now(UTC) - timedelta(days=30)
    async with database.connection() as connection:
        old_anchor = Anchor(
            2, await connection.fetchval("select encode(hash, 'hex') from gatepost.audit_seals where position = 2")
        )
    to_drop = await find_droppable(database, KEYS, before)
    assert to_drop is not None
    assert (to_drop.rows, to_drop.last.position) == (4, 4)
    await drop(database, KEYS, to_drop, before)
    await drop(database, KEYS, to_drop, before)
    log = await verify_log(database, KEYS, anchor)
    # Six rows less four, and the row that records the drop.
    assert (log.first, log.rows, await count_rows(database, "audit_log")) == (5, 3, 3)
    assert await find_droppable(database, KEYS, before) is None
    assert verify_lines(await exported_lines(database), anchor).first == 5
    with pytest.raises(ConfigurationError, match="has been dropped"):
        await verify_log(database, KEYS, old_anchor)
    await verify_log(database, KEYS, Anchor(4, to_drop.last.hash))
    await tamper(database, "delete from gatepost.audit_drops")
    with pytest.raises(Tampering, match="positions 1 to 4 are missing"):
        await verify_log(database, KEYS)


async def test_an_interrupted_drop_verifies_and_can_be_finished(database: Database) -> None:
    await record_events(database, 4)
    to_drop = await find_droppable(database, KEYS, FUTURE)
    assert to_drop is not None
    assert to_drop.rows == 3
    async with database.transaction() as connection:
        await record_retention(connection, KEYS, to_drop, FUTURE)
    assert (await verify_log(database, KEYS)).first == 4
    await drop(database, KEYS, None, FUTURE)
    assert (await verify_log(database, KEYS)).first == 4
    # The last row, and the one that records the drop.
    assert await count_rows(database, "audit_log") == 2


async def test_nothing_is_dropped_from_a_log_that_was_tampered_with(database: Database) -> None:
    await record_events(database, 4)
    await seal(database, KEYS)
    await tamper(database, "update gatepost.audit_log set reason = 'no' where id = 3")
    with pytest.raises(Tampering):
        await find_droppable(database, KEYS, FUTURE)
    assert await count_rows(database, "audit_log") == 4


async def test_rows_that_are_not_sealed_are_never_dropped(database: Database) -> None:
    await record_events(database)
    await seal(database, KEYS)
    async with database.transaction() as slow:
        await slow.execute(RECORD_EVENT, "slow")
        await record_events(database, 3)
        assert await find_droppable(database, KEYS, FUTURE) is None


@pytest.mark.parametrize("table", ["audit_log", "audit_seals", "audit_drops"])
async def test_rows_cannot_be_updated_deleted_or_truncated(database: Database, table: str) -> None:
    await record_events(database, 4)
    to_drop = await find_droppable(database, KEYS, FUTURE)
    await drop(database, KEYS, to_drop, FUTURE)
    await seal(database, KEYS)
    column = "reason = 'x'" if table == "audit_log" else "position = position"
    for statement in (f"update {{}} set {column}", "delete from {}", "truncate {}"):
        with pytest.raises(InternalError, match="append-only"):
            await database.execute(statement.format(f"gatepost.{table}"))
