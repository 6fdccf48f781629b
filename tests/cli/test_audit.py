"""`gatepost audit`: its output and exit status; in processes of their own where that makes a difference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatepost.errors import ConfigurationError
from tests.support.cli import Result, run_here, run_processes
from tests.support.database import execute

RECORD_EVENT = "select gatepost.record_audit('system', 'test.done', null, 'why', '192.0.2.1')"
TAMPER = (
    "set session_replication_role = replica",
    "update gatepost.audit_log set reason = 'other' where id = 4",
)
NOT_CONFIRMED = (
    "--yes: is required without a terminal, to confirm that 3 rows from before 2100-01-01 00:00:00 UTC are deleted"
)
UNREACHABLE = "postgresql://nobody@127.0.0.1:1/x"


def run_audit(url: str, *arguments: object) -> Result:
    return run_here(("audit", *arguments), {"database_url": url})


def configuration_error_of(url: str, *arguments: object) -> str:
    """Return the error that `main` prints in one line, with exit status 2."""
    with pytest.raises(ConfigurationError) as caught:
        run_audit(url, *arguments)
    return str(caught.value)


@pytest.fixture
def log_url(database_url: str) -> str:
    """A database whose audit log has four rows."""
    execute(database_url, *[RECORD_EVENT] * 4)
    return database_url


@pytest.fixture
def export_file(log_url: str, tmp_path: Path) -> Path:
    file = tmp_path / "audit.jsonl"
    assert run_audit(log_url, "export", file) == (0, f"Exported 4 rows to {file}.\n", "")
    return file


def test_verify_prints_the_rows_and_the_anchor(log_url: str) -> None:
    code, out, err = run_audit(log_url, "verify")
    assert (code, err) == (0, "")
    assert out.startswith("4 rows verified, no tampering found.\nAnchor: 4:")
    assert run_audit(log_url, "verify", "--anchor", out.split()[-1]) == (0, out, "")


def test_an_export_overwrites_nothing_and_verifies_without_a_database(log_url: str, export_file: Path) -> None:
    assert run_audit(log_url, "export") == (0, export_file.read_text(), "")
    assert configuration_error_of(log_url, "export", export_file) == f"{export_file}: cannot be written: File exists"
    verified = run_audit(log_url, "verify")
    anchor = verified[1].split()[-1]
    assert run_audit(UNREACHABLE, "verify", "--file", export_file, "--anchor", anchor) == verified


def test_a_truncated_or_altered_export_is_reported_with_its_line(export_file: Path) -> None:
    content = export_file.read_text()
    export_file.write_text(content[:-20])
    code, out, err = run_audit(UNREACHABLE, "verify", "--file", export_file, "--json")
    assert (code, json.loads(out)["rows"], json.loads(out)["cut_line"]) == (0, 3, 4)
    assert err == "Warning: line 4 is incomplete. The lines before it were verified.\n"
    export_file.write_text(content.replace("why", "not", 1))
    code, out, err = run_audit(UNREACHABLE, "verify", "--file", export_file, "--json")
    assert code == 1
    assert {name: json.loads(out)[name] for name in ("ok", "line", "row")} == {"ok": False, "line": 1, "row": 1}
    assert "line 1: row 1 (position 1) was altered" in err
    assert err.count("\n") == 1


def test_drop_needs_confirmation_and_the_rest_verifies(log_url: str) -> None:
    anchor = run_audit(log_url, "verify")[1].split()[-1]
    expected = configuration_error_of(log_url, "drop", "--before", "2100-01-01")
    assert expected == NOT_CONFIRMED
    assert run_audit(log_url, "drop", "--before", "2100-01-01", "--yes") == (0, "Deleted 3 rows.\n", "")
    code, out, err = run_audit(log_url, "verify", "--anchor", anchor)
    assert (code, out.splitlines()[0]) == (0, "2 rows verified, no tampering found.")
    assert err == "Positions 1 to 3 were dropped, as the sealed row 5 says.\n"


def test_no_file_is_left_when_the_log_was_tampered_with(log_url: str, tmp_path: Path) -> None:
    run_audit(log_url, "verify")
    execute(log_url, *TAMPER)
    code, out, err = run_audit(log_url, "verify")
    assert (code, out) == (1, "")
    assert err.startswith("gatepost: The audit log was tampered with: row 4 (position 4) was altered")
    target = tmp_path / "broken.jsonl"
    assert run_audit(log_url, "export", target)[0] == 1
    assert not target.exists()


def test_invalid_options_are_errors(empty_database: str, tmp_path: Path) -> None:
    assert configuration_error_of(empty_database, "verify", "--anchor", "12").startswith(
        "--anchor: must be POSITION:HASH"
    )
    assert "run `gatepost migrate`" in configuration_error_of(empty_database, "verify")
    assert configuration_error_of(empty_database, "verify", "--file", tmp_path / "none").startswith("--file: ")


def test_processes_have_the_exit_status_of_the_log(log_url: str, export_file: Path, tmp_path: Path) -> None:
    settings, copy = {"database_url": log_url}, tmp_path / "copy.jsonl"
    export, verify = ("audit", "export"), ("audit", "verify", "--json")
    drop = ("audit", "drop", "--before", "2100-01-01")
    written, copied, verified, not_confirmed = run_processes(settings, export, (*export, copy), verify, drop)
    assert written == (0, export_file.read_text(), "")
    assert copied == (0, f"Exported 4 rows to {copy}.\n", "")
    assert verified == run_here(verify, settings)
    assert json.loads(verified[1])["ok"] is True
    expected = f"gatepost: {NOT_CONFIRMED}\n"
    assert not_confirmed == (2, "", expected)

    execute(log_url, *TAMPER)
    verified, dropped = run_processes(settings, verify, (*drop, "--yes"))
    assert verified[0] == dropped[0] == 1
    assert json.loads(verified[1])["row"] == 4
    assert dropped[1] == ""
    assert "was tampered with: row 4" in dropped[2]
