"""`gatepost serve` as a process: signals, its embedded database, and errors of one line."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gatepost.errors import ConfigurationError
from tests.support import PASSWORD, running_service
from tests.support.cli import (
    GATEPOST,
    configuration_error,
    in_parallel,
    run_here,
    started_process,
    wait_for_exit,
)
from tests.support.embedded import assert_stopped, postmaster, server_processes
from tests.support.waiting import wait_until

SERVE = ("serve", "--port", 0)
ADA = {"email": "ada@example.com", "password": PASSWORD}


@pytest.fixture(scope="module")
def data(open_directory: Path) -> Path:
    """The data directory that these tests share; each of them leaves it without a running server."""
    return open_directory / "cli"


@contextmanager
def running_serve(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `gatepost serve` on a free port; yield the process and the URL."""
    with started_process(SERVE, {"data_dir": data}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Embedded PostgreSQL in {data / 'postgres'}\n"
        line = process.stdout.readline()
        assert line.startswith("Gatepost listens on http://127.0.0.1:")
        yield process, line.split()[-1]


def database_of(data: Path) -> tuple[set[int], Path]:
    """Return the process ids of the running database and the directory of its socket."""
    cluster = data / "postgres"
    return server_processes(cluster), Path((cluster / "postmaster.pid").read_text().splitlines()[4])


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_service_and_its_database(data: Path, ending: signal.Signals) -> None:
    with running_serve(data) as (process, url):
        assert httpx.get(f"{url}/healthz").status_code == 200
        servers, sockets = database_of(data)
        process.send_signal(ending)
        code, out, err = wait_for_exit(process)
        assert (code, out) == (0, "")
        assert [line for line in err.splitlines() if "/healthz" not in line] == []
        assert_stopped(servers, sockets)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_repeated_signals_do_not_leave_the_database_running(data: Path, ending: signal.Signals) -> None:
    with running_serve(data) as (process, _):
        servers, sockets = database_of(data)

        def has_exited() -> bool:
            # To the whole process group, as a terminal does.
            os.killpg(process.pid, ending)
            return process.poll() is not None

        wait_until(has_exited, "the end of the service")
        assert_stopped(servers, sockets)
        _, _, err = wait_for_exit(process)
        assert "Traceback" not in err


def test_a_signal_while_the_database_starts_leaves_none_running(data: Path) -> None:
    pid_file = data / "postgres" / "postmaster.pid"
    with started_process(SERVE, {"data_dir": data}) as process:
        wait_until(pid_file.exists, "the start of the database")
        process.terminate()
        code, out, err = wait_for_exit(process)
    assert code != 0
    assert "listens" not in out
    assert "Traceback" not in err
    assert not pid_file.exists()


def test_under_nohup_sighup_stays_ignored(data: Path) -> None:
    script = f'trap "" HUP; exec "{GATEPOST}" serve --port 0'
    environment = {"PATH": os.environ["PATH"], "GATEPOST_DATA_DIR": str(data)}
    with subprocess.Popen(["/bin/sh", "-c", script], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        wait_until(lambda: "listens" in process.stdout.readline(), "the service")  # type: ignore[union-attr]
        status = Path(f"/proc/{process.pid}/status").read_text()
        ignored = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn")), 16)
        process.terminate()
    assert ignored & 1 << (signal.SIGHUP - 1)


def test_after_a_kill_the_next_serve_takes_over_the_database(data: Path) -> None:
    with running_serve(data) as (process, url):
        assert httpx.post(f"{url}/v1/auth/register", json=ADA).status_code == 201
        process.kill()
        wait_for_exit(process)
    servers, sockets = database_of(data)
    with running_serve(data) as (process, url):
        assert postmaster(data / "postgres") in servers
        assert httpx.post(f"{url}/v1/auth/login", json=ADA).status_code == 200
        process.terminate()
        assert wait_for_exit(process)[0] == 0
    assert_stopped(servers, sockets)
    assert stat.S_IMODE((data / "secret_key").stat().st_mode) == 0o600


def test_a_port_in_use_is_an_error_of_one_line(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        message = configuration_error(("serve", "--port", port), {"data_dir": data})
    assert message == f"GATEPOST_PORT: cannot listen on 127.0.0.1 port {port}: Address already in use"


def test_an_invalid_host_is_an_error_of_one_line(data: Path) -> None:
    # An address of TEST-NET-3 (RFC 5737), which no machine has, and a name that is too long.
    hosts = ["203.0.113.9", "x" * 70]
    messages = in_parallel(lambda host: configuration_error((*SERVE, "--host", host), {"data_dir": data}), hosts)
    for host, message in zip(hosts, messages, strict=True):
        assert message.startswith("GATEPOST_HOST: ")
        assert host in message


def test_an_invalid_setting_is_an_error_of_one_line_that_names_it() -> None:
    invalid = {
        "max_sessions": "0",
        "idle_timeout": "soon",
        "revocation": "maybe",
        "port": "eighty",
        "database_url": "mysql://ada:hunter2@127.0.0.1/db",
        "session_webhook_secret": "whsec_hunter2",
        "environment": "production",
    }
    messages = {}
    for name, value in invalid.items():
        # Every command reads the settings in the same way.
        with pytest.raises(ConfigurationError) as caught:
            run_here(("migrate",), {name: value})
        messages[name] = str(caught.value)
    messages["port"] = configuration_error(("migrate",), {"port": invalid["port"]})

    for name, message in messages.items():
        # In production the missing secret is the error.
        expected = "SECRET_KEY: is required in production" if name == "environment" else name.upper()
        assert message.startswith(f"GATEPOST_{expected}: ")
        assert "hunter2" not in message
        assert "\n" not in message


def test_an_unreachable_database_is_an_error_of_one_line_without_the_password(data: Path) -> None:
    unreachable = "postgresql://ada:hunter2@127.0.0.1:1/db"
    cases = [
        (unreachable, "cannot open the database"),
        ("postgresql://ada:hunter2@[::1]:1,127.0.0.1:1/db?sslmode=perhaps", "cannot open the database"),
        ("postgresql://ada:hunter#2@127.0.0.1/db", "in a password write / ? # @ % as"),
        ("postgresql://ada:hunter?2@127.0.0.1/db", "in a password write / ? # @ % as"),
        ("postgresql://ada:hunter2@[::1/db", "must be like postgresql://user:password@host"),
        ("postgresql://ada:hunter2", "must be like postgresql://user:password@host"),
        ("postgresql://ada:hunter2@127.0.0.1:99999/db", "must be like postgresql://user:password@host"),
        ("postgresql://ada:hunter2@127.0.0.1,/db", "must be like postgresql://user:password@host"),
    ]
    messages = []
    for url, text in cases:
        with pytest.raises(ConfigurationError) as caught:
            run_here(("migrate",), {"database_url": url})
        messages.append((str(caught.value), text))
    by_process = in_parallel(
        lambda command: configuration_error(command, {"database_url": unreachable, "data_dir": data}),
        [("migrate",), SERVE],
    )
    messages += [(message, "cannot open the database") for message in by_process]

    for message, text in messages:
        assert message.startswith("GATEPOST_DATABASE_URL: ")
        assert text in message
        assert "hunter" not in message
        assert "\n" not in message


async def test_another_secret_key_than_the_databases_is_an_error_of_one_line(database_url: str) -> None:
    async with running_service(database_url):
        pass
    message = configuration_error(SERVE, {"database_url": database_url, "secret_key": "another " * 5})
    assert message.startswith("GATEPOST_SECRET_KEY: has none of the keys")
