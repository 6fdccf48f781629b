"""Prometheus metrics of one mount in this process. No label contains personal data."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# The text format that every Prometheus reads.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Clients choose the method; any other would create a time series of its own.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Seconds. The guard's statement takes less than a millisecond; the pool gives up after five seconds.
_GUARD_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """The metrics of one mount, in a registry of their own, so that several mounts in one process do not clash."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "gatepost_requests", "Requests by route template", ["method", "route", "status"], registry=registry
        )
        self._errors = Counter("gatepost_errors", "Error responses by code", ["code"], registry=registry)
        self._sign_ins = Counter("gatepost_sign_ins", "Sessions opened", registry=registry)
        self._evictions = Counter("gatepost_evictions", "Sessions evicted at the cap", registry=registry)
        self._revocations = Counter("gatepost_revocations", "Sessions revoked by reason", ["reason"], registry=registry)
        self._emails = Counter(
            "gatepost_emails", "Emails handed to a transport by outcome", ["outcome"], registry=registry
        )
        self._guard = Histogram(
            "gatepost_guard_seconds", "Duration of the session check", buckets=_GUARD_BUCKETS, registry=registry
        )
        self._size = Gauge("gatepost_database_pool_size", "Open connections", ["pool"], registry=registry)
        self._idle = Gauge("gatepost_database_pool_idle", "Idle connections", ["pool"], registry=registry)

    def watch_pool(self, pool: str, size: Callable[[], int], idle: Callable[[], int]) -> None:
        """Export a connection pool's numbers, read whenever metrics are requested."""
        self._size.labels(pool).set_function(size)
        self._idle.labels(pool).set_function(idle)

    def count_request(self, method: str, route: str | None, status: int) -> None:
        """Count a request; `route` is the template, never the path, and None if no route matched."""
        self._requests.labels(method if method in _METHODS else "other", route or "none", str(status)).inc()

    def count_error(self, code: str) -> None:
        """Count an error by the code in its response."""
        self._errors.labels(code).inc()

    def count_sign_in(self, evicted: int) -> None:
        """Count a session that was opened, and those that were evicted for it."""
        self._sign_ins.inc()
        self._evictions.inc(evicted)

    def count_revocations(self, reason: str, sessions: int = 1) -> None:
        """Count sessions that were revoked for a reason."""
        if sessions:
            self._revocations.labels(reason).inc(sessions)

    def count_emails(self, outcome: str, emails: int) -> None:
        """Count emails handed to a transport, by its outcome."""
        self._emails.labels(outcome).inc(emails)

    def observe_guard(self, seconds: float) -> None:
        """Record how long a session check took."""
        self._guard.observe(seconds)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
