"""The SQL functions of sessions, called directly."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gatepost.db import Connection

USER = UUID(int=1)
HASHES = [bytes([number]) * 32 for number in range(8)]
DAY, GRACE = timedelta(days=1), timedelta(seconds=10)


async def open_session(sql: Connection, user: UUID = USER, cap: int = 3, token: bytes = HASHES[0]) -> list[Any]:
    rows: list[Any] = await sql.fetch(
        "select * from gatepost.open_session($1, $2, $3, null, 'desktop', 'Chrome', null, '192.0.2.1', $4, $4, $5)",
        uuid4(),
        user,
        token,
        DAY,
        cap,
    )
    return rows


async def refresh(sql: Connection, session: UUID, presented: bytes, successor: bytes) -> Any:
    query = """
        select outcome, successor_encrypted, (session).end_reason
        from gatepost.refresh_session($1, $2, $3, $3, null, $4, $5)
    """
    return await sql.fetchrow(query, session, presented, successor, GRACE, DAY)


async def end_reason(sql: Connection, session: UUID) -> Any:
    return await sql.fetchval("select end_reason from gatepost.sessions where id = $1", session)


async def test_opening_returns_the_new_session_and_then_the_evicted_ones(sql: Connection) -> None:
    opened = [(await open_session(sql))[0]["id"] for _ in range(3)]
    new, evicted = await open_session(sql)
    assert new["ended_at"] is None
    assert new["expires_at"] - new["created_at"] == pytest.approx(DAY, abs=timedelta(seconds=1))
    assert evicted["id"] == opened[0]
    assert evicted["end_reason"] == "evicted"
    assert evicted["ended_at"] is not None


async def test_equally_active_sessions_are_evicted_by_age(sql: Connection) -> None:
    opened = [(await open_session(sql))[0]["id"] for _ in range(3)]
    await sql.execute("update gatepost.sessions set last_active_at = now()")
    _, evicted = await open_session(sql)
    assert evicted["id"] == opened[0]


async def test_the_cap_counts_each_user_separately(sql: Connection) -> None:
    for user in (UUID(int=1), UUID(int=2)):
        for _ in range(3):
            assert len(await open_session(sql, user)) == 1


async def test_a_refresh_returns_its_outcome(sql: Connection) -> None:
    [session] = await open_session(sql)
    first, second, third = HASHES[0], HASHES[1], HASHES[2]
    assert tuple(await refresh(sql, session["id"], first, second)) == ("rotated", None, None)
    assert tuple(await refresh(sql, session["id"], first, third)) == ("replayed", second, None)
    assert tuple(await refresh(sql, session["id"], second, third)) == ("rotated", None, None)
    assert tuple(await refresh(sql, session["id"], first, second)) == ("reused", None, "refresh_token_reused")
    assert tuple(await refresh(sql, session["id"], third, first)) == ("ended", None, "refresh_token_reused")
    assert (await refresh(sql, uuid4(), first, second))["outcome"] == "unknown"


async def test_the_grace_period_is_measured_by_the_databases_clock(sql: Connection) -> None:
    [session] = await open_session(sql)
    await refresh(sql, session["id"], HASHES[0], HASHES[1])
    await sql.execute("update gatepost.refresh_tokens set rotated_at = clock_timestamp() - interval '10.1 s'")
    assert (await refresh(sql, session["id"], HASHES[0], HASHES[2]))["outcome"] == "reused"


async def test_users_revoke_only_their_own_sessions_and_only_once(sql: Connection) -> None:
    [session] = await open_session(sql)
    revoke = "select gatepost.revoke_session($1, $2, $3, $4, interval '1 day')"
    with pytest.raises(asyncpg.PostgresError) as caught:
        await sql.execute(revoke, uuid4(), session["id"], None, "signed_out")
    assert caught.value.sqlstate == "GP001"
    assert await end_reason(sql, session["id"]) is None

    await sql.execute(revoke, USER, session["id"], USER, "signed_out")
    await sql.execute(revoke, USER, session["id"], None, "signed_out_elsewhere")
    assert await end_reason(sql, session["id"]) == "signed_out"


async def test_an_ended_session_has_one_of_the_known_reasons(sql: Connection) -> None:
    [session] = await open_session(sql)
    with pytest.raises(asyncpg.CheckViolationError):
        await sql.execute("select gatepost.revoke_session($1, $2, null, 'bored', '1 day')", USER, session["id"])
    with pytest.raises(asyncpg.CheckViolationError):
        await sql.execute("update gatepost.sessions set ended_at = now()")


async def test_revoking_other_sessions_counts_those_that_were_active(sql: Connection) -> None:
    sessions = [(await open_session(sql, cap=9))[0]["id"] for _ in range(4)]
    await sql.execute(
        "update gatepost.sessions set last_active_at = now() - interval '2 days' where id = $1", sessions[0]
    )
    revoke = "select gatepost.revoke_other_sessions($1, $2, $1, 'signed_out_elsewhere', $3)"
    assert await sql.fetchval(revoke, USER, sessions[3], DAY) == 2
    assert [await end_reason(sql, session) for session in sessions] == [
        "idle",
        "signed_out_elsewhere",
        "signed_out_elsewhere",
        None,
    ]


async def test_a_lapsed_session_ended_when_it_became_idle(sql: Connection) -> None:
    [session] = await open_session(sql)
    await sql.execute("update gatepost.sessions set last_active_at = now() - interval '2 days'")
    await sql.execute("select gatepost.expire_session($1, $2)", session["id"], DAY)
    row = await sql.fetchrow("select *, last_active_at + interval '1 day' as due from gatepost.sessions")
    assert row is not None
    assert row["end_reason"] == "idle"
    assert row["ended_at"] == row["due"]


async def test_activity_is_updated_once_an_interval_as_a_hot_update(sql: Connection) -> None:
    [session] = await open_session(sql)
    touch = "select gatepost.touch_session($1, '192.0.2.1', interval '5 minutes')"
    read = "select last_active_at, ip, ctid::text from gatepost.sessions"
    before = await sql.fetchrow(read)
    await sql.execute(touch, session["id"])
    assert await sql.fetchrow(read) == before

    await sql.execute("update gatepost.sessions set last_active_at = now() - interval '6 minutes'")
    await sql.execute(touch, session["id"])
    after = await sql.fetchrow(read)
    assert before is not None
    assert after is not None
    assert after["last_active_at"] > before["last_active_at"]
    await sql.execute("select pg_stat_force_next_flush()")
    updates = await sql.fetchrow("select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'sessions'")
    assert updates is not None
    assert updates["n_tup_upd"] == updates["n_tup_hot_upd"] == 2


async def test_the_activity_of_an_ended_session_is_not_updated(sql: Connection) -> None:
    [session] = await open_session(sql)
    await sql.execute("select gatepost.revoke_session($1, $2, null, 'signed_out', '1 day')", USER, session["id"])
    await sql.execute("update gatepost.sessions set last_active_at = now() - interval '1 hour'")
    await sql.execute("select gatepost.touch_session($1, null, interval '5 minutes')", session["id"])
    assert await sql.fetchval("select last_active_at < now() - interval '50 minutes' from gatepost.sessions")


async def test_the_guards_read_is_one_index_lookup(sql: Connection) -> None:
    from gatepost.sessions.store import READ_SESSION

    plan = await sql.fetch(f"explain {READ_SESSION}", uuid4(), DAY, GRACE)
    text = "\n".join(row[0] for row in plan)
    assert "sessions_pkey" in text
    # Inlined: the plan computes the end reason itself and calls no function of ours.
    verbose = "\n".join(row[0] for row in await sql.fetch(f"explain (verbose) {READ_SESSION}", uuid4(), DAY, GRACE))
    assert "session_end_reason" not in verbose


async def test_revoking_a_lapsed_session_records_that_it_lapsed(sql: Connection) -> None:
    [session] = await open_session(sql)
    await sql.execute("update gatepost.sessions set last_active_at = now() - interval '2 days'")
    await sql.execute("select gatepost.revoke_session($1, $2, null, 'signed_out', '1 day')", USER, session["id"])
    assert await end_reason(sql, session["id"]) == "idle"


async def test_a_session_that_replaces_another_evicts_no_third_one(sql: Connection) -> None:
    sessions = [(await open_session(sql))[0]["id"] for _ in range(3)]
    query = "select id from gatepost.open_session($1, $2, $3, null, 'bot', null, null, null, $4, $4, 3, $5)"
    rows = await sql.fetch(query, uuid4(), USER, HASHES[1], DAY, sessions[2])
    assert len(rows) == 1
    assert [await end_reason(sql, session) for session in sessions] == [None, None, "signed_out"]
