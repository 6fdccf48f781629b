"""Commands of `gatepost`: within this process, or as processes of their own, which take a second each to start.

Settings are given without their prefix: `{"database_url": …}` becomes `GATEPOST_DATABASE_URL`.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from typer.testing import CliRunner

import gatepost
from gatepost.cli import app

GATEPOST = Path(sys.executable).with_name("gatepost")
NO_TERMINAL = "gatepost: This command asks for confirmation, which needs a terminal. Use --yes to confirm.\n"

T = TypeVar("T")
Command = Sequence[object]
Settings = Mapping[str, object]
# Exit status, standard output, standard error.
Result = tuple[int, str, str]


def environment(settings: Settings) -> dict[str, str]:
    """Return the whole environment of a process; the narrow screen shows whether any output is cut to fit."""
    code = str(Path(gatepost.__file__).parents[1])
    return {"PATH": os.environ["PATH"], "PYTHONPATH": code, "COLUMNS": "40", **_variables(settings)}


def run_here(command: Command, settings: Settings, stdin: str = "") -> Result:
    """Run a command in this process. Errors that `main` turns into one line and exit status 2 are raised."""
    arguments = [str(argument) for argument in command]
    result = CliRunner().invoke(app, arguments, input=stdin, env=_variables(settings), catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


@contextmanager
def started_process(command: Command, settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """Start a process in a process group of its own; it is killed if it still runs at the end of the block."""
    process = subprocess.Popen(
        [GATEPOST, *map(str, command)],
        env=environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            process.communicate()


def wait_for_exit(process: subprocess.Popen[str]) -> Result:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def run_process(command: Command, settings: Settings, stdin: str = "") -> Result:
    """Run a process to its end."""
    done = subprocess.run(
        [GATEPOST, *map(str, command)],
        env=environment(settings),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def run_processes(settings: Settings, *commands: Command) -> list[Result]:
    """Run processes that do not depend on each other in parallel."""
    return in_parallel(lambda command: run_process(command, settings), commands)


def in_parallel(function: Callable[[Any], T], cases: Iterable[Any]) -> list[T]:
    """Call a function for each case, as many at a time as there are processors."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(function, cases))


def configuration_error(command: Command, settings: Settings) -> str:
    """Run a process that must fail with exit status 2 and one line on standard error; return that line."""
    code, _, err = run_process(command, settings)
    assert code == 2, err
    assert err.startswith("gatepost: ")
    assert err.count("\n") == 1
    return err.removeprefix("gatepost: ").strip()


class Cli:
    """The command line on one database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.settings = {"database_url": url, "secret_key": "s" * 40}

    def __call__(self, *arguments: object, stdin: str = "", code: int = 0) -> str:
        """Run a command in this process; return its standard output, or its standard error where it must fail."""
        status, out, err = run_here(arguments, self.settings, stdin)
        assert status == code, (out, err)
        return err if code else out

    def json(self, *arguments: object) -> Any:
        return json.loads(self(*arguments, "--json"))

    def processes(self, *commands: Command) -> list[Result]:
        """Run commands as processes of their own, in parallel."""
        return run_processes(self.settings, *commands)

    def on_terminal(self, typed: str, *arguments: object) -> str:
        """Run a process on a terminal with typed input; return everything that the terminal shows."""
        ours, theirs = pty.openpty()
        command = [str(GATEPOST), *map(str, arguments)]
        variables = environment(self.settings) | {"TERM": "dumb"}
        with subprocess.Popen(command, env=variables, stdin=theirs, stdout=theirs, stderr=theirs):
            os.close(theirs)
            os.write(ours, typed.encode())
            shown = b""
            while True:
                try:
                    shown += os.read(ours, 65536)
                except OSError:
                    break
        os.close(ours)
        return shown.decode()


def _variables(settings: Settings) -> dict[str, str]:
    return {f"GATEPOST_{name.upper()}": str(value) for name, value in settings.items()}
