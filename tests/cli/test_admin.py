"""`gatepost sessions`, `users` and `keys`; in processes of their own where that makes a difference."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gatepost.cli import output
from gatepost.cli.demo import ADMIN, USER
from gatepost.errors import Conflict
from tests.support.cli import NO_TERMINAL, Cli, Command, run_here, run_process
from tests.support.database import TEMPLATE, database_url, execute, fetch


@pytest.fixture(scope="module")
def seeded_database(server_url: str) -> str:
    """The name of a database with the demo data, which is copied for each test."""
    execute(server_url, f"create database seeded template {TEMPLATE}")
    Cli(database_url(server_url, "seeded"))("seed")
    return "seeded"


@pytest.fixture
def cli(server_url: str, seeded_database: str) -> Iterator[Cli]:
    """The command line on a database with the demo data."""
    execute(server_url, f"create database cli_admin template {seeded_database}")
    yield Cli(database_url(server_url, "cli_admin"))
    execute(server_url, "drop database cli_admin with (force)")


def audit_rows(cli: Cli) -> list[dict[str, Any]]:
    """Return the rows of the audit log that the command line has written."""
    rows = fetch(cli.url, "select * from gatepost.audit_log where actor = 'cli' order by id")
    return [{**row, "detail": json.loads(row["detail"])} for row in rows]


def test_sessions_are_found(cli: Cli) -> None:
    found = cli.json("sessions", "list", "--q", "demo@")["items"]
    assert {item["email"] for item in found} == {USER[0]}
    table = cli("sessions", "list", "--status", "active").splitlines()
    assert len(table) == 3
    assert all(item["id"] in "\n".join(table) and item["name"] in "\n".join(table) for item in found)
    assert cli("sessions", "list", "--ip", "192.0.2.1", code=1) == "gatepost: No sessions found.\n"


def test_sessions_are_revoked_and_that_is_audited(cli: Cli) -> None:
    found = cli.json("sessions", "list")["items"]
    phone, laptop = sorted(found, key=lambda item: item["device"]["kind"] == "desktop")
    assert "--yes" in cli("sessions", "revoke", phone["id"], "--reason", "lost", code=1)
    assert cli("sessions", "revoke", phone["id"], "--reason", "lost", "--yes") == f"Revoked session {phone['id']}.\n"
    assert "had already ended" in cli("sessions", "revoke", phone["id"], "--reason", "lost", "--yes")
    assert "No session" in cli("sessions", "revoke", uuid4(), "--reason", "lost", "--yes", code=1)

    by_filter = ("sessions", "revoke", "--network", "198.51.100.0/24", "--kind", "desktop")
    assert cli(*by_filter, "--dry-run") == "1 session would be revoked.\n"
    assert cli(*by_filter, "--reason", "stolen", code=1) == NO_TERMINAL
    done = cli.json(*by_filter, "--reason", "stolen", "--yes")
    assert done == {"matched": 1, "revoked": 1, "included_own": False}
    assert "No active session" in cli(*by_filter, "--reason", "stolen", "--yes", code=1)

    rows = audit_rows(cli)
    [ended] = [row for row in rows if row["target"] == f"session:{laptop['id']}"]
    assert (ended["action"], ended["reason"]) == ("session.ended", "stolen")
    commands = [row for row in rows if row["action"] == "cli.command"]
    assert {row["detail"]["command"] for row in commands} == {"sessions revoke"}
    assert all(row["detail"]["system_user"] for row in commands)


def test_wrong_usage_is_reported_before_anything_is_done(cli: Cli) -> None:
    for arguments in (
        ("sessions", "revoke", "--reason", "x", "--yes"),
        ("sessions", "revoke", uuid4(), "--browser", "Chrome", "--reason", "x", "--yes"),
        ("sessions", "revoke", "--browser", "Chrome", "--yes"),
        ("sessions", "revoke", "--network", "nowhere", "--reason", "x", "--yes"),
        ("sessions", "revoke", "--signed-in-after", "5", "--reason", "x", "--yes"),
        ("keys", "create", "support", "--scope", "everything"),
    ):
        assert "Usage: " in cli(*arguments, code=2)
    assert len(cli.json("sessions", "list", "--status", "active")["items"]) == 2
    assert audit_rows(cli) == []


def test_users_are_found(cli: Cli) -> None:
    users = cli.json("users", "list")["items"]
    assert [user["email"] for user in users] == [ADMIN[0], USER[0]]
    table = cli("users", "list", "--q", "demo")
    assert users[1]["id"] in table
    assert USER[0] in table
    assert cli.json("users", "show", USER[0]) == users[1] == cli.json("users", "show", users[1]["id"])
    error = cli("users", "show", "nobody@example.com", code=1)
    assert error.startswith("gatepost: No user with the ID or email address nobody@example.com.")
    assert error.count("\n") == 1


def test_a_user_is_disabled_and_enabled(cli: Cli) -> None:
    assert cli("users", "disable", USER[0], "--reason", "fraud", code=1) == NO_TERMINAL
    disabled = cli.json("users", "disable", USER[0], "--reason", "fraud", "--yes")
    assert disabled["disabled_at"]
    assert disabled["active_sessions"] == 0
    assert "disabled         no" in cli("users", "enable", disabled["id"])
    actions = [row["action"] for row in audit_rows(cli) if row["action"].startswith("user.")]
    assert actions == ["user.disabled", "user.enabled"]


def test_an_admin_is_created_with_a_password_from_standard_input(cli: Cli) -> None:
    created = cli("users", "create-admin", "Boss@Example.com", "--json", stdin="a good password\n")
    assert json.loads(created)["role"] == "admin"
    assert "boss@example.com" in created
    again = cli("users", "create-admin", "boss@example.com", stdin="a good password\n", code=1)
    not_an_admin = cli("users", "create-admin", USER[0], stdin="a good password\n", code=1)
    assert again.count("\n") == not_an_admin.count("\n") == 1
    assert cli.json("users", "show", USER[0])["role"] == "user"
    cli("users", "create-admin", "new@example.com", stdin="short\n", code=2)
    for easy in ("password1", "new@example.com", "gatepost"):
        assert "Choose another one." in cli("users", "create-admin", "new@example.com", stdin=f"{easy}\n", code=2)
    cli("users", "create-admin", "no address", stdin="a good password\n", code=2)
    assert len(cli.json("users", "list")["items"]) == 3


def test_api_keys_are_created_listed_and_revoked(cli: Cli) -> None:
    assert cli("keys", "list", code=1) == "gatepost: No API keys found.\n"
    key = cli.json("keys", "create", "support", "--scope", "users:read", "--scope", "audit:read")
    assert key["secret"].startswith(key["prefix"])
    assert key["created_by"] == "cli"
    second = cli("keys", "create", "second", "--scope", "users:read", "--expires", "2100-01-01")
    assert "secret  gp_" in second
    listed = cli("keys", "list")
    assert key["id"] in listed
    assert "audit:read users:read" in listed
    assert key["secret"] not in listed
    assert cli("keys", "revoke", key["id"], code=1) == NO_TERMINAL
    cli("keys", "revoke", key["id"], "--yes")
    cli("keys", "revoke", uuid4(), "--yes", code=1)
    revoked = {item["name"]: item["revoked_at"] is not None for item in cli.json("keys", "list")["items"]}
    assert revoked == {"support": True, "second": False}
    commands = [row["detail"]["command"] for row in audit_rows(cli) if row["action"] == "cli.command"]
    assert commands == ["keys create", "keys create", "keys revoke"]


def test_processes_have_the_same_output_and_exit_status(cli: Cli) -> None:
    cli("keys", "create", "support", "--scope", "users:read")
    commands: list[Command] = [
        ("sessions", "list", "--q", "demo@", "--json"),
        ("users", "list"),
        ("users", "show", "nobody@example.com"),
        ("keys", "list"),
        ("users", "disable", USER[0], "--reason", "fraud"),
    ]
    in_process = [run_here(command, cli.settings) for command in commands]
    assert cli.processes(*commands) == in_process
    assert [code for code, _, _ in in_process] == [0, 0, 1, 0, 1]
    assert all((out == "") == (err != "") == (code != 0) for code, out, err in in_process)


def test_invalid_arguments_exit_with_status_2(cli: Cli) -> None:
    error, usage_error = cli.processes(
        ("sessions", "list", "--cursor", "x"), ("sessions", "revoke", uuid4(), "--browser", "Chrome", "--reason", "x")
    )
    assert error[:2] == usage_error[:2] == (2, "")
    assert error[2].startswith("gatepost: ")
    assert error[2].count("\n") == 1
    assert "Usage: " in usage_error[2]


def test_processes_make_the_requested_changes(cli: Cli) -> None:
    old = cli.json("keys", "create", "old", "--scope", "users:read")["id"]
    cli("users", "create-admin", "boss@example.com", stdin="a good password\n")
    ended, disabled, enabled, created, revoked = cli.processes(
        ("sessions", "revoke", "--browser", "Chrome", "--reason", "stolen", "--yes", "--json"),
        ("users", "disable", ADMIN[0], "--reason", "fraud", "--yes"),
        ("users", "enable", USER[0], "--json"),
        ("keys", "create", "new", "--scope", "users:read"),
        ("keys", "revoke", old, "--yes"),
    )
    assert ended[::2] == disabled[::2] == enabled[::2] == (0, "")
    assert json.loads(ended[1])["revoked"] == 1
    assert json.loads(enabled[1])["email"] == USER[0]
    assert created[::2] == (0, "Store the secret now. It is not shown again.\n")
    assert revoked == (0, f"Revoked API key {old}.\n", "")
    assert cli.json("users", "show", ADMIN[0])["disabled_at"]
    assert {key["name"]: key["revoked_at"] is None for key in cli.json("keys", "list")["items"]} == {
        "old": False,
        "new": True,
    }
    assert len(cli.json("sessions", "list", "--status", "active")["items"]) == 1


def test_a_terminal_asks_for_confirmation_and_ids_are_not_cut(cli: Cli) -> None:
    [one, other] = cli.json("sessions", "list")["items"]
    revoke_one = ("sessions", "revoke", one["id"], "--reason", "x")
    revoke_both = ("sessions", "revoke", "--user", one["user_id"], "--reason", "x")
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        shown = [
            threads.submit(cli.on_terminal, typed, *command)
            for typed, command in (("n\n", revoke_one), ("n\n", revoke_both), ("", ("sessions", "list")))
        ]
    canceled_one, canceled_both, table = (each.result() for each in shown)
    assert "Nothing was changed" in canceled_one
    assert "Revoke 2 sessions?" in canceled_both
    assert one["id"] in table
    assert other["id"] in table
    assert "Revoked 2 sessions." in cli.on_terminal("y\n", *revoke_both)


def test_json_output_on_the_embedded_database(open_directory: Path) -> None:
    code, out, err = run_process(
        ("users", "create-admin", "boss@example.com", "--json"),
        {"data_dir": open_directory / "cli-admin"},
        stdin="a good password\n",
    )
    assert (code, err) == (0, "")
    assert json.loads(out)["email"] == "boss@example.com"
    assert not (open_directory / "cli-admin" / "postgres" / "postmaster.pid").exists()


def test_control_characters_are_replaced_in_output(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_fields([("name", "\x1b[2J[red]Ada\n")])
    assert capsys.readouterr().out == "name  �[2J[red]Ada�\n"


def test_a_user_is_exported_and_deleted(cli: Cli) -> None:
    exported = json.loads(cli("users", "export", USER[0]))
    assert exported["user"]["email"] == USER[0]
    assert "password_hash" not in exported["user"]
    assert len(exported["sessions"]) == 2
    assert {row["action"] for row in exported["audit"]} >= {"session.opened", "cli.command"}
    assert exported["emails"]
    assert exported["notifications"] == {"turned_off": []}
    assert "$argon2" not in json.dumps(exported)

    assert cli("users", "delete", USER[0], "--reason", "asked", code=1) == NO_TERMINAL
    deleted = cli("users", "delete", USER[0], "--reason", "asked", "--yes")
    assert deleted == f"Deleted user {exported['user']['id']}.\n"
    assert "No user" in cli("users", "export", USER[0], code=1)
    assert "No user" in cli("users", "delete", USER[0], "--reason", "asked", "--yes", code=1)
    for table in ("users", "sessions", "emails", "email_events", "audit_log"):
        assert USER[0] not in str(fetch(cli.url, f"select t::text from gatepost.{table} t"))
    actions = [(row["action"], row["detail"].get("command")) for row in audit_rows(cli)]
    assert actions[-2:] == [("user.deleted", None), ("cli.command", "users delete")]


def test_the_last_admin_is_neither_disabled_nor_deleted(cli: Cli) -> None:
    for command in ("disable", "delete"):
        with pytest.raises(Conflict, match="last admin"):
            cli("users", command, ADMIN[0], "--reason", "by mistake", "--yes")
    cli("users", "create-admin", "boss@example.com", stdin="a good password\n")
    cli("users", "delete", ADMIN[0], "--reason", "left", "--yes")


def test_an_api_key_is_taken_over(cli: Cli) -> None:
    key = cli.json("keys", "create", "support", "--scope", "users:read")["id"]
    with pytest.raises(Conflict, match="Only an admin"):
        cli("keys", "take-over", key, "--owner", USER[0])
    assert "No user" in cli("keys", "take-over", key, "--owner", "nobody@example.com", code=1)
    assert cli("keys", "take-over", key, "--owner", ADMIN[0]) == f"{ADMIN[0]} now owns API key {key}.\n"
    assert ADMIN[0] in cli("keys", "list")
    cli("users", "create-admin", "boss@example.com", stdin="a good password\n")
    cli("users", "disable", ADMIN[0], "--reason", "left", "--yes")
    assert "suspended" in cli("keys", "list")
    taken = cli.json("keys", "take-over", key, "--owner", "boss@example.com")
    assert (taken["owner_email"], taken["suspended_at"]) == ("boss@example.com", None)
