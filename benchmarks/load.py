"""Measure throughput and latency with wrk, and count statements in the database's log."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx

_SCRIPT = Path(__file__).resolve().parent / "rotate.lua"
_MICROSECONDS = {"us": 1, "ms": 1_000, "s": 1_000_000}


@dataclass(frozen=True)
class Load:
    """What wrk measured: requests per second, and the median latency in microseconds."""

    rate: float
    p50: float


def run_wrk(url: str, tokens: Path, *, seconds: int, connections: int) -> Load:
    """Request a URL as fast as it responds, with the tokens of a file in turn.

    Raises:
        SystemExit: A response was not a 200, or the output of wrk cannot be read.
    """
    command: list[str | Path] = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += ["-s", _SCRIPT, url, "--", tokens]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"{url}: some responses were errors. wrk printed:\n{output}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    p50 = re.search(r"50%\s+([\d.]+)(us|ms|s)\b", output)
    if not rate or not p50:
        raise SystemExit(f"The output of wrk cannot be read:\n{output}")
    return Load(float(rate[1]), float(p50[1]) * _MICROSECONDS[p50[2]])


def log_statements(url: str, *, on: bool) -> None:
    """Turn the logging of every statement in the database on or off."""
    asyncio.run(_log_statements(url, "all" if on else "none"))
    time.sleep(0.5)


async def _log_statements(url: str, level: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"alter system set log_statement = '{level}'")
        await connection.execute("select pg_reload_conf()")
    finally:
        await connection.close()


def statements_per_request(url: str, tokens: Path, log: Path, requests: int) -> float:
    """Return how many statements the database logs per request, averaged over that many requests in sequence."""
    bearers = tokens.read_text().split()
    with httpx.Client() as client:
        for token in bearers:
            _get(client, url, token)
        before = _count_logged(log)
        for n in range(requests):
            _get(client, url, bearers[n % len(bearers)])
    time.sleep(0.2)
    return round((_count_logged(log) - before) / requests, 2)


def _get(client: httpx.Client, url: str, token: str) -> None:
    client.get(url, headers={"Authorization": f"Bearer {token}"}).raise_for_status()


def _count_logged(log: Path) -> int:
    return len(re.findall(rb"LOG:  (?:execute [^:]*|statement): ", log.read_bytes()))
