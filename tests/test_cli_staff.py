"""What staff do from a shell, on one database; by real processes, what only those show."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from gatepost.cli import output
from gatepost.cli.demo import ADMIN, PERSON
from tests.shell import Command, Ended, environment, run_here, run_process, run_processes
from tests.test_cli import GATEPOST

NO_TERMINAL = "gatepost: there is no terminal to ask on: say --yes\n"


class Shell:
    """A shell on a seeded database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.settings = {"database_url": url, "secret_key": "s" * 40}

    def __call__(self, *arguments: object, stdin: str = "", code: int = 0) -> str:
        """Give a command; return its standard output, or where it fails its standard error."""
        ended, out, err = run_here(arguments, self.settings, stdin)
        assert ended == code, (out, err)
        return err if code else out

    def json(self, *arguments: object) -> Any:
        return json.loads(self(*arguments, "--json"))

    def processes(self, *commands: Command) -> list[Ended]:
        return run_processes(self.settings, *commands)


@pytest.fixture(scope="module")
def seeded(server_url: str) -> str:
    """The name of a database with the demo data, which each test copies."""
    asyncio.run(_execute(server_url, "create database seeded template gatepost_template"))
    Shell(server_url.replace("/postgres?", "/seeded?"))("seed")
    return "seeded"


@pytest.fixture
def shell(server_url: str, seeded: str) -> Iterator[Shell]:
    asyncio.run(_execute(server_url, f"create database staff template {seeded}"))
    yield Shell(server_url.replace("/postgres?", "/staff?"))
    asyncio.run(_execute(server_url, "drop database staff with (force)"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def _audit(url: str) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("select * from gatepost.audit_log where actor = 'shell' order by id")
    await connection.close()
    return [{**row, "detail": json.loads(row["detail"])} for row in rows]


def audit(shell: Shell) -> list[dict[str, Any]]:
    return asyncio.run(_audit(shell.url))


def test_sessions_are_found(shell: Shell) -> None:
    found = shell.json("sessions", "list", "--q", "demo@")["items"]
    assert {item["email"] for item in found} == {PERSON[0]}
    table = shell("sessions", "list", "--status", "active").splitlines()
    assert len(table) == 3
    assert all(item["id"] in "\n".join(table) and item["name"] in "\n".join(table) for item in found)
    assert shell("sessions", "list", "--ip", "192.0.2.1", code=1) == "gatepost: nothing was found\n"


def test_sessions_are_ended_and_that_is_audited(shell: Shell) -> None:
    found = shell.json("sessions", "list")["items"]
    phone, laptop = sorted(found, key=lambda item: item["device"]["kind"] == "desktop")
    assert "--yes" in shell("sessions", "revoke", phone["id"], "--reason", "lost", code=1)
    assert shell("sessions", "revoke", phone["id"], "--reason", "lost", "--yes") == f"Ended session {phone['id']}.\n"
    assert "had ended" in shell("sessions", "revoke", phone["id"], "--reason", "lost", "--yes")
    assert "no session" in shell("sessions", "revoke", uuid4(), "--reason", "lost", "--yes", code=1)

    by_filter = ("sessions", "revoke", "--network", "198.51.100.0/24", "--kind", "desktop")
    assert shell(*by_filter, "--dry-run") == "1 sessions fit.\n"
    assert shell(*by_filter, "--reason", "stolen", code=1) == NO_TERMINAL
    done = shell.json(*by_filter, "--reason", "stolen", "--yes")
    assert done == {"matched": 1, "revoked": 1, "included_own": False}
    assert "no active session" in shell(*by_filter, "--reason", "stolen", "--yes", code=1)

    rows = audit(shell)
    [ended] = [row for row in rows if row["target"] == f"session:{laptop['id']}"]
    assert (ended["action"], ended["reason"]) == ("session.ended", "stolen")
    commands = [row for row in rows if row["action"] == "shell.command"]
    assert {row["detail"]["command"] for row in commands} == {"sessions revoke"}
    assert all(row["detail"]["system_user"] for row in commands)


def test_wrong_usage_is_told_before_anything_is_done(shell: Shell) -> None:
    for arguments in (
        ("sessions", "revoke", "--reason", "x", "--yes"),
        ("sessions", "revoke", uuid4(), "--browser", "Chrome", "--reason", "x", "--yes"),
        ("sessions", "revoke", "--browser", "Chrome", "--yes"),
        ("sessions", "revoke", "--network", "nowhere", "--reason", "x", "--yes"),
        ("sessions", "revoke", "--signed-in-after", "5", "--reason", "x", "--yes"),
        ("keys", "create", "support", "--scope", "everything"),
    ):
        assert "Usage: " in shell(*arguments, code=2)
    assert len(shell.json("sessions", "list", "--status", "active")["items"]) == 2
    assert audit(shell) == []


def test_people_are_found(shell: Shell) -> None:
    people = shell.json("users", "list")["items"]
    assert [person["email"] for person in people] == [ADMIN[0], PERSON[0]]
    table = shell("users", "list", "--q", "demo")
    assert people[1]["id"] in table
    assert PERSON[0] in table
    assert shell.json("users", "show", PERSON[0]) == people[1] == shell.json("users", "show", people[1]["id"])
    assert shell("users", "show", "nobody@example.com", code=1) == "gatepost: there is no person nobody@example.com\n"


def test_a_person_is_disabled_and_enabled(shell: Shell) -> None:
    assert shell("users", "disable", PERSON[0], "--reason", "fraud", code=1) == NO_TERMINAL
    disabled = shell.json("users", "disable", PERSON[0], "--reason", "fraud", "--yes")
    assert disabled["disabled_at"]
    assert disabled["active_sessions"] == 0
    assert "disabled         no" in shell("users", "enable", disabled["id"])
    acts = [row["action"] for row in audit(shell) if row["action"].startswith("person.")]
    assert acts == ["person.disabled", "person.enabled"]


def test_an_admin_is_made_by_a_password_that_no_argument_shows(shell: Shell) -> None:
    made = shell("users", "create-admin", "Boss@Example.com", "--json", stdin="a good password\n")
    assert json.loads(made)["role"] == "admin"
    assert "boss@example.com" in made
    again = shell("users", "create-admin", "boss@example.com", stdin="a good password\n", code=1)
    ordinary = shell("users", "create-admin", PERSON[0], stdin="a good password\n", code=1)
    assert again.count("\n") == ordinary.count("\n") == 1
    assert shell.json("users", "show", PERSON[0])["role"] == "user"
    shell("users", "create-admin", "new@example.com", stdin="short\n", code=2)
    shell("users", "create-admin", "no address", stdin="a good password\n", code=2)
    assert len(shell.json("users", "list")["items"]) == 3


def test_keys_are_made_listed_and_revoked(shell: Shell) -> None:
    assert shell("keys", "list", code=1) == "gatepost: nothing was found\n"
    key = shell.json("keys", "create", "support", "--scope", "users:read", "--scope", "audit:read")
    assert key["secret"].startswith(key["prefix"])
    assert key["created_by"] == "shell"
    second = shell("keys", "create", "second", "--scope", "users:read", "--expires", "2100-01-01")
    assert "secret  gp_" in second
    listed = shell("keys", "list")
    assert key["id"] in listed
    assert "audit:read users:read" in listed
    assert key["secret"] not in listed
    assert shell("keys", "revoke", key["id"], code=1) == NO_TERMINAL
    shell("keys", "revoke", key["id"], "--yes")
    shell("keys", "revoke", uuid4(), "--yes", code=1)
    revoked = {item["name"]: item["revoked_at"] is not None for item in shell.json("keys", "list")["items"]}
    assert revoked == {"support": True, "second": False}
    commands = [row["detail"]["command"] for row in audit(shell) if row["action"] == "shell.command"]
    assert commands == ["keys create", "keys create", "keys revoke"]


def test_a_process_ends_and_says_what_the_command_does_within_this_one(shell: Shell) -> None:
    shell("keys", "create", "support", "--scope", "users:read")
    commands: list[Command] = [
        ("sessions", "list", "--q", "demo@", "--json"),
        ("users", "list"),
        ("users", "show", "nobody@example.com"),
        ("keys", "list"),
        ("users", "disable", PERSON[0], "--reason", "fraud"),
    ]
    here = [run_here(command, shell.settings) for command in commands]
    assert shell.processes(*commands) == here
    assert [code for code, _, _ in here] == [0, 0, 1, 0, 1]
    assert all((out == "") == (err != "") == (code != 0) for code, out, err in here)


def test_a_process_refuses_what_cannot_be_with_exit_status_2(shell: Shell) -> None:
    refused, misused = shell.processes(
        ("sessions", "list", "--cursor", "x"), ("sessions", "revoke", uuid4(), "--browser", "Chrome", "--reason", "x")
    )
    assert refused[:2] == misused[:2] == (2, "")
    assert refused[2].startswith("gatepost: ")
    assert refused[2].count("\n") == 1
    assert "Usage: " in misused[2]


def test_processes_change_what_they_are_told_to(shell: Shell) -> None:
    old = shell.json("keys", "create", "old", "--scope", "users:read")["id"]
    ended, disabled, enabled, made, revoked = shell.processes(
        ("sessions", "revoke", "--browser", "Chrome", "--reason", "stolen", "--yes", "--json"),
        ("users", "disable", ADMIN[0], "--reason", "fraud", "--yes"),
        ("users", "enable", PERSON[0], "--json"),
        ("keys", "create", "new", "--scope", "users:read"),
        ("keys", "revoke", old, "--yes"),
    )
    assert ended[::2] == disabled[::2] == enabled[::2] == (0, "")
    assert json.loads(ended[1])["revoked"] == 1
    assert json.loads(enabled[1])["email"] == PERSON[0]
    assert made[::2] == (0, "The secret is not shown again.\n")
    assert revoked == (0, f"Revoked API key {old}.\n", "")
    assert shell.json("users", "show", ADMIN[0])["disabled_at"]
    assert {key["name"]: key["revoked_at"] is None for key in shell.json("keys", "list")["items"]} == {
        "old": False,
        "new": True,
    }
    assert len(shell.json("sessions", "list", "--status", "active")["items"]) == 1


def test_on_a_terminal_one_is_asked_and_no_id_is_cut(shell: Shell) -> None:
    [one, other] = shell.json("sessions", "list")["items"]
    end_one = ("sessions", "revoke", one["id"], "--reason", "x")
    end_both = ("sessions", "revoke", "--user", one["user_id"], "--reason", "x")
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        shown = [
            threads.submit(on_terminal, shell, typed, *command)
            for typed, command in (("n\n", end_one), ("n\n", end_both), ("", ("sessions", "list")))
        ]
    kept_one, kept_both, table = (each.result() for each in shown)
    assert "nothing was changed" in kept_one
    assert "End 2 sessions?" in kept_both
    assert one["id"] in table
    assert other["id"] in table
    assert "Ended 2 sessions." in on_terminal(shell, "y\n", *end_both)


def on_terminal(shell: Shell, typed: str, *arguments: object) -> str:
    ours, theirs = pty.openpty()
    command = [str(GATEPOST), *map(str, arguments)]
    process_environment = environment(shell.settings) | {"TERM": "dumb"}
    with subprocess.Popen(command, env=process_environment, stdin=theirs, stdout=theirs, stderr=theirs):
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


def test_json_is_one_document_on_the_embedded_database_too(open_directory: Path) -> None:
    code, out, err = run_process(
        ("users", "create-admin", "boss@example.com", "--json"),
        {"data_dir": open_directory / "staff"},
        stdin="a good password\n",
    )
    assert (code, err) == (0, "")
    assert json.loads(out)["email"] == "boss@example.com"
    assert not (open_directory / "staff" / "postgres" / "postmaster.pid").exists()


def test_a_name_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_one([("name", "\x1b[2J[red]Ada\n")])
    assert capsys.readouterr().out == "name  �[2J[red]Ada�\n"
