"""Verification: of the log in its database, and of an exported file on its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import NamedTuple

from gatepost.audit import chain, store
from gatepost.audit.chain import Anchor, Chain, Row, Seal, Tampering
from gatepost.audit.sealer import seal
from gatepost.db.pool import Connection, Database
from gatepost.errors import ConfigurationError

Progress = Callable[[int, int], None]


class Verified(NamedTuple):
    """What was found in order: the first position, how many rows, where it ends, and the number of a line cut short."""

    first: int
    rows: int
    head: Anchor
    cut_line: int | None = None


@asynccontextmanager
async def frozen(database: Database) -> AsyncIterator[Connection]:
    """Lend a connection that sees the log as it is now, whatever is written, sealed or dropped meanwhile."""
    async with database.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield connection


async def verify_log(
    database: Database, anchor: Anchor | None = None, progress: Progress = lambda done, total: None
) -> Verified:
    """Seal what can be sealed, and walk the whole chain; `progress` is told rows done and in all.

    Raises:
        Tampering: the first row that was altered, removed or slipped in.
        ConfigurationError: the anchor is of what was dropped since.
    """
    await seal(database)
    async with frozen(database) as connection:
        moment = await store.now(connection)
        walk = Chain(await store.start(connection), await _reachable(connection, anchor))
        last = await store.last_seal(connection)
        total = last.position - walk.start.position
        async for row, sealed in store.pairs(connection, walk.start.position):
            walk.follow(row, sealed)
            progress(walk.head.position - walk.start.position, total)
        head = walk.end()
        # What is dropped always leaves a seal behind it.
        if walk.start.position and walk.head is walk.start:
            raise Tampering(f"position {walk.start.position + 1} is missing", position=walk.start.position + 1)
        # On a server that has sealed nothing yet, what has no seal is merely new.
        found = await store.slipped_in(connection, last, moment) if last.cluster == moment.cluster else None
        if found is not None:
            raise Tampering(f"row {found} was inserted: it has no seal, though all from its time have", row=found)
    return Verified(walk.start.position + 1, walk.head.position - walk.start.position, head)


async def _reachable(connection: Connection, anchor: Anchor | None) -> Anchor | None:
    """Return the anchor if the walk comes by it; one at an earlier drop is compared with what that kept."""
    if anchor is None or anchor.position >= (await store.start(connection)).position:
        return anchor
    if anchor.position == 0:
        Chain(anchor=anchor)
        return None
    kept = await store.dropped_at(connection, anchor.position)
    if kept is None:
        raise ConfigurationError(f"--anchor: position {anchor.position} was dropped since: use a newer anchor")
    Chain(kept, anchor)
    return None


def verify_lines(lines: Iterable[bytes], anchor: Anchor | None = None) -> Verified:
    """Walk an exported chain, line by line with their ends; a last line that was cut short is told and left out.

    Raises:
        Tampering: the first line that is not the one that was exported.
        ConfigurationError: the anchor is of what is before the file.
    """
    walk: Chain | None = None
    cut_line: int | None = None
    for number, line in enumerate(lines, 1):
        try:
            row, sealed, previous = _parse(line)
            if walk is None:
                walk = _begun(sealed, previous, anchor)
            before = walk.head.hash
            walk.follow(row, sealed)
            if line.removesuffix(b"\n") != chain.exported(row, sealed, before):
                raise Tampering(f"row {row.id} (position {sealed.position}) is not written as it was exported")
        except ValueError:
            # Only the very last line has no end.
            if not line.endswith(b"\n"):
                cut_line = number
                break
            raise _on_line(number, Tampering("is no line of an export")) from None
        except Tampering as error:
            raise _on_line(number, error) from None
    walk = walk or Chain(anchor=anchor)
    head = walk.end()
    return Verified(walk.start.position + 1, walk.head.position - walk.start.position, head, cut_line)


def _begun(sealed: Seal, previous: str, anchor: Anchor | None) -> Chain:
    if sealed.position == 1:
        return Chain(anchor=anchor)
    start = chain.GENESIS._replace(position=sealed.position - 1, hash=previous)
    if anchor and anchor.position < start.position:
        raise ConfigurationError(f"--anchor: the file begins at position {sealed.position}: use a newer anchor")
    return Chain(start, anchor)


def _on_line(number: int, error: Tampering) -> Tampering:
    told = Tampering(f"line {number}: {error}", position=error.position, row=error.row)
    told.line = number
    return told


_TYPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("id", "written_by", "position", "horizon", "cluster"), int),
    **dict.fromkeys(("at", "actor", "action", "detail", "sealed_at", "hash", "previous"), str),
    **dict.fromkeys(("target", "reason", "ip"), (str, type(None))),
}


def _parse(line: bytes) -> tuple[Row, Seal, str]:
    try:
        fields = json.loads(line)
    except RecursionError:
        raise ValueError("nested without end") from None
    if not isinstance(fields, dict):
        raise ValueError("no object")
    if fields.keys() != _TYPES.keys() or not all(isinstance(fields[name], kind) for name, kind in _TYPES.items()):
        raise ValueError("not the fields of an exported row")
    row = Row(**{name: fields[name] for name in Row._fields})
    sealed = Seal(audit_id=row.id, **{name: fields[name] for name in Seal._fields if name != "audit_id"})
    return row, sealed, fields["previous"]
