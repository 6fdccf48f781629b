"""The embedded PostgreSQL: real servers, and real processes that come, go and are killed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from gatepost.db.embedded import EmbeddedPostgres, running
from gatepost.db.embedded_home import ACCOUNT
from gatepost.errors import ConfigurationError

# The package without its __init__, which imports the whole service: most of such a process's time.
PACKAGE = """
import importlib.util, sys, types
from pathlib import Path
package = types.ModuleType("gatepost")
package.__path__ = importlib.util.find_spec("gatepost").submodule_search_locations
sys.modules["gatepost"] = package
"""
HOLD = f"""
{PACKAGE}
from gatepost.db.embedded import running
with running(Path(sys.argv[1])) as server:
    print(server.data, server.url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def used(open_directory: Path) -> Path:
    """A data directory whose cluster was made and stopped."""
    directory = open_directory / "used"
    with running(directory):
        pass
    return directory


def until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def postmaster(cluster: Path) -> int:
    return int((cluster / "postmaster.pid").read_text().splitlines()[0])


def family(pid: int) -> set[int]:
    """A process and its children."""
    found = {pid}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            found.add(int(entry.name))
    return found


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended may stay listed until its parent asks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def sockets_of(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def assert_gone(processes: set[int], sockets: Path) -> None:
    """Check that a server has stopped and left nothing in /tmp."""
    assert len(processes) > 1
    until(lambda: not any(alive(pid) for pid in processes), f"the end of {processes}")
    assert not sockets.exists()


def account_uid() -> int:
    """The account that runs the server."""
    return pwd.getpwnam(ACCOUNT).pw_uid if os.geteuid() == 0 else os.geteuid()


class Holder:
    """A process that uses the embedded server until it is told to leave."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(data_dir)],
            env={"PATH": os.environ["PATH"]} | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> tuple[Path, str]:
        """Wait for the server and return its cluster and address."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        data, url = line.split()
        return Path(data), url

    def leave(self) -> None:
        _, errors = self.process.communicate(timeout=30)
        assert (self.process.returncode, errors) == (0, "")

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def holding(data_dir: Path, **environment: str) -> Iterator[Holder]:
    holder = Holder(data_dir, **environment)
    try:
        yield holder
    finally:
        if holder.process.returncode is None:
            holder.kill()


async def test_a_second_start_finds_the_data_of_the_first(open_directory: Path) -> None:
    # A leftover of an interrupted first start, and a path too long for a socket's address.
    directory = open_directory / ("long" * 30)
    (directory / "postgres.new-interrupted").mkdir(parents=True)
    (directory / "postgres.new-interrupted" / "PG_VERSION").write_text("18\n")
    with running(directory) as server:
        assert server.data == directory / "postgres"
        assert not list(directory.glob("postgres.new*"))
        assert len(str(server.data)) > 107
        connection = await asyncpg.connect(server.url)
        await connection.execute("create table kept as select 42 as answer")
        await connection.close()
    with running(directory) as server:
        connection = await asyncpg.connect(server.url)
        assert await connection.fetchval("select answer from kept") == 42
        assert await connection.fetchval("show server_encoding") == "UTF8"
        await connection.close()


def test_only_its_account_reaches_the_socket_and_nobody_the_network(used: Path) -> None:
    with running(used) as server:
        sockets, pid = sockets_of(server.url), postmaster(server.data)
        processes, state = family(pid), sockets.stat()
        assert (stat.S_IMODE(state.st_mode), state.st_uid) == (0o700, account_uid())
        assert len(str(sockets / ".s.PGSQL.5432")) < 60
        listens = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
        network = {
            f"socket:[{line.split()[9]}]"
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        }
        unix = {f"socket:[{line.split()[6]}]" for line in Path("/proc/net/unix").read_text().splitlines()[1:]}
        assert listens & unix
        assert not listens & network
    assert_gone(processes, sockets)
    server.stop()


def test_two_processes_share_a_server_and_the_last_to_leave_stops_it(used: Path) -> None:
    with holding(used) as first, holding(used) as second:
        cluster, url = first.wait()
        assert second.wait() == (cluster, url)
        processes = family(postmaster(cluster))
        first.leave()
        with running(used) as third:
            assert third.url == url
            assert postmaster(cluster) in processes
        assert all(alive(pid) for pid in {postmaster(cluster)} & processes)
        second.leave()
        assert_gone(processes, sockets_of(url))


def test_a_killed_owner_leaves_a_server_that_the_next_one_takes_over_and_stops(used: Path) -> None:
    with holding(used) as owner:
        cluster, url = owner.wait()
        pid = postmaster(cluster)
        owner.kill()
    assert alive(pid)
    with running(used) as server:
        assert server.url == url
        assert postmaster(cluster) == pid
        processes = family(pid)
    assert_gone(processes, sockets_of(url))


def test_a_killed_first_start_does_not_spoil_the_next(open_directory: Path) -> None:
    directory = open_directory / "killed"
    with holding(directory) as owner:
        until(lambda: bool(list(directory.glob("postgres.new*/PG_VERSION"))), "initdb at work")
        owner.kill()
    assert not (directory / "postgres").exists()
    with running(directory) as server:
        processes = family(postmaster(server.data))
    assert_gone(processes, sockets_of(server.url))


def test_a_killed_server_is_started_again(used: Path) -> None:
    with holding(used) as owner:
        cluster, url = owner.wait()
        processes = family(postmaster(cluster))
        os.kill(postmaster(cluster), signal.SIGKILL)
        until(lambda: not any(alive(pid) for pid in processes), "the server's children to follow it")
        with running(used) as server:
            assert server.url != url
            assert not sockets_of(url).exists()
            assert postmaster(cluster) not in processes
            owner.leave()
            assert alive(postmaster(cluster))


def test_a_pid_file_of_before_a_reboot_names_some_other_process(used: Path) -> None:
    identity = {"user": account_uid()} if os.geteuid() == 0 else {}
    leftover = Path(tempfile.mkdtemp(prefix="gatepost-", dir="/tmp"))
    os.chown(leftover, account_uid(), -1)
    with subprocess.Popen(["sleep", "60"], **identity) as stranger:  # type: ignore[call-overload]
        pid_file = used / "postgres" / "postmaster.pid"
        lines = [str(stranger.pid), str(used / "postgres"), "1790000000", "5432", str(leftover), "", "1 1", "ready"]
        pid_file.write_text("\n".join(lines) + "\n")
        with running(used) as server:
            assert postmaster(server.data) != stranger.pid
            assert stranger.poll() is None
            assert not leftover.exists()
        stranger.kill()


@pytest.mark.parametrize("content", ["", "\0\0\0\0", "12\n"])
def test_a_pid_file_that_a_power_cut_spoilt_is_no_hindrance(used: Path, content: str) -> None:
    (used / "postgres" / "postmaster.pid").write_text(content)
    with running(used) as server:
        assert alive(postmaster(server.data))


def test_a_copy_of_a_running_data_directory_gets_a_server_of_its_own(used: Path, open_directory: Path) -> None:
    copy = open_directory / "copy"
    subprocess.run(["cp", "-a", used, copy], check=True)
    with running(used) as original:
        pid = postmaster(original.data)
        shutil.copy(original.data / "postmaster.pid", copy / "postgres")
        with running(copy) as server:
            assert server.url != original.url
            assert postmaster(server.data) != pid
        assert alive(pid)
        assert sockets_of(original.url).exists()


def test_several_first_starts_at_once_make_one_cluster(open_directory: Path) -> None:
    with ExitStack() as stack:
        holders = [stack.enter_context(holding(open_directory / "many")) for _ in range(3)]
        found = {holder.wait() for holder in holders}
        assert len(found) == 1
        cluster, url = found.pop()
        processes = family(postmaster(cluster))
        for holder in holders:
            assert alive(postmaster(cluster))
            holder.leave()
        assert_gone(processes, sockets_of(url))


def refusal(data_dir: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        EmbeddedPostgres.start(data_dir)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_cluster_of_another_major_version_is_left_alone(used: Path) -> None:
    version = used / "postgres" / "PG_VERSION"
    real = version.read_text()
    version.write_text("14\n")
    try:
        message = refusal(used)
    finally:
        version.write_text(real)
    assert f"{used / 'postgres'} was made by PostgreSQL 14, the one installed is {real.strip()}" in message


def test_a_file_in_the_place_of_the_data_directory_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert refusal(tmp_path / "file").startswith(f"GATEPOST_DATA_DIR: {tmp_path / 'file'} cannot be used: ")
