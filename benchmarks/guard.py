"""Measure the cost of the guard: a guarded route against an open one of the same server, with peers in the same run.

Each server has one core to itself; the database and wrk use the others. Compare figures only within one run.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import data
import load
import servers

_ROUNDS = 5
_SECONDS = 3
_CONNECTIONS = 32
_USERS = 32
_COUNTED = 1000
_TARGET = 0.30


@dataclass
class Contestant:
    """A guarded route and its measurements."""

    name: str
    app: str
    path: str = "/guarded"
    open: list[float] = field(default_factory=list)
    guarded: list[float] = field(default_factory=list)
    added: float = 0.0
    statements: float = 0.0

    @property
    def kept(self) -> list[float]:
        """The guarded throughput over the open one, for each round."""
        return self.kept_of(self.open)

    def kept_of(self, rates: list[float]) -> list[float]:
        """Return the guarded throughput over another one, for each round."""
        return [guarded / rate for guarded, rate in zip(self.guarded, rates, strict=True)]


@dataclass(frozen=True)
class Server:
    """A running app, the tokens of its users and the routes to measure."""

    url: str
    tokens: Path
    contestants: list[Contestant]


CONTESTANTS = [
    Contestant("gatepost", "gatepost_host"),
    Contestant("PyJWT + asyncpg", "bare_host"),
    Contestant("the same, no pool reset", "bare_host", "/unreset"),
    Contestant("fastapi-users, database", "fastapi_users_host"),
]


def main() -> int:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2:
        print("This benchmark needs Linux and two cores: one for the server, one for the database and wrk.")
        return 2
    if not shutil.which("wrk"):
        print("This benchmark needs wrk. Install it: apt install wrk")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    peers = servers.peer_python()
    os.sched_setaffinity(0, set(cores[1:]))
    try:
        with servers.database() as database, _started(database.url, peers, cores[0]) as started:
            _measure(started)
            _count(started, database.url, database.data / "server.log")
    except KeyboardInterrupt:
        print("Stopped.")
        return 130
    _print_table()
    return 0


@contextmanager
def _started(url: str, peers: str, core: int) -> Iterator[list[Server]]:
    """Run all servers, with users signed in, for the length of a block."""
    _report("Starting the servers and filling the database")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gatepost-bench-")))
        ours = stack.enter_context(servers.serving("gatepost_host", sys.executable, url, core))
        bare = stack.enter_context(servers.serving("bare_host", sys.executable, url, core))
        users = stack.enter_context(servers.serving("fastapi_users_host", peers, url, core))
        data.fill(url)
        tokens = data.write_tokens(data.sign_in_to_gatepost(ours, _USERS), directory / "gatepost")
        peer_tokens = data.write_tokens(data.sign_in_to_fastapi_users(users, _USERS), directory / "fastapi-users")
        yield [
            Server(ours, tokens, _of("gatepost_host")),
            Server(bare, tokens, _of("bare_host")),
            Server(users, peer_tokens, _of("fastapi_users_host")),
        ]


def _of(app: str) -> list[Contestant]:
    return [contestant for contestant in CONTESTANTS if contestant.app == app]


def _measure(started: list[Server]) -> None:
    for server in started:
        _run(server, seconds=1, connections=_CONNECTIONS)
    for number in range(_ROUNDS):
        _report(f"Round {number + 1} of {_ROUNDS}")
        for server in started:
            unguarded, guarded = _run(server, seconds=_SECONDS, connections=_CONNECTIONS)
            for contestant, measured in zip(server.contestants, guarded, strict=True):
                contestant.open.append(unguarded.rate)
                contestant.guarded.append(measured.rate)
    _report("Latency at one connection")
    for server in started:
        unguarded, guarded = _run(server, seconds=_SECONDS, connections=1)
        for contestant, measured in zip(server.contestants, guarded, strict=True):
            contestant.added = measured.p50 - unguarded.p50


def _run(server: Server, *, seconds: int, connections: int) -> tuple[load.Load, list[load.Load]]:
    """Measure a server's open route, and each of its guarded routes."""
    paths = ["/open", *(contestant.path for contestant in server.contestants)]
    unguarded, *guarded = (
        load.run_wrk(server.url + path, server.tokens, seconds=seconds, connections=connections) for path in paths
    )
    return unguarded, guarded


def _count(started: list[Server], url: str, log: Path) -> None:
    _report(f"Counting statements in {_COUNTED} requests")
    load.log_statements(url, on=True)
    for server in started:
        for contestant in server.contestants:
            route = server.url + contestant.path
            contestant.statements = load.statements_per_request(route, server.tokens, log, _COUNTED)


def _print_table() -> None:
    print(f"\n{_CONNECTIONS} connections, one worker on one core, medians of {_ROUNDS} rounds of {_SECONDS} s\n")
    print(f"{'':26}{'open/s':>8}{'guarded/s':>11}{'kept':>7}{'min-max':>12}", end="")
    print(f"{'of plain':>10}{'min-max':>12}{'added p50':>11}{'statements':>12}")
    plain = _of("bare_host")[0].open
    for each in CONTESTANTS:
        print(f"{each.name:26}{median(each.open):8,.0f}{median(each.guarded):11,.0f}", end="")
        print(f"{_spread(each.kept, 7)}{_spread(each.kept_of(plain), 10)}{each.added:8.0f} µs{each.statements:12g}")
    ours = CONTESTANTS[0]
    print(
        "\nkept: guarded over open throughput of the same server, per round. of plain: over the open throughput of an"
        "\napp without a router, as an included router slows all routes after it. added p50: latency at one connection."
        f"\n\ngatepost keeps {median(ours.kept):.2f}, and {median(ours.kept_of(plain)):.2f} of plain"
        f" (target: {_TARGET:.2f}), with {ours.statements:g} statements per guarded request (target: 1)"
    )


def _spread(ratios: list[float], width: int) -> str:
    return f"{median(ratios):{width}.2f}{f'{min(ratios):.2f}-{max(ratios):.2f}':>12}"


def _report(step: str) -> None:
    print(f"{step}…", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
