"""The export: one sealed row a line, each of which can be checked without a database."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from gatepost.audit import store
from gatepost.audit.chain import Chain, exported
from gatepost.audit.sealer import seal
from gatepost.audit.service import Progress, frozen
from gatepost.db.pool import Database


async def export_lines(database: Database, progress: Progress = lambda done, total: None) -> AsyncGenerator[bytes]:
    """Seal what can be sealed and stream the log as JSON Lines, verified on the way.

    Raises:
        Tampering: the first row that does not fit its seal; the lines before it were given.
    """
    await seal(database)
    async with frozen(database) as connection:
        walk = Chain(await store.start(connection))
        total = (await store.last_seal(connection)).position - walk.start.position
        async for row, sealed in store.pairs(connection, walk.start.position):
            previous = walk.head.hash
            walk.follow(row, sealed)
            if row is not None:
                yield exported(row, sealed, previous) + b"\n"
            progress(walk.head.position - walk.start.position, total)
