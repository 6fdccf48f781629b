"""Commands of `gatepost` on a database: within this process, or as processes, which take a second each to start."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from typer.testing import CliRunner

import gatepost
from gatepost.cli import app
from tests.test_cli import GATEPOST

Command = Sequence[object]
# Exit status, standard output, standard error.
Ended = tuple[int, str, str]
# Without their GATEPOST_.
Settings = Mapping[str, object]


def environment(settings: Settings) -> dict[str, str]:
    """An environment of nothing else for a process, narrow, so that what is cut on a narrow screen shows."""
    # The code under test, wherever it lies.
    code = str(Path(gatepost.__file__).parents[1])
    return {"PATH": os.environ["PATH"], "PYTHONPATH": code, "COLUMNS": "40", **_variables(settings)}


def run_here(command: Command, settings: Settings, stdin: str = "") -> Ended:
    """Run a command in this process. What is for `main` to turn into one line and exit status 2 is raised."""
    arguments = [str(argument) for argument in command]
    result = CliRunner().invoke(app, arguments, input=stdin, env=_variables(settings), catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def run_process(command: Command, settings: Settings, stdin: str = "") -> Ended:
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


def run_processes(settings: Settings, *commands: Command) -> list[Ended]:
    """Run processes that do not depend on each other, as many at a time as there are processors."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(lambda command: run_process(command, settings), commands))


def _variables(settings: Settings) -> dict[str, str]:
    return {f"GATEPOST_{name.upper()}": str(value) for name, value in settings.items()}
