"""The chain of seals: how rows are hashed, and how the first change to them is found.

Each seal holds a hash of its row and of the previous seal, and a MAC of that hash. Without a key anybody can verify the
hashes, so an export is of use to an auditor; with the keys, which are not in the database, nobody who can only write
the database can make the chain again. An anchor (a position and its hash) that is kept elsewhere detects what is left:
that the end of the log was cut off.

A MAC covers everything before it. So the seals of a key that was retired stay verified as long as a seal of a present
key follows; the sealer continues a chain only after it has checked the MAC of the last seal.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

from gatepost.security import derive_keys, key_id


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
    """The seal of a row. `hash` and `mac` are in hexadecimal, `sealed_at` has the format of a row's `at`.

    `drops_to` is set on the seal of a retention row only: all positions up to that one were dropped.
    """

    position: int
    audit_id: int
    hash: str
    mac: str
    key_id: str
    drops_to: int | None
    horizon: int
    cluster: int
    sealed_at: str


# The action of a retention row: {position, hash} in its detail are those of the last seal that was dropped.
RETENTION = "audit.dropped"

# The predecessor of the first seal.
GENESIS = Seal(0, 0, "0" * 64, "", "", None, 0, 0, "")


class SealKeys:
    """The keys of the MACs, derived from the secret keys (newest first): the first seals, all of them verify."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._keys = {key_id(key): key for key in derive_keys(secrets, "audit seals")}
        self.newest = next(iter(self._keys))

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._keys

    def mac(self, key_id: str, hash_: str) -> str:
        """Return the MAC of a seal's hash by one of the keys (HMAC-SHA256, RFC 2104)."""
        return hmac.new(self._keys[key_id], bytes.fromhex(hash_), hashlib.sha256).hexdigest()

    def require(self, seal: Seal) -> None:
        """Check that a seal was made by one of the keys.

        Raises:
            Tampering: its MAC is wrong, or its key is not one of these.
        """
        if seal.key_id not in self._keys:
            message = f"position {seal.position} was sealed with a key that GATEPOST_SECRET_KEY does not hold"
            raise Tampering(message, position=seal.position, row=seal.audit_id)
        if not hmac.compare_digest(self.mac(seal.key_id, seal.hash).encode(), seal.mac.encode()):
            message = f"position {seal.position} was not sealed by Gatepost: it does not match its key"
            raise Tampering(message, position=seal.position, row=seal.audit_id)


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
            raise ValueError("must be POSITION:HASH, as printed by `gatepost audit verify`")
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
    return _encode(_hashed_fields(row, seal, previous_hash) | {"hash": seal.hash, "mac": seal.mac})


def create_seals(
    keys: SealKeys,
    rows: Iterable[Row],
    last: Seal,
    horizon: int,
    cluster: int,
    sealed_at: str,
    drops_to: int | None = None,
) -> list[Seal]:
    """Return seals for rows, in their order, that continue the chain after its last seal.

    Raises:
        Tampering: the last seal was not made by one of the keys, so the chain must not be continued.
    """
    if last.position:
        keys.require(last)
    seals = []
    for row in rows:
        unhashed = Seal(last.position + 1, row.id, "", "", keys.newest, drops_to, horizon, cluster, sealed_at)
        hash_ = _hash(row, unhashed, last.hash)
        last = unhashed._replace(hash=hash_, mac=keys.mac(keys.newest, hash_))
        seals.append(last)
    return seals


class ChainVerifier:
    """Verifies a chain seal by seal, after the seal `start`. `head` is the last verified seal.

    Without `keys`, only the hashes are verified. `dropped_by` is the row of the retention that `start` comes from.
    """

    def __init__(self, start: Seal = GENESIS, anchor: Anchor | None = None, keys: SealKeys | None = None) -> None:
        self.start = start
        self.head = start
        self.dropped_by: Row | None = None
        self._keys = keys
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
            gap = f"positions {expected} to {seal.position - 1} are" if seal.position > expected + 1 else None
            message = f"{gap or f'position {expected} is'} missing, the next one is {seal.position}"
            raise Tampering(message, position=expected)
        name = f"row {seal.audit_id} (position {seal.position})"
        if row is None:
            raise Tampering(f"{name} is missing", position=seal.position, row=seal.audit_id)
        if row.id != seal.audit_id or _hash(row, seal, self.head.hash) != seal.hash:
            message = f"{name} was altered: it does not match its seal"
            raise Tampering(message, position=seal.position, row=seal.audit_id)
        if self._keys and seal.key_id in self._keys:
            self._keys.require(seal)
        if seal.drops_to is not None and seal.drops_to == self.start.position and self._names_start(row):
            self.dropped_by = row
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
        if self._keys and self.head != self.start:
            # The MAC of the last seal covers those before it that were made by keys that are gone.
            self._keys.require(self.head)
        return Anchor(self.head.position, self.head.hash)

    def _names_start(self, row: Row) -> bool:
        detail = json.loads(row.detail) if row.action == RETENTION else None
        return isinstance(detail, dict) and detail.get("hash") == self.start.hash

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
        "key_id": seal.key_id,
        "drops_to": seal.drops_to,
        "horizon": seal.horizon,
        "cluster": seal.cluster,
        "sealed_at": seal.sealed_at,
    }


def _encode(fields: dict[str, object]) -> bytes:
    """Return fields as canonical JSON: sorted keys, no spaces, ASCII."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
