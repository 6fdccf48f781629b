"""Run every check of `make check`, two at a time, and fail with a summary that names the fix of each failure."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "apps" / "web"
_BIN = Path(sys.executable).parent
_WEB_BIN = WEB / "node_modules" / ".bin"


@dataclass(frozen=True)
class Check:
    """A command that passes with exit status 0, and how to fix a failure."""

    name: str
    command: tuple[str | Path, ...]
    fix: str
    directory: Path = ROOT


@dataclass(frozen=True)
class Result:
    """The outcome of a check."""

    check: Check
    passed: bool
    output: str
    seconds: float


# The slowest first, which keeps all processors busy until the end.
CHECKS = (
    Check("mypy", (_BIN / "mypy",), "fix the types; `.venv/bin/mypy` shows the errors again"),
    Check("generated files", (sys.executable, "tools/generate.py", "--check"), "run `make generate`"),
    Check(
        "tsc",
        (_WEB_BIN / "tsc", "--noEmit"),
        "fix the types; `npm --prefix apps/web run check` shows the errors again",
        WEB,
    ),
    Check("biome", (_WEB_BIN / "biome", "check"), "run `make format`, then fix by hand what is left", WEB),
    Check(
        "import rules",
        (_BIN / "lint-imports",),
        "import only from the layers below: ARCHITECTURE.md and [tool.importlinter] in pyproject.toml list them",
    ),
    Check(
        "bandit",
        (_BIN / "bandit", "--quiet", "--recursive", "apps/api/gatepost", "--configfile", "pyproject.toml"),
        "fix the finding, or mark the line with `# nosec` and the reason",
    ),
    Check("ruff format", (_BIN / "ruff", "format", "--check"), "run `make format`"),
    Check("ruff check", (_BIN / "ruff", "check"), "run `make format`, then fix by hand what is left"),
    Check("lock files", (sys.executable, "tools/lock.py", "--check"), "run `make lock`"),
    Check(
        "bundle sizes",
        ("node", "scripts/size.mjs"),
        "load less at first (import lazily), or raise the budget in apps/web/scripts/size.mjs and give the reason",
        WEB,
    ),
)


def main() -> int:
    """Run all checks; return 1 if one fails."""
    print(f"Running {len(CHECKS)} checks…", flush=True)
    failed = []
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for done in as_completed([threads.submit(run, check) for check in CHECKS]):
            result = done.result()
            report(result)
            if not result.passed:
                failed.append(result.check)
    if failed:
        print(f"\n{len(failed)} of {len(CHECKS)} checks failed:")
        for check in failed:
            print(f"  {check.name:16} {check.fix}")
    return 1 if failed else 0


def run(check: Check) -> Result:
    """Run one check."""
    began = time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603
            check.command,
            cwd=check.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        passed, output = done.returncode == 0, done.stdout
    except OSError as error:
        passed, output = False, f"{check.command[0]} cannot be run: {error.strerror}\n"
    return Result(check, passed, output, time.monotonic() - began)


def report(result: Result) -> None:
    """Print one line for a check that passed, and its output too for one that failed."""
    print(f"{'ok    ' if result.passed else 'FAILED'}  {result.check.name:16} {result.seconds:5.1f} s", flush=True)
    if not result.passed:
        print(result.output.rstrip() + "\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
