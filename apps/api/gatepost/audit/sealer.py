"""The sealer: chains what has come to rest. Any process may seal at any time; a lock makes it one at a time."""

from __future__ import annotations

from gatepost.audit import store
from gatepost.audit.chain import chained
from gatepost.db.pool import Connection, Database

BATCH = 5000


async def seal(database: Database, batch: int = BATCH) -> int:
    """Seal every row that is older than all running transactions and return how many that were.

    The first time of all, on a fresh database and on a restored one, it seals whatever is there.

    Raises:
        ServiceUnavailable: the database cannot be reached; the batches before stay.
    """
    sealed = 0
    while True:
        async with database.transaction() as connection:
            count = await _seal_batch(connection, batch)
        sealed += count
        if count < batch:
            return sealed


async def _seal_batch(connection: Connection, batch: int) -> int:
    await store.lock(connection)
    last = await store.last_seal(connection)
    moment = await store.now(connection)
    if last.cluster == moment.cluster:
        rows = await store.ready(connection, last.horizon, moment.horizon, batch)
        # A full batch may end amid a transaction: the next one begins with what is left of it.
        horizon = moment.horizon if len(rows) < batch else rows[-1].written_by
        cluster = moment.cluster
    else:
        # The first time of all, or restored from a dump: here transaction ids say nothing about these rows, so whatever
        # is there is sealed as it is. The last batch begins this server's own count.
        rows = await store.all_unsealed(connection, batch)
        done = len(rows) < batch
        horizon, cluster = (moment.horizon, moment.cluster) if done else (last.horizon, last.cluster)
    if rows:
        await store.add_seals(connection, chained(rows, last, horizon, cluster, moment.at))
    return len(rows)
