"""What can go wrong between us and Resend, on demand or by chance."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

# Each kind with the number it takes where none is given: seconds, or for a storm requests.
REQUEST_KINDS: Mapping[str, float] = {
    "hang-before": 30.0,  # not accepted, no answer
    "hang-after": 30.0,  # accepted, no answer
    "drop-before": 0.0,  # not accepted, the connection is reset
    "drop-after": 0.0,  # accepted, the connection is closed
    "cut": 0.0,  # accepted, half of the answer
    "500-before": 0.0,  # not accepted, a page in HTML
    "500-after": 0.0,  # accepted, yet a page in HTML
    "502": 0.0,
    "503": 0.0,
    "slow": 1.0,  # the key is being handled meanwhile
    "storm": 5.0,  # this request and those that follow are refused with 429
    "garbled": 0.0,  # accepted, 200, but the body is not JSON
}
BEFORE = frozenset({"hang-before", "drop-before", "500-before", "502", "503"})
AFTER = frozenset({"hang-after", "drop-after", "cut", "500-after", "garbled"})

WEBHOOK_KINDS = frozenset(
    {
        "duplicated",  # each event twice, at once
        "shuffled",  # a message's events in another order
        "early",  # the first event before the answer to the POST
        "untagged",  # without our tags
        "forged",  # first with a wrong signature; the retries are honest
        "stale",  # first with a timestamp of ten minutes ago, rightly signed; the retries are honest
    }
)


@dataclass(frozen=True, slots=True)
class Mishap:
    """One thing that goes wrong with one request."""

    kind: str
    amount: float

    @classmethod
    def parse(cls, text: str) -> Mishap:
        """Read "kind" or "kind:number"; "hang" is short for "hang-after".

        Raises:
            ValueError: there is no such kind.
        """
        kind, _, amount = text.partition(":")
        kind = "hang-after" if kind == "hang" else kind
        if kind not in REQUEST_KINDS:
            raise ValueError(f"no such mischief for a request: {kind}")
        return cls(kind, float(amount) if amount else REQUEST_KINDS[kind])


class Mischief:
    """Random mischief: `shares` are {kind: share of the requests or events, 0 to 1}; the same seed draws the same.

    Raises:
        ValueError: an unknown kind, or shares of requests above 1 in all.
    """

    def __init__(self, seed: int = 0, shares: Mapping[str, float] | None = None) -> None:
        self._random = random.Random(seed)
        self._shares = dict(shares or {})
        self._requests = {
            Mishap.parse(kind): share for kind, share in self._shares.items() if kind not in WEBHOOK_KINDS
        }
        if sum(self._requests.values()) > 1:
            raise ValueError("the shares of requests are more than all")

    def for_request(self) -> Mishap | None:
        """Draw what happens to a request: one thing at most."""
        drawn = self._random.random()
        for mishap, share in self._requests.items():
            drawn -= share
            if drawn < 0:
                return mishap
        return None

    def for_events(self) -> frozenset[str]:
        """Draw what happens to the events of a message: each thing for itself."""
        return frozenset(
            kind for kind, share in self._shares.items() if kind in WEBHOOK_KINDS and self._random.random() < share
        )

    def shuffle(self, things: list[str]) -> list[str]:
        """Return things in another order than they have."""
        order = things[:]
        while len(set(things)) > 1 and order == things:
            self._random.shuffle(order)
        return order
