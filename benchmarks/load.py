"""How it is measured: wrk for speed, the database's own log for statements."""

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
    """What wrk saw: requests a second, and the median latency in microseconds."""

    rate: float
    p50: float


def press(url: str, tokens: Path, *, seconds: int, connections: int) -> Load:
    """Ask for an address as fast as it answers; every answer must be a 200."""
    command: list[str | Path] = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += ["-s", _SCRIPT, url, "--", tokens]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"{url}: not every answer was a 200\n{said}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p50 = re.search(r"50%\s+([\d.]+)(us|ms|s)\b", said)
    if not rate or not p50:
        raise SystemExit(f"wrk said something else:\n{said}")
    return Load(float(rate[1]), float(p50[1]) * _MICROSECONDS[p50[2]])


def log_statements(url: str, *, on: bool) -> None:
    """Have the database write every statement to its log, or no longer."""
    asyncio.run(_log_statements(url, "all" if on else "none"))
    time.sleep(0.5)


async def _log_statements(url: str, which: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"alter system set log_statement = '{which}'")
        await connection.execute("select pg_reload_conf()")
    finally:
        await connection.close()


def statements_per_request(url: str, tokens: Path, log: Path, requests: int) -> float:
    """Return how many statements the database logs for each of many requests, one after the other."""
    known = tokens.read_text().split()
    with httpx.Client() as client:
        for token in known:
            _get(client, url, token)
        before = _logged(log)
        for n in range(requests):
            _get(client, url, known[n % len(known)])
    time.sleep(0.2)
    return round((_logged(log) - before) / requests, 2)


def _get(client: httpx.Client, url: str, token: str) -> None:
    client.get(url, headers={"Authorization": f"Bearer {token}"}).raise_for_status()


def _logged(log: Path) -> int:
    return len(re.findall(rb"LOG:  (?:execute [^:]*|statement): ", log.read_bytes()))
