"""Runs the snippets of one page as its reader would: in one shell and one Python, against a running service."""

from __future__ import annotations

import ast
import asyncio
import inspect
import io
import json
import os
import re
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, redirect_stdout, suppress
from pathlib import Path
from types import CodeType
from typing import Any

import asyncpg

from tests.support.docs.markdown import Snippet

_SERVER = "://user:password@db.example.com:5432/app"
_DATABASE = f"postgresql{_SERVER}"
_SERVICE = "http://127.0.0.1:8000"
# Where the pages have an app of the reader's own listen.
_APP_PORT = "9000"
_TIMEOUT = 60


class Failed(AssertionError):
    """A snippet did not run, or did not print what the page shows."""


class Runner:
    """One page's shell, Python namespace and working directory.

    In every snippet the pages' stand-ins become the real thing: the service's URL, the database's, and the port of the
    reader's own app.
    """

    def __init__(self, directory: Path, shell: asyncio.subprocess.Process, replacements: Mapping[str, str]) -> None:
        self._directory = directory
        self._shell = shell
        self._replacements = replacements
        self._namespace: dict[str, Any] = {"__name__": "__main__"}

    async def run(self, snippet: Snippet) -> None:
        """Run a snippet and compare what it prints.

        Raises:
            Failed: it failed, or printed something else.
        """
        code = self._real(snippet.code)
        if snippet.file:
            (self._directory / snippet.file).write_text(code, "utf-8")
            code = f"python {snippet.file}"
        try:
            async with asyncio.timeout(_TIMEOUT):
                printed = await self._run(snippet, code)
        except Failed:
            raise
        except Exception as error:
            raise Failed(f"{snippet.location}: {type(error).__name__}: {error}") from error
        if snippet.output is not None and not fits(self._real(snippet.output), printed):
            raise Failed(f"{snippet.location} printed\n{printed}\nand not\n{snippet.output}")

    async def close(self) -> None:
        """End what the page has started."""
        for value in self._namespace.values():
            for name in ("terminate", "dispose", "close"):
                end = getattr(value, name, None)
                if end is not None and not inspect.isclass(value) and not inspect.ismodule(value):
                    done = end()
                    if inspect.isawaitable(done):
                        await done
                    break

    async def _run(self, snippet: Snippet, code: str) -> str:
        if snippet.language == "python" and not snippet.file:
            return await self._python(snippet, code)
        if snippet.language == "sql":
            return await self._sql(code)
        return await self._sh(snippet, code)

    async def _python(self, snippet: Snippet, code: str) -> str:
        printed = io.StringIO()
        compiled: CodeType = compile(
            "\n" * snippet.line + code, str(snippet.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )
        with redirect_stdout(printed):
            done = eval(compiled, self._namespace)
            if inspect.isawaitable(done):
                await done
        return printed.getvalue()

    async def _sql(self, code: str) -> str:
        connection = await asyncpg.connect(self._replacements[_DATABASE])
        try:
            return await connection.execute(code)
        finally:
            await connection.close()

    async def _sh(self, snippet: Snippet, code: str) -> str:
        assert self._shell.stdin
        assert self._shell.stdout
        end = secrets.token_hex(8)
        script, errors = self._directory / f".{end}.sh", self._directory / f".{end}.err"
        script.write_text(code, "utf-8")
        line = f". {script} </dev/null 2>{errors}"
        line = f"({line}) >/dev/null & true" if snippet.background else line
        # The shell ends at the first command that fails, so this is printed only if all went well.
        self._shell.stdin.write(f"{line}\necho {end}\n".encode())
        printed = bytearray()
        while not printed.endswith(f"{end}\n".encode()):
            if not (more := await self._shell.stdout.readline()):
                raise Failed(f"{snippet.location} failed:\n{printed.decode()}{_text_of(errors)}")
            printed += more
        if snippet.background:
            await self._listening(errors)
        return printed.decode().removesuffix(f"{end}\n")

    async def _listening(self, errors: Path) -> None:
        for _ in range(300):
            try:
                _, writer = await asyncio.open_connection(
                    "127.0.0.1", int(self._replacements[f"--port {_APP_PORT}"][7:])
                )
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                await writer.wait_closed()
                return
        raise Failed(f"nothing listens:\n{_text_of(errors)}")

    def _real(self, text: str) -> str:
        for stand_in, real in self._replacements.items():
            text = text.replace(stand_in, real)
        return text


@asynccontextmanager
async def running(
    directory: Path, environment: Mapping[str, str], service: str, database: str
) -> AsyncIterator[Runner]:
    """A runner in a directory of its own; the shell and all that it starts has only this environment."""
    port = _free_port()
    shell = await asyncio.create_subprocess_exec(
        *("bash", "--norc", "--noprofile"),
        cwd=directory,
        env=dict(environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        limit=2**24,
    )
    assert shell.stdin
    shell.stdin.write(b"set -eu -o pipefail\n")
    replacements = {
        _SERVICE: service,
        _DATABASE: database,
        f"postgresql+asyncpg{_SERVER}": database.replace("postgresql:", "postgresql+asyncpg:"),
        f"127.0.0.1:{_APP_PORT}": f"127.0.0.1:{port}",
        f"--port {_APP_PORT}": f"--port {port}",
    }
    runner = Runner(directory, shell, replacements)
    try:
        yield runner
    finally:
        await runner.close()
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)
        shell.stdin.close()
        await shell.wait()


def fits(expected: str, printed: str) -> bool:
    """Compare what a page shows with what was printed; `…` stands for anything.

    JSON is compared by its members: those that are not shown do not count. Of text, white space does not count, so that
    a page may break a long line.
    """
    try:
        actual = json.loads(printed)
    except ValueError:
        return _like("".join(expected.split()), "".join(printed.split()))
    open_ended = re.sub(r",\s*…\s*(?=})", "", expected)
    return _json_fits(json.loads(re.sub(r"(?<=: )…|{…}|…(?=\s*\])", '"…"', open_ended)), actual)


def _json_fits(expected: Any, actual: Any) -> bool:
    if expected == "…":
        return True
    if isinstance(expected, dict) and isinstance(actual, dict):
        return all(name in actual and _json_fits(value, actual[name]) for name, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        shown = expected[:-1] if expected[-1:] == ["…"] else expected
        enough = len(actual) >= len(shown) if shown is not expected else len(actual) == len(shown)
        return enough and all(map(_json_fits, shown, actual))
    if isinstance(expected, str) and isinstance(actual, str):
        return _like(expected, actual)
    return bool(expected == actual)


def _like(expected: str, actual: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, expected.split("…"))), actual, re.DOTALL) is not None


def _text_of(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
