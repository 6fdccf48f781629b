"""`gatepost emails`: sending, listing, showing, canceling and resending; and suppressions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.cli import NO_TERMINAL, Cli, run_here, run_processes
from tests.support.database import fetch
from tests.support.mail import service_with_resend

LOGIN = "login_url=https://acme.com/"
WELCOME = ("emails", "send", "welcome", "ada@acme.com", "--set", LOGIN)
PDF = b"%PDF-1.7\n" + bytes(range(256))


@pytest.fixture
def cli(database_url: str) -> Cli:
    """The command line on a database on which no service has ever run."""
    return Cli(database_url)


def audited_commands(cli: Cli) -> list[tuple[str, str, str | None]]:
    """Return the commands in the audit log: (command, target, reason)."""
    query = "select target, reason, detail from gatepost.audit_log where action = 'cli.command' order by id"
    return [(json.loads(row["detail"])["command"], row["target"], row["reason"]) for row in fetch(cli.url, query)]


def test_an_email_is_scheduled_listed_canceled_and_resent(cli: Cli) -> None:
    assert cli("emails", "list", code=1) == "gatepost: No emails found.\n"
    output = cli(*WELCOME, "--set", "name=Ada", "--send-at", "2100-01-01", "--reply-to", "help@acme.com")
    [email] = cli.json("emails", "list", "--status", "scheduled", "--to", "ADA@acme.com")["items"]
    assert output == f"Email {email['id']} is scheduled for 2100-01-01 00:00 UTC.\n"
    assert email["queued_by"] == "cli"
    heading, line = cli("emails", "list", "--template", "welcome").splitlines()
    assert heading == "ID\tTO\tTEMPLATE\tSTATUS\tCREATED"
    assert line.split("\t")[:4] == [email["id"], "ada@acme.com", "welcome", "scheduled"]
    shown = cli("emails", "show", email["id"])
    assert "reply to    help@acme.com\n" in shown
    assert "template    welcome, en, built-in\n" in shown
    assert shown.splitlines()[-1].endswith(" UTC  queued (by cli)")
    assert "not been rendered" in cli("emails", "show", email["id"], "--part", "text", code=1)

    assert "is scheduled. Wait until" in cli("emails", "resend", email["id"], "--yes", code=1)
    assert cli("emails", "cancel", email["id"]) == f"Email {email['id']} is canceled.\n"
    assert cli("emails", "cancel", email["id"]) == f"Email {email['id']} is canceled.\n"
    assert cli("emails", "resend", email["id"], code=1) == NO_TERMINAL
    resent = cli.json("emails", "resend", email["id"], "--yes")
    assert (resent["status"], resent["resend_of"]) == ("queued", email["id"])
    assert f"resend of   {email['id']}\n" in cli("emails", "show", resent["id"])

    target = f"email:{email['id']}"
    expected = [("emails send", target, None), ("emails cancel", target, None), ("emails resend", target, None)]
    assert audited_commands(cli) == expected
    audited = fetch(cli.url, "select action, actor from gatepost.audit_log where action like 'email.%' order by id")
    assert [(row["action"], row["actor"]) for row in audited] == [
        ("email.canceled", "cli"),
        ("email.resent", "cli"),
    ]


def test_values_are_text_or_json_by_the_type_of_the_variable(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "values.json"
    file.write_text(json.dumps({"client_name": "Acme", "currency": "USD", "due_date": "2026-12-01"}))
    values = (
        "amount_due=480.00",
        "invoice_number=42",
        "currency=EUR",
        "pay_url=https://acme.com/?a=b",
        'lines=[{"a":1}]',
    )
    options = [option for each in values for option in ("--set", each)]
    email = cli.json("emails", "send", "new-invoice", "ada@acme.com", "--values", file, *options)
    [row] = fetch(cli.url, "select variables from gatepost.emails where id = $1", email["id"])
    assert json.loads(row["variables"]) == {
        "client_name": "Acme",
        "currency": "EUR",
        "due_date": "2026-12-01",
        "amount_due": "480.00",
        "invoice_number": "42",
        "pay_url": "https://acme.com/?a=b",
        "lines": [{"a": 1}],
    }
    cli("emails", "send", "welcome", "ada@acme.com", "--values", "-", stdin='{"login_url": "https://acme.com/"}')
    rendered = cli("templates", "render", "new-invoice", "--set", "amount_due=9.50", "--part", "text")
    assert "9.50" in rendered


def test_each_invalid_value_is_reported_in_a_line(cli: Cli) -> None:
    errors = cli("emails", "send", "new-invoice", "ada@acme.com", "--set", "lines=x", "--set", "amount=1", code=1)
    lines = errors.splitlines()
    assert 'amount: There is no variable with this name. Did you mean "amount_due"?' in lines
    assert "client_name: This variable is required. Provide a value." in lines
    assert "lines: Must be a list." in lines
    assert lines[-1] == "gatepost: The values do not match the variables of the template."
    assert cli("emails", "list", code=1)
    assert audited_commands(cli) == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("nothing-like-it", "ada@acme.com", "--set", "a=b"), "No template nothing-like-it in en."),
        (("nothing-like-it", "ada@acme.com", "--locale", "fr-CA"), "in fr-CA or fr or en."),
        (("welcome", "ada@acme.com", "--set", LOGIN, "--expires-at", "2001-01-01"), "expires_at"),
    ],
)
def test_a_rejected_email_is_an_error_of_one_line(cli: Cli, arguments: Sequence[str], text: str) -> None:
    error = cli("emails", "send", *arguments, code=1)
    assert error.startswith("gatepost: ")
    assert text in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("send", "welcome", "nobody"), "TO"),
        (("send", "Welcome", "a@acme.com"), "TEMPLATE"),
        (("send", "welcome", "a@acme.com", "--reply-to", "x"), "--reply-to"),
        (("send", "welcome", "a@acme.com", "--locale", "english"), "--locale"),
        (("send", "welcome", "a@acme.com", "--set", "name"), "--set"),
        (("send", "welcome", "a@acme.com", "--set", "name=\udcff"), "--set"),
        (("send", "welcome", "a@acme.com", "--values", "nowhere.json"), "--values"),
        (("send", "welcome", "a@acme.com", "--attach", "nowhere.pdf"), "--attach"),
        (("send", "welcome", "a@acme.com", "--idempotency-key", "a b"), "--idempotency-key"),
        (("send", "welcome", "a@acme.com", "--send-at", "soon"), "--send-at"),
        (("send", "welcome", "a@acme.com", "--send-at", "2100-01-02", "--expires-at", "2100-01-01"), "--expires-at"),
        (("list", "--status", "lost"), "--status"),
        (("list", "--to", "\udcff"), "--to"),
        (("list", "--template", "No Key"), "--template"),
        (("show", str(uuid4()), "--json", "--part", "text"), "--part"),
        (("show", "x"), "EMAIL_ID"),
        (("suppressions", "add", "a@acme.com"), "--reason"),
        (("suppressions", "add", "nobody", "--reason", "x"), "EMAIL"),
    ],
)
def test_wrong_usage_names_the_argument(cli: Cli, arguments: Sequence[str], text: str) -> None:
    error = cli("emails", *arguments, code=2)
    assert "Usage: " in error
    assert text in error.split("Error", 1)[1]


@pytest.mark.parametrize(
    "content", ["[1]", "{", '{"name": NaN}', '{"name": 1e999}', '{"name": "\\ud800"}', "[" * 10_000]
)
def test_an_invalid_file_of_values_is_rejected(cli: Cli, tmp_path: Path, content: str) -> None:
    file = tmp_path / "values.json"
    file.write_text(content)
    assert "--values" in cli("emails", "send", "welcome", "ada@acme.com", "--values", file, code=2)


def test_attachments_are_queued_byte_for_byte(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "Rechnung März.pdf").write_bytes(PDF)
    (tmp_path / "notes.txt").write_text("x")
    email = cli.json(*WELCOME, "--attach", tmp_path / "Rechnung März.pdf", "--attach", tmp_path / "notes.txt")
    stored = fetch(cli.url, "select filename, content_type, content from gatepost.email_attachments order by position")
    assert [tuple(row.values()) for row in stored] == [
        ("Rechnung März.pdf", "application/pdf", PDF),
        ("notes.txt", "text/plain", b"x"),
    ]
    assert "Rechnung März.pdf, application/pdf, 265 bytes" in cli("emails", "show", email["id"])

    (tmp_path / "large.txt").write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    (tmp_path / "run.exe").write_bytes(b"x")
    (tmp_path / "picture.png").write_bytes(PDF)
    for name, text in (("large.txt", "10 MB"), ("run.exe", "not allowed"), ("picture.png", "does not match")):
        error = " ".join(cli(*WELCOME, "--attach", tmp_path / name, code=2).replace("│", " ").split())
        assert text in error
        assert "--attach" in error


def test_an_idempotency_key_returns_the_same_email(cli: Cli) -> None:
    first = cli(*WELCOME, "--idempotency-key", "order-1")
    assert cli(*WELCOME, "--idempotency-key", "order-1") == first
    other = cli(*WELCOME, "--set", "name=Ada", "--idempotency-key", "order-1", code=1)
    assert other == "gatepost: This idempotency key was already used for a different email. Use a new key.\n"
    assert len(cli.json("emails", "list")["items"]) == 1


def test_an_unknown_email_is_reported(cli: Cli) -> None:
    unknown_id = uuid4()
    for command in (("show",), ("cancel",), ("resend", "--yes")):
        output = cli("emails", command[0], unknown_id, *command[1:], code=1)
        assert output.startswith(f"gatepost: No email with the ID {unknown_id}.")
        assert output.count("\n") == 1


def test_suppressions_are_added_listed_and_removed(cli: Cli) -> None:
    first = cli.json(*WELCOME, "--send-at", "2100-01-01")
    cli("emails", "cancel", first["id"])
    listed = ("emails", "suppressions", "list")
    assert cli(*listed, code=1) == "gatepost: No suppressed email addresses found.\n"
    added = cli.json("emails", "suppressions", "add", "Ada@acme.com", "--reason", "asked us to")
    cli("emails", "suppressions", "add", "bob@bücher.de", "--reason", "gone")
    assert "is already suppressed" in cli("emails", "suppressions", "add", "ada@ACME.com", "--reason", "x", code=1)
    assert cli.json(*listed, "--email", "ADA@acme.com")["items"] == [added]
    assert [row.split("\t")[1] for row in cli(*listed).splitlines()[1:]] == ["bob@xn--bcher-kva.de", "ada@acme.com"]
    error = "gatepost: ada@acme.com is suppressed, so nothing is sent to it."
    assert cli(*WELCOME, code=1).startswith(error)
    assert cli("emails", "resend", first["id"], "--yes", code=1).startswith(error)

    remove = ("emails", "suppressions", "remove")
    assert cli(*remove, added["id"], code=1) == NO_TERMINAL
    for entry in (added["id"], "Bob@bücher.de"):
        assert cli(*remove, entry, "--yes") == f"Removed {entry} from the suppression list.\n"
        assert cli(*remove, entry, "--yes", code=1) == f"gatepost: {entry} is not suppressed.\n"
    cli(*WELCOME)
    assert [(command, reason) for command, _, reason in audited_commands(cli)] == [
        ("emails send", None),
        ("emails cancel", None),
        ("emails suppressions add", "asked us to"),
        ("emails suppressions add", "gone"),
        ("emails suppressions remove", None),
        ("emails suppressions remove", None),
        ("emails send", None),
    ]


def test_lists_are_paginated(cli: Cli) -> None:
    sent = [cli.json(*WELCOME)["id"] for _ in range(3)]
    first = cli.json("emails", "list", "--limit", "2")
    second = cli.json("emails", "list", "--limit", "2", "--cursor", first["next_cursor"])
    assert [item["id"] for page in (first, second) for item in page["items"]] == sent[::-1]
    (code, out, err), (invalid_code, _, invalid_err) = run_processes(
        cli.settings, ("emails", "list", "--limit", "2"), ("emails", "list", "--cursor", "x")
    )
    assert (code, len(out.splitlines())) == (0, 3)
    assert "There are more results" in err
    assert (invalid_code, invalid_err) == (2, "gatepost: cursor: must be the next_cursor of a page of this list\n")


def test_a_terminal_asks_for_confirmation_and_gets_no_control_characters(cli: Cli) -> None:
    email = cli.json(*WELCOME, "--send-at", "2100-01-01")
    cli("emails", "cancel", email["id"])
    payload = json.dumps({"text": "Ada\x1b[2J\u202e\nBye\u00a0now", "html": "<p>"})
    change = (
        "update gatepost.emails set recipient = $2, payload = $3, error_code = 'x', error_message = $2 where id = $1"
    )
    fetch(cli.url, change, email["id"], "ada@\x1b[2Jacme.com", payload)
    prompt = cli.on_terminal("n\n", "emails", "resend", email["id"])
    assert "Send welcome to ada@�[2Jacme.com again? The email is canceled." in prompt
    assert "Nothing was changed" in prompt
    listed, shown, text = (
        cli.on_terminal("", "emails", *each)
        for each in (("list",), ("show", email["id"]), ("show", email["id"], "--part", "text"))
    )
    assert email["id"] in listed
    assert "\x1b[2J" not in listed + shown + text
    assert "Ada�[2J�\r\nBye\u00a0now\r\n" in text
    assert cli("emails", "show", email["id"], "--part", "text") == "Ada\x1b[2J\u202e\nBye\u00a0now\n"


async def test_json_output_equals_the_api(database_url: str) -> None:
    async with service_with_resend(database_url) as (service, _):
        admin = await service.register_admin()
        body = {"template": "welcome", "to": "ada@acme.com", "variables": {"login_url": "https://acme.com/"}}
        body["send_at"] = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        email = (await admin.post("/v1/emails", body)).json()
        suppressions = "/v1/settings/email-suppressions"
        await admin.post(suppressions, {"email": "bob@acme.com", "reason": "x"})
        for path, command in (
            ("/v1/emails", ("list",)),
            (f"/v1/emails/{email['id']}", ("show", email["id"])),
            (suppressions, ("suppressions", "list")),
        ):
            result = await asyncio.to_thread(run_here, ("emails", *command, "--json"), {"database_url": database_url})
            assert json.loads(result[1]) == (await admin.get(path)).json()
