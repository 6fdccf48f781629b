"""`gatepost audit` as a script meets it: its output and exit status; by real processes, what only those show."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from gatepost.errors import ConfigurationError
from tests.shell import Ended, run_here, run_processes

NOTE = "select gatepost.note_audit('system', 'test.done', null, 'why', '192.0.2.1')"
TAMPER = (
    "set session_replication_role = replica",
    "update gatepost.audit_log set reason = 'other' where id = 4",
)
NOWHERE = "postgresql://nobody@127.0.0.1:1/x"


def audit(url: str, *arguments: object) -> Ended:
    return run_here(("audit", *arguments), {"database_url": url})


def refusal(url: str, *arguments: object) -> str:
    """What `main` would print in one line, with exit status 2."""
    with pytest.raises(ConfigurationError) as refused:
        audit(url, *arguments)
    return str(refused.value)


@dataclass
class Log:
    url: str

    def execute(self, *statements: str) -> None:
        asyncio.run(self._execute(statements))

    async def _execute(self, statements: tuple[str, ...]) -> None:
        sql = await asyncpg.connect(self.url)
        for statement in statements:
            await sql.execute(statement)
        await sql.close()


@pytest.fixture
def log(database_url: str) -> Log:
    """A log of four rows."""
    log = Log(database_url)
    log.execute(*[NOTE] * 4)
    return log


@pytest.fixture
def exported(log: Log, tmp_path: Path) -> Path:
    file = tmp_path / "audit.jsonl"
    assert audit(log.url, "export", file) == (0, f"4 rows in {file}\n", "")
    return file


def test_a_log_in_order_is_told_with_its_anchor(log: Log) -> None:
    code, out, err = audit(log.url, "verify")
    assert (code, err) == (0, "")
    assert out.startswith("4 rows are in order.\nanchor 4:")
    assert audit(log.url, "verify", "--anchor", out.split()[-1]) == (0, out, "")


def test_an_export_is_whole_overwrites_nothing_and_verifies_without_a_database(log: Log, exported: Path) -> None:
    assert audit(log.url, "export") == (0, exported.read_text(), "")
    assert refusal(log.url, "export", exported) == f"{exported}: cannot be written: File exists"
    verified = audit(log.url, "verify")
    anchor = verified[1].split()[-1]
    assert audit(NOWHERE, "verify", "--file", exported, "--anchor", anchor) == verified


def test_an_export_that_was_cut_short_or_altered_is_told_by_its_line(exported: Path) -> None:
    whole = exported.read_text()
    exported.write_text(whole[:-20])
    code, out, err = audit(NOWHERE, "verify", "--file", exported, "--json")
    assert (code, json.loads(out)["rows"], json.loads(out)["cut_line"]) == (0, 3, 4)
    assert err == "line 4 was cut short: the log is in order up to there\n"
    exported.write_text(whole.replace("why", "not", 1))
    code, out, err = audit(NOWHERE, "verify", "--file", exported, "--json")
    assert code == 1
    assert {name: json.loads(out)[name] for name in ("ok", "line", "row")} == {"ok": False, "line": 1, "row": 1}
    assert "line 1: row 1 (position 1) was altered" in err
    assert err.count("\n") == 1


def test_what_is_dropped_is_told_and_the_rest_verifies(log: Log) -> None:
    anchor = audit(log.url, "verify")[1].split()[-1]
    told = refusal(log.url, "drop", "--before", "2100-01-01")
    assert told == "--yes: is needed to delete 3 rows before 2100-01-01T00:00:00+00:00"
    assert audit(log.url, "drop", "--before", "2100-01-01", "--yes") == (0, "3 rows dropped.\n", "")
    code, out, err = audit(log.url, "verify", "--anchor", anchor)
    assert (code, out.splitlines()[0]) == (0, "2 rows are in order.")
    assert err == "it begins at position 4: what was before is not here\n"


def test_of_a_log_that_was_tampered_with_no_export_is_left(log: Log, tmp_path: Path) -> None:
    audit(log.url, "verify")
    log.execute(*TAMPER)
    code, out, err = audit(log.url, "verify")
    assert (code, out) == (1, "")
    assert err.startswith("gatepost: the audit log was tampered with: row 4 (position 4) was altered")
    broken = tmp_path / "broken.jsonl"
    assert audit(log.url, "export", broken)[0] == 1
    assert not broken.exists()


def test_wrong_settings_are_refused(empty_database: str, tmp_path: Path) -> None:
    assert refusal(empty_database, "verify", "--anchor", "12").startswith("--anchor: is not of the form POSITION:HASH")
    assert "run `gatepost migrate` first" in refusal(empty_database, "verify")
    assert refusal(empty_database, "verify", "--file", tmp_path / "none").startswith("--file: ")


def test_processes_end_as_the_log_is(log: Log, exported: Path, tmp_path: Path) -> None:
    settings, copy = {"database_url": log.url}, tmp_path / "copy.jsonl"
    export, verify = ("audit", "export"), ("audit", "verify", "--json")
    drop = ("audit", "drop", "--before", "2100-01-01")
    written, copied, verified, unasked = run_processes(settings, export, (*export, copy), verify, drop)
    assert written == (0, exported.read_text(), "")
    assert copied == (0, f"4 rows in {copy}\n", "")
    assert verified == run_here(verify, settings)
    assert json.loads(verified[1])["ok"] is True
    told = "gatepost: --yes: is needed to delete 3 rows before 2100-01-01T00:00:00+00:00\n"
    assert unasked == (2, "", told)

    log.execute(*TAMPER)
    verified, dropped = run_processes(settings, verify, (*drop, "--yes"))
    assert verified[0] == dropped[0] == 1
    assert json.loads(verified[1])["row"] == 4
    assert dropped[1] == ""
    assert "was tampered with: row 4" in dropped[2]
