"""The embedded PostgreSQL: shared by processes, and started again after kills and crashes."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import pytest

from gatepost.db.embedded import SERVICE_USER, EmbeddedPostgres, running
from gatepost.errors import ConfigurationError
from tests.support.embedded import (
    assert_stopped,
    client_process,
    postmaster,
    server_processes,
    socket_directory,
)
from tests.support.processes import is_running
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def existing_data(open_directory: Path) -> Path:
    """A data directory with a cluster that is not running."""
    directory = open_directory / "existing"
    with running(directory):
        pass
    return directory


def service_user_uid() -> int:
    """Return the user id that the server runs as."""
    return pwd.getpwnam(SERVICE_USER).pw_uid if os.geteuid() == 0 else os.geteuid()


async def test_a_second_start_uses_the_data_of_the_first(open_directory: Path) -> None:
    # A remnant of an interrupted first start, and a path that is too long for a socket.
    directory = open_directory / ("long" * 30)
    (directory / "postgres.new-interrupted").mkdir(parents=True)
    (directory / "postgres.new-interrupted" / "PG_VERSION").write_text("18\n")
    with running(directory) as server:
        assert server.data == directory / "postgres"
        assert not list(directory.glob("postgres.new*"))
        assert len(str(server.data)) > 107
        connection = await asyncpg.connect(server.url)
        await connection.execute("create table stored as select 42 as answer")
        await connection.close()
    with running(directory) as server:
        connection = await asyncpg.connect(server.url)
        assert await connection.fetchval("select answer from stored") == 42
        assert await connection.fetchval("show server_encoding") == "UTF8"
        await connection.close()


def test_only_its_user_can_use_the_socket_and_no_port_is_open(existing_data: Path) -> None:
    with running(existing_data) as server:
        sockets, pid = socket_directory(server.url), postmaster(server.data)
        processes, state = server_processes(server.data), sockets.stat()
        assert (stat.S_IMODE(state.st_mode), state.st_uid) == (0o700, service_user_uid())
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
    assert_stopped(processes, sockets)
    server.stop()


def test_processes_share_a_server_and_the_last_one_stops_it(existing_data: Path) -> None:
    with client_process(existing_data) as first, client_process(existing_data) as second:
        cluster, url = first.wait_for_server()
        assert second.wait_for_server() == (cluster, url)
        processes = server_processes(cluster)
        first.stop()
        with running(existing_data) as third:
            assert third.url == url
            assert postmaster(cluster) in processes
        assert postmaster(cluster) in processes
        assert is_running(postmaster(cluster))
        second.stop()
        assert_stopped(processes, socket_directory(url))


def test_the_server_of_a_killed_process_is_taken_over_and_stopped_by_the_next(existing_data: Path) -> None:
    with client_process(existing_data) as client:
        cluster, url = client.wait_for_server()
        pid = postmaster(cluster)
        client.kill()
    assert is_running(pid)
    with running(existing_data) as server:
        assert server.url == url
        assert postmaster(cluster) == pid
        processes = server_processes(server.data)
    assert_stopped(processes, socket_directory(url))


def test_a_first_start_that_was_killed_is_repeated(open_directory: Path) -> None:
    directory = open_directory / "killed"
    with client_process(directory) as client:
        wait_until(lambda: bool(list(directory.glob("postgres.new*/PG_VERSION"))), "initdb to run")
        client.kill()
    assert not (directory / "postgres").exists()
    with running(directory) as server:
        processes = server_processes(server.data)
    assert_stopped(processes, socket_directory(server.url))


def test_a_killed_server_is_started_again(existing_data: Path) -> None:
    with client_process(existing_data) as client:
        cluster, url = client.wait_for_server()
        processes = server_processes(cluster)
        os.kill(postmaster(cluster), signal.SIGKILL)
        wait_until(lambda: not any(is_running(pid) for pid in processes), "the server's children to follow it")
        with running(existing_data) as server:
            assert server.url != url
            assert not socket_directory(url).exists()
            assert postmaster(cluster) not in processes
            client.stop()
            assert is_running(postmaster(cluster))


def test_a_pid_file_from_before_a_reboot_that_names_another_process_is_ignored(existing_data: Path) -> None:
    identity = {"user": service_user_uid()} if os.geteuid() == 0 else {}
    leftover = Path(tempfile.mkdtemp(prefix="gatepost-", dir="/tmp"))
    os.chown(leftover, service_user_uid(), -1)
    with subprocess.Popen(["sleep", "60"], **identity) as other_process:  # type: ignore[call-overload]
        pid_file = existing_data / "postgres" / "postmaster.pid"
        lines = [
            str(other_process.pid),
            str(existing_data / "postgres"),
            "1790000000",
            "5432",
            str(leftover),
            "",
            "1 1",
            "ready",
        ]
        pid_file.write_text("\n".join(lines) + "\n")
        with running(existing_data) as server:
            assert postmaster(server.data) != other_process.pid
            assert other_process.poll() is None
            assert not leftover.exists()
        other_process.kill()


@pytest.mark.parametrize("content", ["", "\0\0\0\0", "12\n"])
def test_a_damaged_pid_file_is_ignored(existing_data: Path, content: str) -> None:
    (existing_data / "postgres" / "postmaster.pid").write_text(content)
    with running(existing_data) as server:
        assert is_running(postmaster(server.data))


def test_a_copy_of_a_running_data_directory_has_a_server_of_its_own(existing_data: Path, open_directory: Path) -> None:
    copy = open_directory / "copy"
    subprocess.run(["cp", "-a", existing_data, copy], check=True)
    with running(existing_data) as original:
        pid = postmaster(original.data)
        shutil.copy(original.data / "postmaster.pid", copy / "postgres")
        with running(copy) as server:
            assert server.url != original.url
            assert postmaster(server.data) != pid
        assert is_running(pid)
        assert socket_directory(original.url).exists()


def test_concurrent_first_starts_create_one_cluster(open_directory: Path) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(client_process(open_directory / "many")) for _ in range(3)]
        found = {client.wait_for_server() for client in clients}
        assert len(found) == 1
        cluster, url = found.pop()
        processes = server_processes(cluster)
        for client in clients:
            assert is_running(postmaster(cluster))
            client.stop()
        assert_stopped(processes, socket_directory(url))


def start_error(data_dir: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        EmbeddedPostgres.start(data_dir)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_cluster_of_another_major_version_is_rejected(existing_data: Path) -> None:
    version = existing_data / "postgres" / "PG_VERSION"
    real = version.read_text()
    version.write_text("14\n")
    try:
        message = start_error(existing_data)
    finally:
        version.write_text(real)
    assert (
        f"{existing_data / 'postgres'} was created by PostgreSQL 14, but PostgreSQL {real.strip()} is installed"
        in message
    )


def test_a_data_directory_that_is_a_file_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert start_error(tmp_path / "file").startswith(f"GATEPOST_DATA_DIR: {tmp_path / 'file'} cannot be used: ")
