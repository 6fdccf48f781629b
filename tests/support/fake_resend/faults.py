"""What can go wrong between a client and Resend, on demand or at random."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

# Each kind with its default amount: seconds, or for a rate limit the number of requests.
REQUEST_FAULTS: Mapping[str, float] = {
    "hang-before": 30.0,  # not accepted, no response
    "hang-after": 30.0,  # accepted, no response
    "drop-before": 0.0,  # not accepted, the connection is reset
    "drop-after": 0.0,  # accepted, the connection is closed
    "cut": 0.0,  # accepted, half of the response
    "500-before": 0.0,  # not accepted, an HTML page
    "500-after": 0.0,  # accepted, yet an HTML page
    "502": 0.0,
    "503": 0.0,
    "slow": 1.0,  # the idempotency key is in use meanwhile
    "rate-limit": 5.0,  # this request and the next ones get 429
    "garbled": 0.0,  # accepted, 200, but the body is not JSON
}
BEFORE = frozenset({"hang-before", "drop-before", "500-before", "502", "503"})
AFTER = frozenset({"hang-after", "drop-after", "cut", "500-after", "garbled"})

WEBHOOK_FAULTS = frozenset(
    {
        "duplicated",  # each event twice, at the same time
        "shuffled",  # a message's events in another order
        "early",  # the first event before the response to the POST
        "untagged",  # without our tags
        "forged",  # first with a wrong signature; the retries are correct
        "stale",  # first with a timestamp of ten minutes ago, correctly signed; the retries are correct
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request."""

    kind: str
    amount: float

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Parse "kind" or "kind:number"; "hang" is short for "hang-after".

        Raises:
            ValueError: the kind is unknown.
        """
        kind, _, amount = text.partition(":")
        kind = "hang-after" if kind == "hang" else kind
        if kind not in REQUEST_FAULTS:
            raise ValueError(f"unknown fault of a request: {kind}")
        return cls(kind, float(amount) if amount else REQUEST_FAULTS[kind])


class Faults:
    """Random faults: `rates` are {kind: share of the requests or messages, 0 to 1}; a seed always draws the same.

    Raises:
        ValueError: an unknown kind, or rates of request faults above 1 in all.
    """

    def __init__(self, seed: int = 0, rates: Mapping[str, float] | None = None) -> None:
        self._random = random.Random(seed)
        self._rates = dict(rates or {})
        self._requests = {Fault.parse(kind): rate for kind, rate in self._rates.items() if kind not in WEBHOOK_FAULTS}
        if sum(self._requests.values()) > 1:
            raise ValueError("the rates of request faults add up to more than 1")

    def for_request(self) -> Fault | None:
        """Draw the fault of a request: one at most."""
        drawn = self._random.random()
        for fault, rate in self._requests.items():
            drawn -= rate
            if drawn < 0:
                return fault
        return None

    def for_events(self) -> frozenset[str]:
        """Draw the faults of the events of a message: each independently."""
        return frozenset(
            kind for kind, rate in self._rates.items() if kind in WEBHOOK_FAULTS and self._random.random() < rate
        )

    def shuffle(self, things: list[str]) -> list[str]:
        """Return things in another order than they have."""
        order = things[:]
        while len(set(things)) > 1 and order == things:
            self._random.shuffle(order)
        return order
