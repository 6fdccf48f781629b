"""What is counted, for Prometheus: by this process, for one mount, and without anything personal in a label."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# The text format that every Prometheus reads, and what it is to be called.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# A method is the caller's word: any other would be a series of its own.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Seconds. The guard's one statement takes less than a millisecond; the pool gives up after five seconds.
_GUARD_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """The counters of one mount, in a registry of their own: several mounts in one process do not clash."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "gatepost_requests",
            "Requests answered, by route template",
            ["method", "route", "status"],
            registry=registry,
        )
        self._refusals = Counter("gatepost_refusals", "Requests refused, by problem code", ["code"], registry=registry)
        self._sign_ins = Counter("gatepost_sign_ins", "Sessions opened", registry=registry)
        self._evictions = Counter("gatepost_evictions", "Sessions ended to make room for another", registry=registry)
        self._revocations = Counter(
            "gatepost_revocations", "Sessions ended by somebody's act, by reason", ["reason"], registry=registry
        )
        self._mailed = Counter(
            "gatepost_mailed", "Messages handed to a transport, by what it said", ["outcome"], registry=registry
        )
        self._guard = Histogram(
            "gatepost_guard_seconds", "What the session check took", buckets=_GUARD_BUCKETS, registry=registry
        )
        self._size = Gauge("gatepost_database_pool_size", "Open connections", ["pool"], registry=registry)
        self._idle = Gauge("gatepost_database_pool_idle", "Connections nobody uses", ["pool"], registry=registry)

    def watch_pool(self, pool: str, size: Callable[[], int], idle: Callable[[], int]) -> None:
        """Tell of a pool's connections, asked for whenever somebody looks."""
        self._size.labels(pool).set_function(size)
        self._idle.labels(pool).set_function(idle)

    def answered(self, method: str, route: str | None, status: int) -> None:
        """Count an answer; `route` is the template, never the path, and None where no route was meant."""
        self._requests.labels(method if method in _METHODS else "other", route or "none", str(status)).inc()

    def refused(self, code: str) -> None:
        """Count a refusal by its code on the wire."""
        self._refusals.labels(code).inc()

    def signed_in(self, evicted: int) -> None:
        """Count a session that was opened, and those that it displaced."""
        self._sign_ins.inc()
        self._evictions.inc(evicted)

    def revoked(self, reason: str, sessions: int = 1) -> None:
        """Count sessions that were ended for a reason; none is none."""
        if sessions:
            self._revocations.labels(reason).inc(sessions)

    def mailed(self, outcome: str, messages: int) -> None:
        """Count messages that a transport was handed: accepted, refused or uncertain."""
        self._mailed.labels(outcome).inc(messages)

    def guarded(self, seconds: float) -> None:
        """Note how long a session check took."""
        self._guard.observe(seconds)

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
