"""The chain: the bytes of an audit row, the seals that each hold the one before, and the first place that does not fit.

The hash has no key: whoever may write everything can forge a whole new chain. An anchor (a position and its hash) that
is kept elsewhere finds that too, and it alone finds a tail that was cut off.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import NamedTuple, Self


class Row(NamedTuple):
    """A row of the log. `at` is RFC 3339 in UTC to the microsecond, `ip` and `detail` are PostgreSQL's own text."""

    id: int
    at: str
    actor: str
    action: str
    target: str | None
    reason: str | None
    ip: str | None
    # As text: JSON of PostgreSQL has numbers that Python's would round, and two rows would look the same.
    detail: str
    written_by: int


class Seal(NamedTuple):
    """A place in the chain; `hash` is SHA-256 in hexadecimal, `sealed_at` as the `at` of a row."""

    position: int
    audit_id: int
    hash: str
    horizon: int
    cluster: int
    sealed_at: str


# What the first seal of all follows.
GENESIS = Seal(0, 0, "0" * 64, 0, 0, "")


class Anchor(NamedTuple):
    """A place of the chain that was noted elsewhere; written `position:hash`."""

    position: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an anchor.

        Raises:
            ValueError: the text is not a position, a colon and 64 hexadecimal digits.
        """
        match = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", text.strip().lower())
        if match is None:
            raise ValueError("is not of the form POSITION:HASH, as `gatepost audit verify` prints it")
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"


class Tampering(Exception):
    """The first place where the log is not what was written. `row` is the row's id, `line` that of an exported file."""

    def __init__(self, what: str, *, position: int | None = None, row: int | None = None) -> None:
        self.position = position
        self.row = row
        self.line: int | None = None
        super().__init__(what)


def content(row: Row, seal: Seal, previous: str) -> dict[str, object]:
    """Return everything that a seal's hash is over: the row, the seal without its hash, and the hash before."""
    return row._asdict() | {
        "position": seal.position,
        "previous": previous,
        "horizon": seal.horizon,
        "cluster": seal.cluster,
        "sealed_at": seal.sealed_at,
    }


def canonical(fields: dict[str, object]) -> bytes:
    """Return the one way to write fields: JSON with sorted keys, without spaces, in ASCII."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def exported(row: Row, seal: Seal, previous: str) -> bytes:
    """Return the line of an export, without its end: the canonical fields and the hash over them."""
    return canonical(content(row, seal, previous) | {"hash": seal.hash})


def digest(row: Row, seal: Seal, previous: str) -> str:
    """Return the hash that the seal of a row has after that of another one."""
    return hashlib.sha256(canonical(content(row, seal, previous))).hexdigest()


def chained(rows: Iterable[Row], last: Seal, horizon: int, cluster: int, sealed_at: str) -> list[Seal]:
    """Return the seals of rows, in the order given, that follow the last seal there is."""
    seals = []
    for row in rows:
        blank = Seal(last.position + 1, row.id, "", horizon, cluster, sealed_at)
        last = blank._replace(hash=digest(row, blank, last.hash))
        seals.append(last)
    return seals


class Chain:
    """A walk along the chain from the seal `start`, which it takes for granted."""

    def __init__(self, start: Seal = GENESIS, anchor: Anchor | None = None) -> None:
        self.start = start
        self.head = start
        self._anchor = anchor
        if anchor and anchor.position == start.position:
            self._compare(start)

    def follow(self, row: Row | None, seal: Seal) -> None:
        """Take one step, onto a seal and its row (None: there is none).

        Raises:
            Tampering: the row is altered or missing, or the seal is not the one that follows.
        """
        expected = self.head.position + 1
        if seal.position != expected:
            raise Tampering(f"position {expected} is missing, the next one is {seal.position}", position=expected)
        place = f"row {seal.audit_id} (position {seal.position})"
        if row is None:
            raise Tampering(f"{place} is missing", position=seal.position, row=seal.audit_id)
        if row.id != seal.audit_id or digest(row, seal, self.head.hash) != seal.hash:
            raise Tampering(f"{place} was altered: it does not fit its seal", position=seal.position, row=seal.audit_id)
        self._compare(seal)
        self.head = seal

    def end(self) -> Anchor:
        """Return the anchor of where the chain ends.

        Raises:
            Tampering: the chain ends before the place that the anchor knows of.
        """
        if self._anchor and self._anchor.position > self.head.position:
            what = (
                f"the end was cut off: the last position is {self.head.position}, the anchor's {self._anchor.position}"
            )
            raise Tampering(what, position=self.head.position + 1)
        return Anchor(self.head.position, self.head.hash)

    def _compare(self, seal: Seal) -> None:
        if self._anchor and self._anchor.position == seal.position and self._anchor.hash != seal.hash:
            what = f"position {seal.position} is not what the anchor knows: the log up to there was written anew"
            raise Tampering(what, position=seal.position, row=seal.audit_id or None)
