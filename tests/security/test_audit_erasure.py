"""Erasing the audit history: as the service's role, as the owner of the schema, and with the service's own sealer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from gatepost.audit import Anchor, Sealer, SealKeys, Tampering, drop, find_droppable, seal, verify_log
from gatepost.db import Connection, Database
from tests.support.audit import FUTURE, KEYS, count_rows, record_events, tamper
from tests.support.database import application_url, connect

# What made the first six of eight rows disappear, and `verify` say that all was in order.
FORGED_RETENTION = (
    "insert into gatepost.audit_drops select position, hash, now() from gatepost.audit_seals where position = 6",
    "delete from gatepost.audit_log where id in (select audit_id from gatepost.audit_seals where position <= 6)",
    "delete from gatepost.audit_seals where position <= 6",
)


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Database]:
    """The database as the owner of the schema, with eight sealed rows."""
    owner = await Database.open(database_url, size=5)
    await record_events(owner, 8)
    await seal(owner, KEYS)
    yield owner
    await owner.close()


@pytest.fixture
async def application(owner: Database, database_url: str) -> AsyncIterator[Connection]:
    """A connection as the role of the service."""
    async with connect(application_url(database_url)) as connection:
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        *FORGED_RETENTION,
        "update gatepost.audit_log set reason = 'nothing happened'",
        "delete from gatepost.audit_log",
        "update gatepost.audit_seals set hash = sha256('x')",
        "delete from gatepost.audit_seals",
        "delete from gatepost.audit_drops",
        "truncate gatepost.audit_log, gatepost.audit_seals, gatepost.audit_drops",
        "drop table gatepost.audit_log",
        "alter table gatepost.audit_log disable trigger append_only",
        "set session_replication_role = replica",
        "create or replace function gatepost.reject_audit_change() returns trigger language sql as 'select null'",
        "alter sequence gatepost.audit_log_id_seq restart",
        "select setval('gatepost.audit_log_id_seq', 1)",
        'drop policy "application gatepost_app select" on gatepost.audit_log',
        "select gatepost.grant_application_role('gatepost_app')",
        "grant delete on gatepost.audit_log to gatepost_app",
        "set role gatepost",
        "insert into gatepost.schema_migrations values ('1', 'x', 'x')",
    ],
)
async def test_the_role_of_the_service_can_neither_change_nor_delete_audit_rows(
    owner: Database, application: Connection, statement: str
) -> None:
    try:
        await application.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        pass
    else:
        # `grant` only warns.
        assert not await application.fetchval("select has_table_privilege('gatepost.audit_log', 'delete')")
        assert statement.startswith("grant")
    assert (await verify_log(owner, KEYS)).rows == 8


async def test_the_role_of_the_service_writes_and_seals_audit_rows(owner: Database, database_url: str) -> None:
    application = await Database.open(application_url(database_url), size=2)
    await record_events(application, 3)
    assert await seal(application, KEYS) == 3
    assert (await verify_log(application, KEYS)).rows == 11
    await application.close()


@pytest.mark.parametrize("triggers", [True, False])
async def test_a_forged_retention_is_named_as_a_gap(owner: Database, triggers: bool) -> None:
    anchor = (await verify_log(owner, KEYS)).head
    if triggers:
        for statement in FORGED_RETENTION:
            await owner.execute(statement)
    else:
        await tamper(owner, *FORGED_RETENTION)
    for known in (None, anchor):
        with pytest.raises(Tampering, match="positions 1 to 6 are missing, and no sealed retention row") as found:
            await verify_log(owner, KEYS, known)
        assert found.value.position == 1
    with pytest.raises(Tampering):
        await find_droppable(owner, KEYS, FUTURE)


async def test_a_forged_retention_row_proves_nothing_although_the_service_seals_it(owner: Database) -> None:
    await owner.execute(
        """
        insert into gatepost.audit_log (actor, action, detail)
        select 'cli', 'audit.dropped', jsonb_build_object('position', position, 'hash', encode(hash, 'hex'), 'rows', 6)
        from gatepost.audit_seals where position = 6
        """
    )
    assert await seal(owner, KEYS) == 1
    for statement in FORGED_RETENTION:
        await owner.execute(statement)
    with pytest.raises(Tampering, match="positions 1 to 6 are missing"):
        await verify_log(owner, KEYS)


async def test_a_forged_mark_on_a_seal_is_detected(owner: Database) -> None:
    await tamper(owner, "update gatepost.audit_seals set drops_to = 6 where position = 8", *FORGED_RETENTION)
    with pytest.raises(Tampering, match=r"position 8\) was altered"):
        await verify_log(owner, KEYS)


async def test_a_retention_is_a_sealed_row_that_verification_names(owner: Database) -> None:
    droppable = await find_droppable(owner, KEYS, FUTURE)
    assert droppable is not None
    await drop(owner, KEYS, droppable, FUTURE)
    verified = await verify_log(owner, KEYS)
    async with owner.connection() as connection:
        row = await connection.fetchval("select id from gatepost.audit_log where action = 'audit.dropped'")
        sealed = await connection.fetchval("select drops_to from gatepost.audit_seals where audit_id = $1", row)
    assert (verified.first, verified.dropped_by, sealed) == (8, row, 7)


async def test_a_retention_row_is_sealed_before_a_transaction_that_still_runs(owner: Database) -> None:
    async with owner.transaction() as slow:
        await slow.execute("select gatepost.record_audit('slow', 'test.done', null)")
        droppable = await find_droppable(owner, KEYS, FUTURE)
        await drop(owner, KEYS, droppable, FUTURE)
        assert (await verify_log(owner, KEYS)).dropped_by is not None
    assert await seal(owner, KEYS) == 1
    assert (await verify_log(owner, KEYS)).rows == 3


async def test_the_database_alone_cannot_make_the_chain_again(owner: Database) -> None:
    """Whoever knows the algorithm, but not the secret key, rewrites a row and all seals after it."""
    attacker = SealKeys([b"guessed".ljust(40)])
    await tamper(
        owner,
        "update gatepost.audit_log set reason = 'nothing happened' where id = 2",
        "delete from gatepost.audit_seals",
    )
    await seal(owner, attacker)
    with pytest.raises(Tampering, match="GATEPOST_SECRET_KEY does not hold"):
        await verify_log(owner, KEYS)
    # The service does not put its own seal on that chain.
    await record_events(owner, 1)
    with pytest.raises(Tampering):
        await seal(owner, KEYS)
    assert await count_rows(owner, "audit_seals") == 8
    # With the name of the real key, the seals are as wrong.
    await tamper(owner, f"update gatepost.audit_seals set key_id = '{KEYS.newest}'")
    with pytest.raises(Tampering, match=r"position 1\) was altered"):
        await verify_log(owner, KEYS)


async def test_a_sealer_that_has_seen_seals_notices_that_they_are_gone(owner: Database) -> None:
    """Without seals, altered rows look new. Whoever has seen the seals does not seal them again."""
    sealer = Sealer(owner, KEYS)
    assert (await sealer.seal()).position == 8
    await tamper(
        owner,
        "update gatepost.audit_log set reason = 'nothing happened' where id = 2",
        "delete from gatepost.audit_seals",
    )
    with pytest.raises(Tampering, match="position 8 was removed after it was sealed"):
        await sealer.seal()
    assert await count_rows(owner, "audit_seals") == 0


async def test_an_anchor_from_outside_detects_a_log_that_was_emptied(owner: Database) -> None:
    anchor = (await verify_log(owner, KEYS)).head
    await tamper(owner, "delete from gatepost.audit_seals", "delete from gatepost.audit_log")
    await record_events(owner, 9)
    with pytest.raises(Tampering, match="does not match the anchor"):
        await verify_log(owner, KEYS, Anchor(anchor.position, anchor.hash))


async def test_seals_verify_after_a_rotation_of_the_secret_key(owner: Database) -> None:
    old, new = b"s" * 40, b"n" * 40
    await record_events(owner, 1)
    assert await seal(owner, SealKeys([new, old])) == 1
    assert (await verify_log(owner, SealKeys([new, old]))).rows == 9
    # A seal covers all before it, so the old key can go once the new one has sealed.
    assert (await verify_log(owner, SealKeys([new]))).rows == 9
    await tamper(owner, "update gatepost.audit_log set reason = 'nothing happened' where id = 2")
    with pytest.raises(Tampering, match=r"position 2\) was altered"):
        await verify_log(owner, SealKeys([new]))
