"""One rendering process as its parent sees it."""

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
_HOME = str(Path(__file__).resolve().parents[4])
# -I leaves out PYTHONPATH, so the place of this very package is named; afterwards it comes last, behind the library.
_BOOT = """
import sys
sys.path.insert(0, {home!r})
import gatepost
sys.path.append(sys.path.pop(0))
from gatepost.mail.rendering.isolation.sandbox import main
main({parent})
"""


class ChildDied(Exception):
    """The process ended before it answered; `over_time` when the kernel ended it for its use of the processor."""

    def __init__(self, *, over_time: bool) -> None:
        super().__init__("the rendering process ended")
        self.over_time = over_time


class ChildProcess:
    """A started process; `ask` does one job at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.known: set[str] = set()

    @classmethod
    async def start(cls) -> ChildProcess:
        """Start a process and wait until it is ready for work.

        Raises:
            OSError, ChildDied, TimeoutError: it cannot be started.
        """
        code = _BOOT.format(home=_HOME, parent=os.getpid())
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
        child = cls(process)
        try:
            async with asyncio.timeout(START_LIMIT):
                await child._answer()
        except BaseException:
            await child.kill()
            raise
        return child

    @property
    def pid(self) -> int:
        """The process id, its group's too."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended, as far as is known yet."""
        return self._process.returncode is None and not self._out.at_eof()

    @property
    def _out(self) -> asyncio.StreamReader:
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        return self._process.stdout

    async def ask(self, job: bytes) -> dict[str, Any]:
        """Send one job, a JSON text, and return the answer.

        Raises:
            ChildDied: it ended before it answered.
        """
        into = self._process.stdin
        assert into is not None  # noqa: S101 - a pipe was asked for
        try:
            into.write(_LENGTH.pack(len(job)) + job)
            await into.drain()
        except (ConnectionError, RuntimeError):
            raise await self._died() from None
        return await self._answer()

    async def _answer(self) -> dict[str, Any]:
        try:
            head = await self._out.readexactly(_LENGTH.size)
            body = await self._out.readexactly(_LENGTH.unpack(head)[0])
        except (asyncio.IncompleteReadError, ConnectionError):
            raise await self._died() from None
        try:
            return _parsed(body)
        except (ValueError, LookupError, TypeError, struct.error):
            # Whoever answers like this is no process of ours any more.
            raise await self._died() from None

    async def _died(self) -> ChildDied:
        await self.kill()
        over_time = sys.platform != "win32" and self._process.returncode == -signal.SIGXCPU
        return ChildDied(over_time=over_time)

    async def wait(self) -> None:
        """Wait until it has ended."""
        await self._process.wait()

    def end(self) -> None:
        """End it and whatever it may have started, at once."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                if sys.platform == "win32":
                    self._process.kill()
                else:
                    os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def kill(self) -> None:
        """End it and wait until nothing of it is left."""
        self.end()
        await self._process.wait()


def _environment() -> dict[str, str]:
    """Nothing of ours: the process must hold no secret. Windows cannot start Python without its own directory."""
    return {name: os.environ[name] for name in ("SYSTEMROOT",) if os.name == "nt" and name in os.environ}


def _parsed(body: bytes) -> dict[str, Any]:
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
