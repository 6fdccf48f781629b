"""The embedded PostgreSQL: its processes, and processes of ours that use it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.processes import children, is_running
from tests.support.waiting import wait_until

# Imports the package without its __init__, which imports the whole service: most of such a process's time.
BARE_PACKAGE = """
import importlib.util, sys, types
from pathlib import Path
package = types.ModuleType("gatepost")
package.__path__ = importlib.util.find_spec("gatepost").submodule_search_locations
sys.modules["gatepost"] = package
"""
_RUN_UNTIL_STDIN_CLOSES = f"""
{BARE_PACKAGE}
from gatepost.db.embedded import running
with running(Path(sys.argv[1])) as server:
    print(server.data, server.url, flush=True)
    sys.stdin.read()
"""


def postmaster(cluster: Path) -> int:
    """Return the process id of the server of a cluster."""
    return int((cluster / "postmaster.pid").read_text().splitlines()[0])


def server_processes(cluster: Path) -> set[int]:
    """Return the process ids of the server of a cluster and of its children."""
    pid = postmaster(cluster)
    return {pid} | children(pid)


def socket_directory(url: str) -> Path:
    """Return the directory of the socket that a URL names."""
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def assert_stopped(processes: set[int], sockets: Path) -> None:
    """Check that a server stops and leaves nothing in /tmp."""
    assert len(processes) > 1
    wait_until(lambda: not any(is_running(pid) for pid in processes), f"the end of {processes}")
    assert not sockets.exists()


class ClientProcess:
    """A process that uses the embedded server until it is stopped."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _RUN_UNTIL_STDIN_CLOSES, str(data_dir)],
            env={"PATH": os.environ["PATH"]} | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for_server(self) -> tuple[Path, str]:
        """Wait until the server runs; return its cluster and its URL."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        data, url = line.split()
        return Path(data), url

    def stop(self) -> None:
        _, errors = self.process.communicate(timeout=30)
        assert (self.process.returncode, errors) == (0, "")

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def client_process(data_dir: Path, **environment: str) -> Iterator[ClientProcess]:
    """Start a process that uses the embedded server of a data directory; kill it if it still runs at the end."""
    client = ClientProcess(data_dir, **environment)
    try:
        yield client
    finally:
        if client.process.returncode is None:
            client.kill()
