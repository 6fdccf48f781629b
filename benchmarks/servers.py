"""Start what is measured: each app in its own uvicorn process on one core, and the database they share."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from gatepost.db import embedded
from gatepost.db.migrations import migrate

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parent
_PEERS = _ROOT / ".venv-bench"
_LOCK = _ROOT / "requirements" / "bench.txt"
_START_SECONDS = 30
_OPTIONS = [
    "--loop",
    "uvloop",
    "--http",
    "httptools",
    "--no-access-log",
    "--log-level",
    "warning",
    "--no-proxy-headers",
]


def peer_python() -> str:
    """Return the Python of the peers' virtual environment; create it if it is missing or older than its lock file."""
    python, stamp = _PEERS / "bin" / "python", _PEERS / ".installed"
    if not stamp.exists() or stamp.stat().st_mtime < _LOCK.stat().st_mtime:
        print(f"Installing the peers into {_PEERS.name}…", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", _PEERS], check=True)
        pip: list[str | Path] = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--require-hashes", "--requirement", _LOCK], check=True)
        stamp.touch()
    return str(python)


@contextmanager
def database() -> Iterator[embedded.EmbeddedPostgres]:
    """Run a migrated database for the length of a block, and remove its data."""
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as directory:
        Path(directory).chmod(0o755)
        with embedded.running(Path(directory)) as server:
            try:
                asyncio.run(migrate(server.url))
                yield server
            finally:
                server.stop()
                # As root the data may be outside the directory: see the embedded database.
                shutil.rmtree(server.data.parent, ignore_errors=True)


@contextmanager
def serving(app: str, python: str, database_url: str, core: int) -> Iterator[str]:
    """Serve an app of `apps/` on one core for the length of a block. Yields its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [python, "-m", "uvicorn", f"{app}:app", "--app-dir", str(_HERE / "apps"), "--port", str(port), *_OPTIONS],
        env=_environment(database_url),
        start_new_session=True,
    )
    try:
        os.sched_setaffinity(process.pid, {core})
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(app, process, url)
        yield url
    finally:
        _stop(process)


def _environment(database_url: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GATEPOST_", "PYTHON"))}
    return {**inherited, "GATEPOST_DATABASE_URL": database_url, "GATEPOST_SECRET_KEY": "benchmark" * 4}


def _wait_until_ready(app: str, process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/open").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{app} did not start within {_START_SECONDS} seconds.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
