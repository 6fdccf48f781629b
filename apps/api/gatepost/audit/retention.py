"""Retention: old sealed rows go, from the beginning of the log on; the last seal of what is gone stays."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from gatepost.audit import store
from gatepost.audit.chain import Seal
from gatepost.audit.service import Progress, frozen, verify_log
from gatepost.db.pool import Database

_BATCH = 5000


class Range(NamedTuple):
    """What may go: so many rows, up to and with this seal."""

    rows: int
    last: Seal


async def droppable(
    database: Database, before: datetime, progress: Progress = lambda done, total: None
) -> Range | None:
    """Verify the log and return the range at its beginning that is older than a moment; None: there is none.

    It ends before the first row that is younger, and never holds the last seal of all: the next one follows that.

    Raises:
        Tampering: the log is not what was written; it is evidence then, and nothing of it may go.
    """
    await verify_log(database, progress=progress)
    async with frozen(database) as connection:
        begin = (await store.start(connection)).position
        last = (await store.last_seal(connection)).position
        end = (await store.first_kept(connection, begin, before) or last) - 1
        if end <= begin:
            return None
        return Range(end - begin, await store.seal_at(connection, end))


async def drop(
    database: Database, going: Range | None, before: datetime, progress: Progress = lambda done, total: None
) -> None:
    """Write down what goes, and then delete it; None deletes what an interrupted run left behind.

    Raises:
        ServiceUnavailable: the database cannot be reached; the log is whole, and the next run deletes the rest.
    """
    async with database.transaction() as connection:
        await store.lock(connection)
        begin = (await store.start(connection)).position
        if going and begin < going.last.position:
            await store.add_drop(connection, going.last, going.rows, before)
        until = max(begin, going.last.position) if going else begin
    done = 0
    while True:
        async with database.transaction() as connection:
            await store.lock(connection)
            erased = await store.erase_dropped(connection, until, _BATCH)
        if not erased:
            return
        done += erased
        progress(done, max(done, going.rows if going else 0))
