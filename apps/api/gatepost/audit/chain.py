"""The chain of seals: how rows are hashed, and how the first change to them is found.

Each seal holds a hash of its row and of the previous seal. The hash has no key, so someone who can write everything can
forge a whole chain. An anchor (a position and its hash) that is kept elsewhere detects that too, and only an anchor
detects that the end of the log was cut off.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import NamedTuple, Self


class Row(NamedTuple):
    """A row of the log. `at` is RFC 3339 in UTC with microseconds; `ip` and `detail` are in PostgreSQL's own format."""

    id: int
    at: str
    actor: str
    action: str
    target: str | None
    reason: str | None
    ip: str | None
    # Text, because PostgreSQL's JSON has numbers that Python would round, so that two different rows looked the same.
    detail: str
    written_by: int


class Seal(NamedTuple):
    """The seal of a row. `hash` is SHA-256 in hexadecimal, `sealed_at` has the format of a row's `at`."""

    position: int
    audit_id: int
    hash: str
    horizon: int
    cluster: int
    sealed_at: str


# The predecessor of the first seal.
GENESIS = Seal(0, 0, "0" * 64, 0, 0, "")


class Anchor(NamedTuple):
    """A position and its hash, kept outside of the database; written `position:hash`."""

    position: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the anchor that a text holds.

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
    """The first change that was found in the log. `row` is the row's id, `line` its line in an exported file."""

    def __init__(
        self, message: str, *, position: int | None = None, row: int | None = None, line: int | None = None
    ) -> None:
        self.position = position
        self.row = row
        self.line = line
        super().__init__(message)


def export_line(row: Row, seal: Seal, previous_hash: str) -> bytes:
    """Return a row and its seal as a line of an export, without the newline."""
    return _encode(_hashed_fields(row, seal, previous_hash) | {"hash": seal.hash})


def create_seals(rows: Iterable[Row], last: Seal, horizon: int, cluster: int, sealed_at: str) -> list[Seal]:
    """Return seals for rows, in their order, that continue the chain after its last seal."""
    seals = []
    for row in rows:
        unhashed = Seal(last.position + 1, row.id, "", horizon, cluster, sealed_at)
        last = unhashed._replace(hash=_hash(row, unhashed, last.hash))
        seals.append(last)
    return seals


class ChainVerifier:
    """Verifies a chain seal by seal, after the seal `start`, which is trusted. `head` is the last verified seal."""

    def __init__(self, start: Seal = GENESIS, anchor: Anchor | None = None) -> None:
        self.start = start
        self.head = start
        self._anchor = anchor
        if anchor and anchor.position == start.position:
            self._compare(start)

    def verify(self, row: Row | None, seal: Seal) -> None:
        """Verify the next seal and its row (None: the row is gone).

        Raises:
            Tampering: the row was altered or removed, or a seal is missing.
        """
        expected = self.head.position + 1
        if seal.position != expected:
            raise Tampering(f"position {expected} is missing, the next one is {seal.position}", position=expected)
        name = f"row {seal.audit_id} (position {seal.position})"
        if row is None:
            raise Tampering(f"{name} is missing", position=seal.position, row=seal.audit_id)
        if row.id != seal.audit_id or _hash(row, seal, self.head.hash) != seal.hash:
            message = f"{name} was altered: it does not match its seal"
            raise Tampering(message, position=seal.position, row=seal.audit_id)
        self._compare(seal)
        self.head = seal

    def finish(self) -> Anchor:
        """Return the anchor of the last verified seal.

        Raises:
            Tampering: the chain ends before the position of the anchor.
        """
        if self._anchor and self._anchor.position > self.head.position:
            message = f"the end was cut off: the last position is {self.head.position}, not {self._anchor.position}"
            raise Tampering(message, position=self.head.position + 1)
        return Anchor(self.head.position, self.head.hash)

    def _compare(self, seal: Seal) -> None:
        if self._anchor and self._anchor.position == seal.position and self._anchor.hash != seal.hash:
            message = f"position {seal.position} does not match the anchor: the log up to there was rewritten"
            raise Tampering(message, position=seal.position, row=seal.audit_id or None)


def _hash(row: Row, seal: Seal, previous_hash: str) -> str:
    return hashlib.sha256(_encode(_hashed_fields(row, seal, previous_hash))).hexdigest()


def _hashed_fields(row: Row, seal: Seal, previous_hash: str) -> dict[str, object]:
    return row._asdict() | {
        "position": seal.position,
        "previous": previous_hash,
        "horizon": seal.horizon,
        "cluster": seal.cluster,
        "sealed_at": seal.sealed_at,
    }


def _encode(fields: dict[str, object]) -> bytes:
    """Return fields as canonical JSON: sorted keys, no spaces, ASCII."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
