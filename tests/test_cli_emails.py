"""`gatepost emails`: queued from a shell, looked at, taken back, sent again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.post.support import posting
from tests.shell import run_here, run_processes
from tests.support import admin
from tests.test_cli_staff import NO_TERMINAL, Shell, on_terminal

LOGIN = "login_url=https://acme.com/"
WELCOME = ("emails", "send", "welcome", "ada@acme.com", "--set", LOGIN)
PDF = b"%PDF-1.7\n" + bytes(range(256))


@pytest.fixture
def shell(database_url: str) -> Shell:
    """A shell on a database on which no service has ever run."""
    return Shell(database_url)


def rows(shell: Shell, query: str, *given: Any) -> list[dict[str, Any]]:
    async def fetch() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(shell.url)
        found = [dict(row) for row in await connection.fetch(query, *given)]
        await connection.close()
        return found

    return asyncio.run(fetch())


def commands(shell: Shell) -> list[tuple[str, str, str | None]]:
    """What the audit log says that was done: (command, target, reason)."""
    query = "select target, reason, detail from gatepost.audit_log where action = 'shell.command' order by id"
    return [(json.loads(row["detail"])["command"], row["target"], row["reason"]) for row in rows(shell, query)]


def test_the_story(shell: Shell) -> None:
    """A message is queued for later, found, taken back and sent again after all."""
    assert shell("emails", "list", code=1) == "gatepost: nothing was found\n"
    told = shell(*WELCOME, "--set", "name=Ada", "--send-at", "2100-01-01", "--reply-to", "help@acme.com")
    [email] = shell.json("emails", "list", "--status", "scheduled", "--to", "ADA@acme.com")["items"]
    assert told == f"Message {email['id']} is scheduled for 2100-01-01 00:00 UTC.\n"
    assert email["queued_by"] == "shell"
    heading, line = shell("emails", "list", "--template", "welcome").splitlines()
    assert heading == "ID\tTO\tTEMPLATE\tSTATUS\tQUEUED AT"
    assert line.split("\t")[:4] == [email["id"], "ada@acme.com", "welcome", "scheduled"]
    shown = shell("emails", "show", email["id"])
    assert "reply to    help@acme.com\n" in shown
    assert "template    welcome, en, as built in\n" in shown
    assert shown.splitlines()[-1].endswith(" UTC  queued (by shell)")
    assert "not been rendered" in shell("emails", "show", email["id"], "--part", "text", code=1)

    assert "on its way still" in shell("emails", "resend", email["id"], "--yes", code=1)
    assert shell("emails", "cancel", email["id"]) == f"Message {email['id']} is canceled.\n"
    assert shell("emails", "cancel", email["id"]) == f"Message {email['id']} is canceled.\n"
    assert shell("emails", "resend", email["id"], code=1) == NO_TERMINAL
    again = shell.json("emails", "resend", email["id"], "--yes")
    assert (again["status"], again["resend_of"]) == ("queued", email["id"])
    assert f"resend of  {email['id']}\n" in shell("emails", "show", again["id"])

    target = f"email:{email['id']}"
    done = [("emails send", target, None), ("emails cancel", target, None), ("emails resend", target, None)]
    assert commands(shell) == done
    acts = rows(shell, "select action, actor from gatepost.audit_log where action like 'email.%' order by id")
    assert [(row["action"], row["actor"]) for row in acts] == [("email.canceled", "shell"), ("email.resent", "shell")]


def test_a_text_needs_no_quotes_and_all_else_is_json(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "values.json"
    file.write_text(json.dumps({"client_name": "Acme", "currency": "USD", "due_date": "2026-12-01"}))
    given = (
        "amount_due=480.00",
        "invoice_number=42",
        "currency=EUR",
        "pay_url=https://acme.com/?a=b",
        'lines=[{"a":1}]',
    )
    options = [option for each in given for option in ("--set", each)]
    email = shell.json("emails", "send", "new-invoice", "ada@acme.com", "--values", file, *options)
    [row] = rows(shell, "select variables from gatepost.emails where id = $1", email["id"])
    assert json.loads(row["variables"]) == {
        "client_name": "Acme",
        "currency": "EUR",
        "due_date": "2026-12-01",
        "amount_due": "480.00",
        "invoice_number": "42",
        "pay_url": "https://acme.com/?a=b",
        "lines": [{"a": 1}],
    }
    shell("emails", "send", "welcome", "ada@acme.com", "--values", "-", stdin='{"login_url": "https://acme.com/"}')
    rendered = shell("templates", "render", "new-invoice", "--set", "amount_due=9.50", "--part", "text")
    assert "9.50" in rendered


def test_what_does_not_fit_is_told_a_line_for_each(shell: Shell) -> None:
    wrong = shell("emails", "send", "new-invoice", "ada@acme.com", "--set", "lines=x", "--set", "amount=1", code=1)
    lines = wrong.splitlines()
    assert 'amount: No variable has this name. Did you mean "amount_due"?' in lines
    assert "client_name: This variable is required; give it a value." in lines
    assert "lines: Give a list." in lines
    assert lines[-1] == "gatepost: the values do not fit what the template declares"
    assert shell("emails", "list", code=1)
    assert commands(shell) == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("nothing-like-it", "ada@acme.com", "--set", "a=b"), "no template nothing-like-it with words in en"),
        (("nothing-like-it", "ada@acme.com", "--locale", "fr-CA"), "words in fr-CA or fr or en"),
        (("welcome", "ada@acme.com", "--set", LOGIN, "--expires-at", "2001-01-01"), "expires_at"),
    ],
)
def test_what_is_refused_is_one_line(shell: Shell, more: Sequence[str], told: str) -> None:
    refused = shell("emails", "send", *more, code=1)
    assert refused.startswith("gatepost: ")
    assert told in refused
    assert refused.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
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
        (("show", "x"), "email_id"),
        (("suppressions", "add", "a@acme.com"), "--reason"),
        (("suppressions", "add", "nobody", "--reason", "x"), "ADDRESS"),
    ],
)
def test_wrong_usage_names_what_is_wrong(shell: Shell, arguments: Sequence[str], told: str) -> None:
    refused = shell("emails", *arguments, code=2)
    assert "Usage: " in refused
    assert told in refused.split("Error", 1)[1]


@pytest.mark.parametrize(
    "content", ["[1]", "{", '{"name": NaN}', '{"name": 1e999}', '{"name": "\\ud800"}', "[" * 10_000]
)
def test_a_file_of_values_that_is_none_is_refused(shell: Shell, tmp_path: Path, content: str) -> None:
    file = tmp_path / "values.json"
    file.write_text(content)
    assert "--values" in shell("emails", "send", "welcome", "ada@acme.com", "--values", file, code=2)


def test_attachments_go_along_byte_for_byte(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "Rechnung März.pdf").write_bytes(PDF)
    (tmp_path / "notes.txt").write_text("x")
    email = shell.json(*WELCOME, "--attach", tmp_path / "Rechnung März.pdf", "--attach", tmp_path / "notes.txt")
    stored = rows(shell, "select filename, content_type, content from gatepost.email_attachments order by place")
    assert [tuple(row.values()) for row in stored] == [
        ("Rechnung März.pdf", "application/pdf", PDF),
        ("notes.txt", "text/plain", b"x"),
    ]
    assert "Rechnung März.pdf, application/pdf, 265 bytes" in shell("emails", "show", email["id"])

    (tmp_path / "large.txt").write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    (tmp_path / "run.exe").write_bytes(b"x")
    (tmp_path / "picture.png").write_bytes(PDF)
    for name, told in (("large.txt", "10 MB"), ("run.exe", "not sent"), ("picture.png", "not that of such a file")):
        refused = " ".join(shell(*WELCOME, "--attach", tmp_path / name, code=2).replace("│", " ").split())
        assert told in refused
        assert "--attach" in refused


def test_the_same_key_is_the_same_message(shell: Shell) -> None:
    first = shell(*WELCOME, "--idempotency-key", "order-1")
    assert shell(*WELCOME, "--idempotency-key", "order-1") == first
    other = shell(*WELCOME, "--set", "name=Ada", "--idempotency-key", "order-1", code=1)
    assert other == "gatepost: the key order-1 stands for another message\n"
    assert len(shell.json("emails", "list")["items"]) == 1


def test_what_is_not_there_is_told(shell: Shell) -> None:
    nobody = uuid4()
    for command in (("show",), ("cancel",), ("resend", "--yes")):
        told = shell("emails", command[0], nobody, *command[1:], code=1)
        assert told == f"gatepost: there is no message {nobody}\n"


def test_addresses_that_are_not_written_to(shell: Shell) -> None:
    first = shell.json(*WELCOME, "--send-at", "2100-01-01")
    shell("emails", "cancel", first["id"])
    listed = ("emails", "suppressions", "list")
    assert shell(*listed, code=1) == "gatepost: nothing was found\n"
    made = shell.json("emails", "suppressions", "add", "Ada@acme.com", "--reason", "asked us to")
    shell("emails", "suppressions", "add", "bob@bücher.de", "--reason", "gone")
    assert "on the list already" in shell("emails", "suppressions", "add", "ada@ACME.com", "--reason", "x", code=1)
    assert shell.json(*listed, "--email", "ADA@acme.com")["items"] == [made]
    assert [row.split("\t")[1] for row in shell(*listed).splitlines()[1:]] == ["bob@xn--bcher-kva.de", "ada@acme.com"]
    refused = "gatepost: nothing is sent to ada@acme.com any more"
    assert shell(*WELCOME, code=1).startswith(refused)
    assert shell("emails", "resend", first["id"], "--yes", code=1).startswith(refused)

    remove = ("emails", "suppressions", "remove")
    assert shell(*remove, made["id"], code=1) == NO_TERMINAL
    for who in (made["id"], "Bob@bücher.de"):
        assert shell(*remove, who, "--yes") == f"Took {who} off the list.\n"
        assert shell(*remove, who, "--yes", code=1) == f"gatepost: {who} is not on the list\n"
    shell(*WELCOME)
    assert [(command, reason) for command, _, reason in commands(shell)] == [
        ("emails send", None),
        ("emails cancel", None),
        ("emails suppressions add", "asked us to"),
        ("emails suppressions add", "gone"),
        ("emails suppressions remove", None),
        ("emails suppressions remove", None),
        ("emails send", None),
    ]


def test_pages(shell: Shell) -> None:
    sent = [shell.json(*WELCOME)["id"] for _ in range(3)]
    first = shell.json("emails", "list", "--limit", "2")
    second = shell.json("emails", "list", "--limit", "2", "--cursor", first["next_cursor"])
    assert [item["id"] for page in (first, second) for item in page["items"]] == sent[::-1]
    (code, out, err), (wrong, _, told) = run_processes(
        shell.settings, ("emails", "list", "--limit", "2"), ("emails", "list", "--cursor", "x")
    )
    assert (code, len(out.splitlines())) == (0, 3)
    assert "There are more" in err
    assert (wrong, told) == (2, "gatepost: cursor: is not a cursor that this list gave\n")


def test_on_a_terminal_one_is_asked_and_nothing_steers_it(shell: Shell) -> None:
    email = shell.json(*WELCOME, "--send-at", "2100-01-01")
    shell("emails", "cancel", email["id"])
    told = json.dumps({"text": "Ada\x1b[2J\u202e\nBye\u00a0now", "html": "<p>"})
    change = "update gatepost.emails set recipient = $2, payload = $3, last_error = $2 where id = $1"
    rows(shell, change, email["id"], "ada@\x1b[2Jacme.com", told)
    asked = on_terminal(shell, "n\n", "emails", "resend", email["id"])
    assert "Send welcome to ada@�[2Jacme.com again? It is canceled." in asked
    assert "nothing was changed" in asked
    listed, shown, text = (
        on_terminal(shell, "", "emails", *each)
        for each in (("list",), ("show", email["id"]), ("show", email["id"], "--part", "text"))
    )
    assert email["id"] in listed
    assert "\x1b[2J" not in listed + shown + text
    assert "Ada�[2J�\r\nBye\u00a0now\r\n" in text
    assert shell("emails", "show", email["id"], "--part", "text") == "Ada\x1b[2J\u202e\nBye\u00a0now\n"


async def test_json_is_what_the_api_says(database_url: str) -> None:
    async with posting(database_url) as (service, _):
        boss = await admin(service)
        body = {"template": "welcome", "to": "ada@acme.com", "variables": {"login_url": "https://acme.com/"}}
        body["send_at"] = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        email = (await boss.post("/v1/emails", body)).json()
        suppressions = "/v1/settings/email-suppressions"
        await boss.post(suppressions, {"email": "bob@acme.com", "reason": "x"})
        for path, command in (
            ("/v1/emails", ("list",)),
            (f"/v1/emails/{email['id']}", ("show", email["id"])),
            (suppressions, ("suppressions", "list")),
        ):
            ended = await asyncio.to_thread(run_here, ("emails", *command, "--json"), {"database_url": database_url})
            assert json.loads(ended[1]) == (await boss.get(path)).json()
