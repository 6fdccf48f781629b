"""`gatepost work` as processes that can be killed, and what they leave behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from gatepost.db.pool import Connection
from tests.resend import FakeResend

# The provider by two names: by that of a request one knows whose it is.
_HOSTS = ("127.0.0.1", "localhost")


class Workers:
    """Some `gatepost work`, each started again whenever it has ended; `kill` ends them in turns."""

    def __init__(
        self, database_url: str, resend: FakeResend | None, number: int, log: Path, more: Mapping[str, str]
    ) -> None:
        self._environments = [_environment(database_url, resend, place, more) for place in range(number)]
        self._resend = resend
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * number
        self._log = log
        self.children: set[int] = set()
        self.kills = 0

    @property
    def pids(self) -> list[int]:
        """Those that run, and their children."""
        running = [process.pid for process in self._processes if process is not None and process.poll() is None]
        return [*running, *(child for pid in running for child in children_of(pid))]

    def start(self) -> None:
        """Start those that do not run."""
        for place, process in enumerate(self._processes):
            if process is None or process.poll() is not None:
                with self._log.open("ab") as log:
                    command = [sys.executable, "-m", "gatepost", "work"]
                    self._processes[place] = subprocess.Popen(
                        command, env=self._environments[place], stdout=log, stderr=log
                    )

    @property
    def posting(self) -> bool:
        """Whether the next to be killed waits for an answer of the provider."""
        victim = _HOSTS[self.kills % len(self._processes) % 2]
        return self._resend is not None and any(
            request.headers["host"].startswith(victim) and (request.status, request.mischief) == (None, None)
            for request in self._resend.requests[-30:]
        )

    def kill(self) -> None:
        """Kill one, and start it again."""
        process = self._processes[self.kills % len(self._processes)]
        if process is not None and process.poll() is None:
            self.children |= children_of(process.pid)
            process.kill()
            process.wait()
            self.kills += 1
        self.start()

    async def stop(self) -> None:
        """End all as an operator does, and wait until nothing of them is left, nor of those that were killed."""
        for process in self._processes:
            if process is not None and process.poll() is None:
                self.children |= children_of(process.pid)
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            if process is not None:
                await asyncio.to_thread(process.wait, 20)
        async with asyncio.timeout(10):
            while any(_is_child_of_ours(pid) for pid in self.children):
                await asyncio.sleep(0.02)


@asynccontextmanager
async def working(
    database_url: str, resend: FakeResend | None, number: int, log: Path, **more: str
) -> AsyncIterator[Workers]:
    """Have so many workers for the length of a block, with more settings; without a provider they capture."""
    workers = Workers(database_url, resend, number, log, more)
    workers.start()
    try:
        await _ready(database_url, log)
        yield workers
    finally:
        await workers.stop()


async def _ready(url: str, log: Path) -> None:
    """Wait until a worker has told the database of the templates, so that something can be queued."""
    async with connected(url) as connection:
        try:
            async with asyncio.timeout(30):
                while not await connection.fetchval("select exists (select from gatepost.builtin_templates)"):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            said = await asyncio.to_thread(log.read_text)
            raise AssertionError(f"no worker starts: {said[-2000:]}") from None


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        yield connection
    finally:
        connection.terminate()


def _environment(database_url: str, resend: FakeResend | None, place: int, more: Mapping[str, str]) -> dict[str, str]:
    settings = {
        "DATABASE_URL": database_url,
        "SECRET_KEY": "s" * 40,
        "ENVIRONMENT": "test",
        "MAIL_TRANSPORT": "resend" if resend else "capture",
        "MAIL_FROM": "Acme <no-reply@acme.com>",
    }
    if resend is not None:
        address = resend.url.replace(_HOSTS[0], _HOSTS[place % 2])
        settings |= {"RESEND_API_KEY": resend.api_key, "RESEND_BASE_URL": address}
    settings |= {name.upper(): value for name, value in more.items()}
    return {"PATH": os.environ["PATH"]} | {f"GATEPOST_{name}": value for name, value in settings.items()}


def children_of(pid: int) -> set[int]:
    """Return the processes that a process has started."""
    found = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found |= {int(child) for child in task.read_text().split()}
    return found


def _is_child_of_ours(pid: int) -> bool:
    try:
        return b"gatepost" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
