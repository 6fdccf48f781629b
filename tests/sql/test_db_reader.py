"""The guard's connections: none is lost when a read is interrupted."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.db import Reader
from gatepost.errors import ServiceUnavailable


async def test_closing_waits_for_a_read_in_progress(database_url: str) -> None:
    reader = await Reader.open(database_url, size=1)
    reading = asyncio.create_task(reader.fetchrow("select pg_sleep(0.3)"))
    async with asyncio.timeout(5):
        while reader._slots.free:
            await asyncio.sleep(0.001)
        await reader.close()
        await reading


async def test_cancelled_reads_leave_every_connection_usable(database_url: str) -> None:
    reader = await Reader.open(database_url, size=2)
    for _ in range(20):
        reading = [asyncio.create_task(reader.fetchrow("select pg_sleep(10)")) for _ in range(4)]
        await asyncio.sleep(0)
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
    rows = await asyncio.gather(*(reader.fetchrow("select 1 as one") for _ in range(10)))
    assert [row and row["one"] for row in rows] == [1] * 10
    await reader.close()


async def test_a_lost_connection_is_replaced(database_url: str) -> None:
    reader = await Reader.open(database_url, size=1)
    with pytest.raises(ServiceUnavailable):
        await reader.fetchrow("select pg_terminate_backend(pg_backend_pid())")
    row = await reader.fetchrow("select 1 as one")
    assert row is not None
    assert row["one"] == 1
    await reader.close()


async def test_reads_that_wait_too_long_for_a_connection_fail_and_lose_none(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatepost.db.pool._ACQUIRE_TIMEOUT", 0.2)
    reader = await Reader.open(database_url, size=1)
    slow = asyncio.create_task(reader.fetchrow("select pg_sleep(0.6)"))
    await asyncio.sleep(0)
    canceled, *waiting = [asyncio.create_task(reader.fetchrow("select 1 as one")) for _ in range(4)]
    await asyncio.sleep(0)
    canceled.cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in results] == [ServiceUnavailable] * 3
    await slow
    rows = await asyncio.gather(*(reader.fetchrow("select 1 as one") for _ in range(10)))
    assert [row and row["one"] for row in rows] == [1] * 10
    await reader.close()
