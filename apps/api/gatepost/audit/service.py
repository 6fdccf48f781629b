"""The rules of the audit log: seal new rows, verify the chain, export it, drop old rows."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

from gatepost.audit import chain, store
from gatepost.audit.chain import Anchor, ChainVerifier, Row, Seal, SealKeys, Tampering
from gatepost.db import Connection, Database
from gatepost.errors import ConfigurationError

_BATCH = 5000

# Called with the number of rows that are done and of all rows.
Progress = Callable[[int, int], None]


async def seal(database: Database, keys: SealKeys, batch: int = _BATCH) -> int:
    """Seal all rows that are older than every running transaction, in batches. Return how many.

    On a database that has no seals yet, and on one that was restored on another server, all rows are sealed.

    Raises:
        Tampering: the last seal was not made by one of the keys; nothing more is sealed.
        ServiceUnavailable: the database cannot be reached. The batches before are sealed.
    """
    sealed = 0
    while True:
        async with database.transaction() as connection:
            count = await _seal_batch(connection, keys, batch)
        sealed += count
        if count < batch:
            return sealed


class Sealer:
    """Seals new rows again and again, and remembers the last seal that it saw.

    Someone who can write the database could remove seals and alter their rows, for the sealer to seal them again. That
    is detected as long as a process lives that has seen those seals.
    """

    def __init__(self, database: Database, keys: SealKeys) -> None:
        self._database = database
        self._keys = keys
        self._seen: Anchor | None = None

    async def seal(self) -> Anchor:
        """Seal new rows and return the anchor of the last seal.

        Raises:
            Tampering: seals that this process has seen were removed or replaced; nothing more is sealed.
            ServiceUnavailable: the database cannot be reached.
        """
        if self._seen is not None:
            async with self._database.connection() as connection:
                await _require_seen(connection, self._seen)
        await seal(self._database, self._keys)
        async with self._database.connection() as connection:
            last = await store.read_last_seal(connection)
        self._seen = Anchor(last.position, last.hash)
        return self._seen


async def _require_seen(connection: Connection, seen: Anchor) -> None:
    if seen.position <= (await store.read_start(connection)).position:
        return
    hash_ = await store.find_hash(connection, seen.position)
    if hash_ != seen.hash:
        message = f"position {seen.position} was {'removed' if hash_ is None else 'replaced'} after it was sealed"
        raise Tampering(message, position=seen.position)


async def _seal_batch(connection: Connection, keys: SealKeys, batch: int) -> int:
    await store.lock(connection)
    last = await store.read_last_seal(connection)
    server = await store.read_server_state(connection)
    if last.cluster == server.cluster:
        rows = await store.list_sealable(connection, last.horizon, server.horizon, batch)
        # A full batch can end within a transaction: the next batch begins with the rest of that transaction's rows.
        horizon = server.horizon if len(rows) < batch else rows[-1].written_by
        cluster = server.cluster
    else:
        # No seals yet, or restored from a dump: transaction ids mean nothing here, so every row is sealed. The last
        # batch switches to the transaction ids of this server.
        rows = await store.list_unsealed(connection, batch)
        is_last = len(rows) < batch
        horizon, cluster = (server.horizon, server.cluster) if is_last else (last.horizon, last.cluster)
    if rows:
        await store.add_seals(connection, chain.create_seals(keys, rows, last, horizon, cluster, server.now))
    return len(rows)


class Verified(NamedTuple):
    """A log that was verified: its first position, the number of its rows, and its last seal.

    `cut_line` is the number of an exported file's last line if that line is incomplete. `dropped_by` is the id of the
    retention row that says why the log does not begin at position 1.
    """

    first: int
    rows: int
    head: Anchor
    cut_line: int | None = None
    dropped_by: int | None = None


async def verify_log(
    database: Database,
    keys: SealKeys,
    anchor: Anchor | None = None,
    progress: Progress = lambda done, total: None,
) -> Verified:
    """Seal new rows and verify the whole log.

    Raises:
        Tampering: a row was altered, removed or inserted; it is the first one. Or rows are missing at the beginning,
            and no sealed retention row says so.
        ConfigurationError: the anchor belongs to rows that were dropped.
    """
    unsealed = await _try_seal(database, keys)
    async with _snapshot(database) as connection:
        server = await store.read_server_state(connection)
        verifier = ChainVerifier(
            await store.read_start(connection), await _check_dropped_anchor(connection, anchor), keys
        )
        last = await store.read_last_seal(connection)
        start = verifier.start.position
        async for row, sealed in store.stream_seals(connection, start):
            verifier.verify(row, sealed)
            progress(verifier.head.position - start, last.position - start)
        head = verifier.finish()
        # A drop never includes the last seal, so at least one follows it.
        if start and head.position == start:
            raise Tampering(f"position {start + 1} is missing", position=start + 1)
        if start and verifier.dropped_by is None:
            message = f"positions 1 to {start} are missing, and no sealed retention row says that they were dropped"
            raise Tampering(message, position=1)
        if unsealed is not None:
            raise unsealed
        # On a server that has sealed nothing yet, rows without a seal are new.
        inserted = await store.find_inserted(connection, last, server) if last.cluster == server.cluster else None
        if inserted is not None:
            message = f"row {inserted} was inserted: it has no seal, but the rows of its time have"
            raise Tampering(message, row=inserted)
    dropped_by = verifier.dropped_by.id if verifier.dropped_by else None
    return Verified(start + 1, head.position - start, head, dropped_by=dropped_by)


async def _try_seal(database: Database, keys: SealKeys) -> Tampering | None:
    """Seal new rows. Return what keeps the chain from being continued: verification names the first change instead."""
    try:
        await seal(database, keys)
    except Tampering as error:
        return error
    return None


def verify_lines(lines: Iterable[bytes], anchor: Anchor | None = None, keys: SealKeys | None = None) -> Verified:
    """Verify an export, given as lines that end in a newline. An incomplete last line is reported and not verified.

    Without keys, only the hashes are verified: the file is what it was when its anchor was written down.

    Raises:
        Tampering: a line was altered, removed or inserted; it is the first one.
        ConfigurationError: the anchor belongs to rows before the export.
    """
    verifier: ChainVerifier | None = None
    cut_line: int | None = None
    for number, line in enumerate(lines, 1):
        try:
            row, sealed, previous = _parse(line)
            if verifier is None:
                verifier = _verifier_from(sealed, previous, anchor, keys)
            previous = verifier.head.hash
            verifier.verify(row, sealed)
            if line.removesuffix(b"\n") != chain.export_line(row, sealed, previous):
                raise Tampering(f"row {row.id} (position {sealed.position}) is not in the exported format")
        except ValueError:
            # Only the last line of a file can lack the newline.
            if not line.endswith(b"\n"):
                cut_line = number
                break
            raise Tampering(f"line {number}: not in the export format", line=number) from None
        except Tampering as error:
            message = f"line {number}: {error}"
            raise Tampering(message, position=error.position, row=error.row, line=number) from None
    verifier = verifier or ChainVerifier(anchor=anchor, keys=keys)
    head = verifier.finish()
    start = verifier.start.position
    return Verified(start + 1, head.position - start, head, cut_line)


async def export_lines(
    database: Database, keys: SealKeys, progress: Progress = lambda done, total: None
) -> AsyncGenerator[bytes]:
    """Seal new rows, verify the log, and stream it as JSON Lines.

    Raises:
        Tampering: a row was altered or removed; the rows before it were exported.
    """
    await seal(database, keys)
    async with _snapshot(database) as connection:
        verifier = ChainVerifier(await store.read_start(connection), keys=keys)
        start = verifier.start.position
        total = (await store.read_last_seal(connection)).position - start
        async for row, sealed in store.stream_seals(connection, start):
            previous = verifier.head.hash
            verifier.verify(row, sealed)
            if row is not None:
                yield chain.export_line(row, sealed, previous) + b"\n"
            progress(verifier.head.position - start, total)


class Range(NamedTuple):
    """The rows at the beginning of the log that can be dropped: how many, and the seal of the last one."""

    rows: int
    last: Seal


async def find_droppable(
    database: Database, keys: SealKeys, before: datetime, progress: Progress = lambda done, total: None
) -> Range | None:
    """Verify the log and return the rows at its beginning that are older than `before`, or None if there are none.

    The range ends before the first row that is newer, and never includes the last seal, which the next one continues.

    Raises:
        Tampering: a row was altered, removed or inserted. Then the log is evidence, and nothing can be dropped.
    """
    await verify_log(database, keys, progress=progress)
    async with _snapshot(database) as connection:
        start = (await store.read_start(connection)).position
        last = (await store.read_last_seal(connection)).position
        end = (await store.find_first_since(connection, start, before) or last) - 1
        if end <= start:
            return None
        return Range(end - start, await store.read_seal(connection, end))


async def drop(
    database: Database,
    keys: SealKeys,
    droppable: Range | None,
    before: datetime,
    progress: Progress = lambda done, total: None,
) -> None:
    """Record that rows are dropped in a row that is sealed at once, then delete them in batches.

    None: only finish an interrupted drop. The connection's role has to own the tables.

    Raises:
        Tampering: the last seal was not made by one of the keys.
        ServiceUnavailable: the database cannot be reached. The log still verifies, and the next drop deletes the rest.
    """
    async with database.transaction() as connection:
        await store.lock(connection)
        end = (await store.read_start(connection)).position
        if droppable and droppable.last.position > end:
            end = droppable.last.position
            await record_retention(connection, keys, droppable, before)
    done = 0
    while True:
        async with database.transaction() as connection:
            await store.lock(connection)
            deleted = await store.delete_dropped(connection, end, _BATCH)
        if not deleted:
            return
        done += deleted
        progress(done, max(done, droppable.rows if droppable else 0))


async def record_retention(connection: Connection, keys: SealKeys, dropped: Range, before: datetime) -> None:
    """Record that a range of rows is dropped, and seal that row at once.

    It is sealed ahead of the transactions that still run, whose rows keep their turn: the horizon does not move.

    Raises:
        Tampering: the last seal was not made by one of the keys.
    """
    last, server = await store.read_last_seal(connection), await store.read_server_state(connection)
    row = await store.record_drop(connection, dropped.last, dropped.rows, before)
    position = dropped.last.position
    await store.add_seals(
        connection, chain.create_seals(keys, [row], last, last.horizon, last.cluster, server.now, position)
    )


@asynccontextmanager
async def _snapshot(database: Database) -> AsyncIterator[Connection]:
    """Lend a connection that sees the log as it is now, also while rows are written, sealed or dropped."""
    async with database.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield connection


async def _check_dropped_anchor(connection: Connection, anchor: Anchor | None) -> Anchor | None:
    """Return an anchor that is still in the log. One before it is compared here, with the seal that its drop kept."""
    if anchor is None or anchor.position >= (await store.read_start(connection)).position:
        return anchor
    kept = chain.GENESIS if anchor.position == 0 else await store.find_drop(connection, anchor.position)
    if kept is None:
        raise ConfigurationError(f"--anchor: position {anchor.position} has been dropped. Use a newer anchor.")
    ChainVerifier(kept, anchor)
    return None


def _verifier_from(first: Seal, previous_hash: str, anchor: Anchor | None, keys: SealKeys | None) -> ChainVerifier:
    """Return the verifier of an export that begins with a seal."""
    if first.position == 1:
        return ChainVerifier(anchor=anchor, keys=keys)
    start = chain.GENESIS._replace(position=first.position - 1, hash=previous_hash)
    if anchor and anchor.position < start.position:
        raise ConfigurationError(f"--anchor: the file begins at position {first.position}: use a newer anchor")
    return ChainVerifier(start, anchor, keys)


_TYPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("id", "written_by", "position", "horizon", "cluster"), int),
    **dict.fromkeys(("at", "actor", "action", "detail", "sealed_at", "hash", "mac", "key_id", "previous"), str),
    "drops_to": (int, type(None)),
    **dict.fromkeys(("target", "reason", "ip"), (str, type(None))),
}


def _parse(line: bytes) -> tuple[Row, Seal, str]:
    try:
        fields = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(fields, dict):
        raise ValueError("not an object")
    if fields.keys() != _TYPES.keys() or not all(isinstance(fields[name], kind) for name, kind in _TYPES.items()):
        raise ValueError("not the fields of an exported row")
    row = Row(**{name: fields[name] for name in Row._fields})
    sealed = Seal(audit_id=row.id, **{name: fields[name] for name in Seal._fields if name != "audit_id"})
    return row, sealed, fields["previous"]
