"""`gatepost work` as processes that can be killed, and their children."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from gatepost.db.pool import Connection
from tests.support.fake_resend import FakeResend
from tests.support.processes import children, is_running

# The provider under two names: the name in a request shows which worker sent it.
_HOSTS = ("127.0.0.1", "localhost")


class Workers:
    """Several `gatepost work`; `kill` kills them in turn and starts the killed one again."""

    def __init__(
        self, database_url: str, resend: FakeResend | None, count: int, log: Path, settings: Mapping[str, str]
    ) -> None:
        self._environments = [_environment(database_url, resend, number, settings) for number in range(count)]
        self._resend = resend
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * count
        self._log = log
        self._children: set[int] = set()
        self.kills = 0

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers that run, and then of their children."""
        running = [process.pid for process in self._processes if process is not None and process.poll() is None]
        return [*running, *(child for pid in running for child in children(pid))]

    def start(self) -> None:
        """Start the workers that do not run."""
        for number, process in enumerate(self._processes):
            if process is None or process.poll() is not None:
                with self._log.open("ab") as log:
                    command = [sys.executable, "-m", "gatepost", "work"]
                    self._processes[number] = subprocess.Popen(
                        command, env=self._environments[number], stdout=log, stderr=log
                    )

    @property
    def next_is_sending(self) -> bool:
        """Whether the worker that is killed next waits for a response of the provider."""
        host = _HOSTS[self.kills % len(self._processes) % 2]
        return self._resend is not None and any(
            request.headers["host"].startswith(host) and (request.status, request.fault) == (None, None)
            for request in self._resend.requests[-30:]
        )

    def kill(self) -> None:
        """Kill the next worker, and start it again."""
        process = self._processes[self.kills % len(self._processes)]
        if process is not None and process.poll() is None:
            self._children |= children(process.pid)
            process.kill()
            process.wait()
            self.kills += 1
        self.start()

    async def stop(self) -> None:
        """Stop all workers as an operator does; wait until their children, and those of killed workers, are gone."""
        for process in self._processes:
            if process is not None and process.poll() is None:
                self._children |= children(process.pid)
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            if process is not None:
                await asyncio.to_thread(process.wait, 20)
        async with asyncio.timeout(10):
            while any(is_running(pid) for pid in self._children):
                await asyncio.sleep(0.02)


@asynccontextmanager
async def running_workers(
    database_url: str, resend: FakeResend | None, count: int, log: Path, **settings: str
) -> AsyncIterator[Workers]:
    """Run workers until the end of the block; without a provider they capture what they send."""
    workers = Workers(database_url, resend, count, log, settings)
    workers.start()
    try:
        await _wait_until_ready(database_url, log)
        yield workers
    finally:
        await workers.stop()


async def _wait_until_ready(url: str, log: Path) -> None:
    """Wait until a worker has stored the built-in templates, so that messages can be queued."""
    async with disposable_connection(url) as connection:
        try:
            async with asyncio.timeout(30):
                while not await connection.fetchval("select exists (select from gatepost.builtin_templates)"):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            output = await asyncio.to_thread(log.read_text)
            raise AssertionError(f"no worker starts: {output[-2000:]}") from None


@asynccontextmanager
async def disposable_connection(url: str) -> AsyncIterator[Connection]:
    """Open a connection to a database that may crash: it is dropped, not closed, at the end of the block."""
    connection = await asyncpg.connect(url, timeout=5)
    try:
        yield connection
    finally:
        connection.terminate()


def _environment(
    database_url: str, resend: FakeResend | None, number: int, settings: Mapping[str, str]
) -> dict[str, str]:
    values = {
        "DATABASE_URL": database_url,
        "SECRET_KEY": "s" * 40,
        "ENVIRONMENT": "test",
        "MAIL_TRANSPORT": "resend" if resend else "capture",
        "MAIL_FROM": "Acme <no-reply@acme.com>",
    }
    if resend is not None:
        url = resend.url.replace(_HOSTS[0], _HOSTS[number % 2])
        values |= {"RESEND_API_KEY": resend.api_key, "RESEND_BASE_URL": url}
    values |= {name.upper(): value for name, value in settings.items()}
    return {"PATH": os.environ["PATH"]} | {f"GATEPOST_{name}": value for name, value in values.items()}
