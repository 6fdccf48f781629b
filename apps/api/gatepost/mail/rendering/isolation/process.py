"""A sandbox process as its parent sees it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

START_LIMIT = 20.0

_LENGTH = struct.Struct(">I")
_BUFFER = 1 << 20
_PACKAGES = str(Path(__file__).resolve().parents[4])
# -I ignores PYTHONPATH, so this package's directory is added for the first import, and afterwards moved behind the
# standard library.
_BOOTSTRAP = """
import sys
sys.path.insert(0, {packages!r})
import gatepost
sys.path.append(sys.path.pop(0))
from gatepost.mail.rendering.isolation.sandbox import main
main({parent})
"""


class SandboxExited(Exception):
    """The process ended before it answered. `over_time`: the kernel ended it at its limit of CPU time."""

    def __init__(self, *, over_time: bool) -> None:
        super().__init__("the sandbox process ended")
        self.over_time = over_time


class SandboxProcess:
    """A running process; `ask` does one job at a time. `known` are the keys of the templates that were sent to it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.known: set[str] = set()

    @classmethod
    async def start(cls) -> SandboxProcess:
        """Start a process and wait until it is ready for jobs.

        Raises:
            OSError, SandboxExited, TimeoutError: it cannot be started.
        """
        code = _BOOTSTRAP.format(packages=_PACKAGES, parent=os.getpid())
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-c",
            code,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=_environment(),
            cwd=os.sep,
            close_fds=True,
            start_new_session=True,
            limit=_BUFFER,
        )
        sandbox = cls(process)
        try:
            async with asyncio.timeout(START_LIMIT):
                await sandbox._answer()
        except BaseException:
            await sandbox.kill()
            raise
        return sandbox

    @property
    def pid(self) -> int:
        """The id of the process and of its process group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it is running, as far as known."""
        return self._process.returncode is None and not self._stdout.at_eof()

    @property
    def _stdout(self) -> asyncio.StreamReader:
        assert self._process.stdout is not None  # noqa: S101 - a pipe was requested
        return self._process.stdout

    async def ask(self, job: bytes) -> dict[str, Any]:
        """Send one job, as JSON, and return the answer.

        Raises:
            SandboxExited: it ended before it answered.
        """
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - a pipe was requested
        try:
            stdin.write(_LENGTH.pack(len(job)) + job)
            await stdin.drain()
        except (ConnectionError, RuntimeError):
            raise await self._exited() from None
        return await self._answer()

    async def _answer(self) -> dict[str, Any]:
        try:
            head = await self._stdout.readexactly(_LENGTH.size)
            body = await self._stdout.readexactly(_LENGTH.unpack(head)[0])
        except (asyncio.IncompleteReadError, ConnectionError):
            raise await self._exited() from None
        try:
            return _decode(body)
        except (ValueError, LookupError, TypeError, struct.error):
            # A process that answers like this is not under our control any more.
            raise await self._exited() from None

    async def _exited(self) -> SandboxExited:
        await self.kill()
        over_time = sys.platform != "win32" and self._process.returncode == -signal.SIGXCPU
        return SandboxExited(over_time=over_time)

    async def wait(self) -> None:
        """Wait until it has ended."""
        await self._process.wait()

    def terminate(self) -> None:
        """Kill it and everything that it may have started, without waiting."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                if sys.platform == "win32":
                    self._process.kill()
                else:
                    os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def kill(self) -> None:
        """Kill it and wait until it has ended."""
        self.terminate()
        await self._process.wait()


def _environment() -> dict[str, str]:
    """Return an environment without secrets. Windows cannot start Python without SYSTEMROOT."""
    return {name: os.environ[name] for name in ("SYSTEMROOT",) if os.name == "nt" and name in os.environ}


def _decode(body: bytes) -> dict[str, Any]:
    end = _LENGTH.size + _LENGTH.unpack_from(body)[0]
    answer: dict[str, Any] = json.loads(body[_LENGTH.size : end])
    for item in answer.get("items", ()):
        if "rendered" in item:
            texts = []
            for length in item["rendered"]:
                texts.append(body[end : end + length].decode())
                end += length
            item["rendered"] = texts
    return answer
