"""The command line as a stranger meets it: real processes, real signals, every line read."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import asyncpg
import httpx
import pytest

from gatepost.db.migrations import load
from tests.support import PASSWORD, running_service
from tests.test_embedded import assert_gone, family, postmaster, until

GATEPOST = Path(sys.executable).with_name("gatepost")
T = TypeVar("T")
SERVE = ("serve", "--port", 0)
PERSON = {"email": "ada@example.com", "password": PASSWORD}


@pytest.fixture(scope="module")
def data(open_directory: Path) -> Path:
    """The data directory that these tests share; each leaves it with no server running."""
    return open_directory / "cli"


@contextmanager
def started(*arguments: object, **environment: object) -> Iterator[subprocess.Popen[str]]:
    """A process of `gatepost` with an environment of nothing else; whatever happens, it ends with the block."""
    process = subprocess.Popen(
        [GATEPOST, *map(str, arguments)],
        env={"PATH": os.environ["PATH"], "COLUMNS": "100"} | {name: str(value) for name, value in environment.items()},
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


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def gatepost(*arguments: object, **environment: object) -> tuple[int, str, str]:
    with started(*arguments, **environment) as process:
        return finish(process)


def refusal(*arguments: object, **environment: object) -> str:
    """The one line with which a command refuses; what it printed before is of no interest."""
    code, _, err = gatepost(*arguments, **environment)
    assert code == 2, err
    assert err.startswith("gatepost: ")
    assert err.count("\n") == 1
    return err.removeprefix("gatepost: ").strip()


def at_once(refused: Callable[[T], str], cases: Iterable[T]) -> list[str]:
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(refused, cases))


@contextmanager
def serving(data: Path, **environment: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service on a free port, with its address."""
    with started(*SERVE, GATEPOST_DATA_DIR=data, **environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Embedded PostgreSQL in {data / 'postgres'}\n"
        line = process.stdout.readline()
        assert line.startswith("Gatepost listens on http://127.0.0.1:")
        yield process, line.split()[-1]


def socket_directory(cluster: Path) -> Path:
    return Path((cluster / "postmaster.pid").read_text().splitlines()[4])


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_serve_answers_and_a_signal_ends_it_and_its_database(data: Path, ending: signal.Signals) -> None:
    with serving(data) as (process, url):
        assert httpx.get(f"{url}/healthz").status_code == 200
        cluster = data / "postgres"
        servers, sockets = family(postmaster(cluster)), socket_directory(cluster)
        process.send_signal(ending)
        code, out, err = finish(process)
        assert (code, out) == (0, "")
        assert [line for line in err.splitlines() if "/healthz" not in line] == []
        assert_gone(servers, sockets)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_impatience_does_not_leave_the_database_behind(data: Path, ending: signal.Signals) -> None:
    with serving(data) as (process, _):
        servers, sockets = family(postmaster(data / "postgres")), socket_directory(data / "postgres")

        def ended() -> bool:
            # To the whole group, as a terminal does.
            os.killpg(process.pid, ending)
            return process.poll() is not None

        until(ended, "the end of the service")
        assert_gone(servers, sockets)
        _, _, err = finish(process)
        assert "Traceback" not in err


def test_a_signal_while_the_database_starts_leaves_none_behind(data: Path) -> None:
    pid_file = data / "postgres" / "postmaster.pid"
    with started(*SERVE, GATEPOST_DATA_DIR=data) as process:
        until(pid_file.exists, "the start of the database")
        process.terminate()
        code, out, err = finish(process)
    assert code != 0
    assert "listens" not in out
    assert "Traceback" not in err
    assert not pid_file.exists()


def test_under_nohup_the_terminal_may_go(data: Path) -> None:
    script = f'trap "" HUP; exec "{GATEPOST}" serve --port 0'
    environment = {"PATH": os.environ["PATH"], "GATEPOST_DATA_DIR": str(data)}
    with subprocess.Popen(["/bin/sh", "-c", script], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        until(lambda: "listens" in process.stdout.readline(), "the service")  # type: ignore[union-attr]
        status = Path(f"/proc/{process.pid}/status").read_text()
        ignored = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn")), 16)
        process.terminate()
    assert ignored & 1 << (signal.SIGHUP - 1)


def test_after_a_kill_the_next_serve_takes_up_the_same_data(data: Path) -> None:
    with serving(data) as (process, url):
        assert httpx.post(f"{url}/v1/auth/register", json=PERSON).status_code == 201
        process.kill()
        finish(process)
    servers, sockets = family(postmaster(data / "postgres")), socket_directory(data / "postgres")
    with serving(data) as (process, url):
        assert postmaster(data / "postgres") in servers
        assert httpx.post(f"{url}/v1/auth/login", json=PERSON).status_code == 200
        process.terminate()
        assert finish(process)[0] == 0
    assert_gone(servers, sockets)
    assert stat.S_IMODE((data / "secret_key").stat().st_mode) == 0o600


def test_a_taken_port_is_one_line(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        message = refusal("serve", "--port", port, GATEPOST_DATA_DIR=data)
    assert message == f"GATEPOST_PORT: cannot listen on 127.0.0.1 port {port}: Address already in use"


def test_a_host_that_is_none_is_one_line(data: Path) -> None:
    # TEST-NET-3 (RFC 5737): nobody has this address.
    def refused(host: str) -> str:
        return refusal(*SERVE, "--host", host, GATEPOST_DATA_DIR=data)

    hosts = ["203.0.113.9", "x" * 70]
    for host, message in zip(hosts, at_once(refused, hosts), strict=True):
        assert message.startswith("GATEPOST_HOST: ")
        assert host in message


def test_a_wrong_setting_is_one_line_that_names_it() -> None:
    wrong = {
        "MAX_SESSIONS": "0",
        "IDLE_TIMEOUT": "soon",
        "REVOCATION": "maybe",
        "PORT": "eighty",
        "DATABASE_URL": "mysql://ada:hunter2@127.0.0.1/db",
        "SESSION_WEBHOOK_SECRET": "whsec_hunter2",
        "ENVIRONMENT": "production",
    }

    def refused(setting: str) -> str:
        # Every command reads them alike; this one starts the fastest.
        return refusal("migrate", **{f"GATEPOST_{setting}": wrong[setting]})

    for setting, message in zip(wrong, at_once(refused, wrong), strict=True):
        # In production what is missing is the secret.
        at_fault = "SECRET_KEY: is required in production" if setting == "ENVIRONMENT" else setting
        assert message.startswith(f"GATEPOST_{at_fault}: ")
        assert "hunter2" not in message


def test_a_database_that_cannot_be_reached_is_one_line_without_the_password(data: Path) -> None:
    cases = [
        ("postgresql://ada:hunter2@127.0.0.1:1/db", "cannot open the database"),
        ("postgresql://ada:hunter2@127.0.0.1:1/db", "cannot open the database"),
        ("postgresql://ada:hunter2@127.0.0.1:1,[::1]:1/db?sslmode=perhaps", "cannot open the database"),
        ("postgresql://ada:hunter#2@127.0.0.1/db", "in a password write / ? # @ as"),
        ("postgresql://ada:hunter?2@127.0.0.1/db", "in a password write / ? # @ as"),
        ("postgresql://ada:hunter2", "must be like postgresql://user:password@host"),
        ("postgresql://ada:hunter2@127.0.0.1:99999/db", "must be like postgresql://user:password@host"),
        ("postgresql://ada:hunter2@127.0.0.1,/db", "must be like postgresql://user:password@host"),
    ]

    def refused(number: int) -> str:
        # In turn by each command.
        command = (["migrate"], SERVE)[number % 2]
        return refusal(*command, GATEPOST_DATABASE_URL=cases[number][0], GATEPOST_DATA_DIR=data)

    for (_, told), message in zip(cases, at_once(refused, range(len(cases))), strict=True):
        assert message.startswith("GATEPOST_DATABASE_URL: ")
        assert told in message
        assert "hunter" not in message


async def test_another_secret_key_than_the_databases_is_one_line(database_url: str) -> None:
    async with running_service(database_url):
        pass
    message = refusal(*SERVE, GATEPOST_DATABASE_URL=database_url, GATEPOST_SECRET_KEY="another " * 5)
    assert message.startswith("GATEPOST_SECRET_KEY: is not the one")


async def test_migrate_then_seed_and_both_again(empty_database: str, data: Path) -> None:
    chosen = {"GATEPOST_DATABASE_URL": empty_database, "GATEPOST_DATA_DIR": data}
    for message in at_once(lambda command: refusal(*command, **chosen), (SERVE, ["seed"])):
        assert "run `gatepost migrate` first" in message
    code, out, err = gatepost("migrate", **chosen)
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["applied"] * len(load())
    assert gatepost("migrate", **chosen) == (0, "The schema is up to date.\n", "")

    signs = "Demo sign-in: demo@example.com / gatepost-demo\nAdmin sign-in: admin@example.com / gatepost-admin\n"
    for _ in range(2):
        assert gatepost("seed", **chosen) == (0, signs, "")
        connection = await asyncpg.connect(empty_database)
        people = await connection.fetch("select email, role from gatepost.users")
        assert {tuple(row) for row in people} == {("admin@example.com", "admin"), ("demo@example.com", "user")}
        assert await connection.fetchval("select count(*) from gatepost.sessions") == 2
        await connection.close()


def test_demo_data_is_refused_in_production() -> None:
    mail = {"GATEPOST_MAIL_TRANSPORT": "smtp", "GATEPOST_SMTP_URL": "smtp://host", "GATEPOST_MAIL_FROM": "a@acme.com"}
    mail["GATEPOST_PUBLIC_URL"] = "https://acme.com"
    message = refusal("seed", GATEPOST_ENVIRONMENT="production", GATEPOST_SECRET_KEY="s" * 32, **mail)
    assert message.startswith("GATEPOST_ENVIRONMENT: is production")


def test_migrations_are_copied_once_and_over_nothing(tmp_path: Path) -> None:
    code, out, err = gatepost("migrations", "copy", tmp_path)
    assert (code, err) == (0, "")
    files = sorted(tmp_path.iterdir())
    assert out == "".join(f"copied {path}\n" for path in files)
    assert len(files) > 1
    assert gatepost("migrations", "copy", tmp_path)[0] == 0
    assert sorted(tmp_path.iterdir()) == files

    files[0].unlink()
    files[-1].write_text("select 'mine';")
    assert refusal("migrations", "copy", tmp_path).startswith(f"{files[-1]}: is there already")
    assert files[-1].read_text() == "select 'mine';"
    assert not files[0].exists()
    assert refusal("migrations", "copy", tmp_path / "none").startswith(f"{tmp_path / 'none'}: is no folder")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("", ["Run the service", "Apply pending migrations", "Make the demo data", "The SQL files"]),
        ("serve", ["Run the service", "--host", "GATEPOST_HOST", "--port", "GATEPOST_PORT"]),
        ("migrations copy", ["Supabase CLI", "folder"]),
    ],
)
def test_every_command_says_what_it_does(command: str, told: list[str]) -> None:
    code, out, err = gatepost(*command.split(), "--help")
    assert (code, err) == (0, "")
    for words in told:
        assert words in out
