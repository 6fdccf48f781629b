"""The audit log on a real PostgreSQL: it is sealed while it is written, and tampering is detected."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.audit import seal, store, verify_log
from gatepost.audit.chain import GENESIS, Tampering, create_seals
from gatepost.db import Database
from gatepost.errors import InternalError
from tests.support.audit import KEYS, RECORD_EVENT, count_rows, exported_lines, record_events, tamper

COLUMNS = "at, actor, action, target, reason, ip, detail, written_by"


async def test_rows_are_sealed_once_and_verify(database: Database) -> None:
    assert (await verify_log(database, KEYS)).rows == 0
    await record_events(database, 7)
    assert await seal(database, KEYS, batch=3) == 7
    assert await seal(database, KEYS) == 0
    await record_events(database, 2)
    found = await verify_log(database, KEYS)
    assert (found.first, found.rows, found.head.position) == (1, 9, 9)
    assert (await verify_log(database, KEYS, found.head)).head == found.head


@pytest.mark.parametrize(
    "change",
    [
        "at = at + interval '1 microsecond'",
        "actor = 'system'",
        "action = 'other'",
        "target = 'user:9'",
        "target = ''",
        "reason = null",
        "reason = ''",
        "ip = null",
        "ip = '192.0.2.1/24'",
        "at = 'infinity'",
        "at = '0044-03-15 BC'",
        "detail = '{\"n\": 1.5000000000000000001}'",
        "detail = '{}'",
        "written_by = '3'",
    ],
)
async def test_an_altered_row_is_detected(database: Database, change: str) -> None:
    await record_events(database, 5)
    await seal(database, KEYS)
    await tamper(database, f"update gatepost.audit_log set {change} where id = 3")
    with pytest.raises(Tampering, match=r"row 3 \(position 3\) was altered") as found:
        await verify_log(database, KEYS)
    assert (found.value.row, found.value.position) == (3, 3)
    with pytest.raises(Tampering, match="row 3"):
        await exported_lines(database)


@pytest.mark.parametrize(
    "change",
    ["hash = sha256('x')", "horizon = '1'", "cluster = 1", "sealed_at = now() - interval '1 day'", "audit_id = 99"],
)
async def test_an_altered_seal_is_detected(database: Database, change: str) -> None:
    await record_events(database, 5)
    await seal(database, KEYS)
    await tamper(database, f"update gatepost.audit_seals set {change} where position = 3")
    with pytest.raises(Tampering, match=r"position 3\)"):
        await verify_log(database, KEYS)


async def test_a_removed_row_is_detected(database: Database) -> None:
    await record_events(database, 5)
    await seal(database, KEYS)
    await tamper(database, "delete from gatepost.audit_log where id in (2, 4)")
    with pytest.raises(Tampering, match=r"row 2 \(position 2\) is missing"):
        await verify_log(database, KEYS)
    await tamper(database, "delete from gatepost.audit_seals where position in (2, 4)")
    with pytest.raises(Tampering, match="position 2 is missing"):
        await verify_log(database, KEYS)


@pytest.mark.parametrize("written_by", ["(select written_by from gatepost.audit_log where id = 2)", "'9000000000'"])
async def test_an_inserted_row_is_detected(database: Database, written_by: str) -> None:
    await record_events(database, 5)
    await seal(database, KEYS)
    await tamper(
        database,
        f"""
        insert into gatepost.audit_log (id, {COLUMNS}) overriding system value
        select 1000, {COLUMNS.replace("written_by", written_by)} from gatepost.audit_log where id = 2
        """,
    )
    await record_events(database, 2)
    with pytest.raises(Tampering, match="row 1000 was inserted") as found:
        await verify_log(database, KEYS)
    assert found.value.row == 1000


async def test_writers_choose_neither_the_id_nor_the_time_of_a_row(database: Database) -> None:
    await record_events(database, 2)
    with pytest.raises(InternalError, match="append-only"):
        await database.execute(
            "insert into gatepost.audit_log (id, actor, action) overriding system value values (-1, 'x', 'x')"
        )
    async with database.transaction() as connection:
        row = await connection.fetchrow(
            """
            insert into gatepost.audit_log (at, written_by, actor, action) values ('2001-01-01', '3', 'x', 'x')
            returning at > now() - interval '1 minute' as is_now, written_by = pg_current_xact_id() as is_ours
            """
        )
    assert row is not None
    assert tuple(row) == (True, True)


@pytest.mark.parametrize("rewritten", [False, True])
async def test_only_the_anchor_detects_a_truncated_log(database: Database, rewritten: bool) -> None:
    await record_events(database, 5)
    anchor = (await verify_log(database, KEYS)).head
    await tamper(
        database,
        "delete from gatepost.audit_log where id > 3",
        "delete from gatepost.audit_seals where position > 3",
    )
    if rewritten:
        await record_events(database, 3)
    await verify_log(database, KEYS)
    with pytest.raises(Tampering, match="rewritten" if rewritten else "cut off"):
        await verify_log(database, KEYS, anchor)


async def test_two_sealers_seal_each_row_once_while_fifty_transactions_write(database: Database) -> None:
    passes = 0
    pass_done = asyncio.Condition()

    async def wait_for_passes(count: int) -> None:
        async with pass_done:
            last = passes + count
            await pass_done.wait_for(lambda: passes >= last)

    async def write(number: int) -> None:
        await wait_for_passes(number % 7)
        async with database.transaction() as connection:
            for step in range(4):
                await connection.execute(RECORD_EVENT, f"user:{number}")
                # Rows of other transactions are sealed while this one is open.
                await wait_for_passes((number + step) % 5)

    async def keep_sealing() -> int:
        nonlocal passes
        sealed = 0
        while not writing.done():
            sealed += await seal(database, KEYS, batch=7)
            async with pass_done:
                passes += 1
                pass_done.notify_all()
        return sealed

    writing = asyncio.gather(*(write(number) for number in range(50)))
    sealed = sum(await asyncio.gather(keep_sealing(), keep_sealing()))
    await writing
    assert sealed > 0
    sealed += await seal(database, KEYS)
    assert sealed == await count_rows(database, "audit_seals") == await count_rows(database, "audit_log") == 200
    assert (await verify_log(database, KEYS)).rows == 200


async def test_rows_are_not_sealed_before_older_transactions_end(database: Database) -> None:
    await record_events(database)
    assert await seal(database, KEYS) == 1
    async with database.transaction() as slow:
        await slow.execute(RECORD_EVENT, "slow")
        await record_events(database, 3)
        assert await seal(database, KEYS) == 0
        assert (await verify_log(database, KEYS)).rows == 1
    assert (await verify_log(database, KEYS)).rows == 5


async def test_a_row_that_commits_late_has_a_later_position_than_its_id(database: Database) -> None:
    async with database.transaction() as slow:
        number = await slow.fetchval("select nextval('gatepost.audit_log_id_seq')")
        await record_events(database, 3)
        assert await seal(database, KEYS) == 3
        # The id was taken before, the row is written now.
        await slow.execute("set local session_replication_role = replica")
        await slow.execute(
            "insert into gatepost.audit_log (id, actor, action) overriding system value values ($1, 'slow', 'x')",
            number,
        )
    assert number == 1
    assert await seal(database, KEYS) == 1
    async with database.connection() as connection:
        order = await connection.fetch("select audit_id from gatepost.audit_seals order by position")
    assert [row["audit_id"] for row in order] == [2, 3, 4, 1]
    await verify_log(database, KEYS)


@pytest.mark.parametrize("shift", [1_000_000, -1])
async def test_a_log_restored_on_another_server_verifies_and_continues(database: Database, shift: int) -> None:
    """Transaction ids start again there: those in the dump are in the future, or belong to other transactions."""
    await record_events(database, 6)
    await tamper(
        database, f"update gatepost.audit_log set written_by = (written_by::text::bigint + {shift})::text::xid8"
    )
    async with database.transaction() as connection:
        rows = (await store.list_unsealed(connection, 10))[:4]
        there = "2026-01-01T00:00:00.000000Z"
        await store.add_seals(connection, create_seals(KEYS, rows, GENESIS, rows[-1].written_by + 1, 42, there))
    await record_events(database, 3)
    assert await seal(database, KEYS, batch=2) == 5
    await record_events(database, 1)
    assert (await verify_log(database, KEYS)).rows == 10
    await tamper(
        database,
        f"""
        insert into gatepost.audit_log (id, {COLUMNS}) overriding system value
        select 1000, {COLUMNS} from gatepost.audit_log where id = 7
        """,
    )
    with pytest.raises(Tampering, match="row 1000 was inserted"):
        await verify_log(database, KEYS)
