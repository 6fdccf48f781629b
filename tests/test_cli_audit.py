"""`gatepost audit` as a script meets it: real processes, their output and exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import asyncpg

import gatepost
from tests.test_cli import GATEPOST

NOTE = "select gatepost.note_audit('system', 'test.done', null, 'why', '192.0.2.1')"


def audit(url: str, *arguments: object) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, GATEPOST, "audit", *map(str, arguments)],
        # The code under test, wherever it lies.
        env={"GATEPOST_DATABASE_URL": url, "PYTHONPATH": str(Path(gatepost.__file__).parents[1]), "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


async def test_the_story(database_url: str, tmp_path: Path) -> None:
    """Verified, exported, cut, damaged, dropped, tampered with."""
    sql = await asyncpg.connect(database_url)
    for _ in range(4):
        await sql.execute(NOTE)
    code, out, err = audit(database_url, "verify")
    assert (code, err) == (0, "")
    assert out.startswith("4 rows are in order.\nanchor 4:")
    anchor = out.split()[-1]

    file = tmp_path / "audit.jsonl"
    assert audit(database_url, "export", file) == (0, f"4 rows in {file}\n", "")
    code, _, err = audit(database_url, "export", file)
    assert (code, err) == (2, f"gatepost: {file}: cannot be written: File exists\n")
    assert audit(database_url, "export") == (0, file.read_text(), "")
    nowhere = "postgresql://nobody@127.0.0.1:1/x"
    assert audit(nowhere, "verify", "--file", file, "--anchor", anchor)[:2] == (0, out)

    whole = file.read_text()
    file.write_text(whole[:-20])
    code, out, err = audit(nowhere, "verify", "--file", file, "--json")
    assert (code, json.loads(out)["rows"], json.loads(out)["cut_line"]) == (0, 3, 4)
    assert err == "line 4 was cut short: the log is in order up to there\n"
    file.write_text(whole.replace("why", "not", 1))
    code, out, err = audit(nowhere, "verify", "--file", file, "--json")
    assert code == 1
    assert {name: json.loads(out)[name] for name in ("ok", "line", "row")} == {"ok": False, "line": 1, "row": 1}
    assert "line 1: row 1 (position 1) was altered" in err
    assert err.count("\n") == 1

    code, _, err = audit(database_url, "drop", "--before", "2100-01-01")
    assert (code, err) == (2, "gatepost: --yes: is needed to delete 3 rows before 2100-01-01T00:00:00+00:00\n")
    assert audit(database_url, "drop", "--before", "2100-01-01", "--yes") == (0, "3 rows dropped.\n", "")
    code, out, err = audit(database_url, "verify", "--anchor", anchor)
    assert (code, out.splitlines()[0]) == (0, "2 rows are in order.")
    assert err == "it begins at position 4: what was before is not here\n"

    await sql.execute("set session_replication_role = replica")
    await sql.execute("update gatepost.audit_log set reason = 'other' where id = 4")
    code, out, err = audit(database_url, "verify")
    assert (code, out) == (1, "")
    assert err.startswith("gatepost: the audit log was tampered with: row 4 (position 4) was altered")
    broken = tmp_path / "broken.jsonl"
    assert audit(database_url, "export", broken)[0] == 1
    assert not broken.exists()
    await sql.close()


async def test_wrong_settings(empty_database: str, tmp_path: Path) -> None:
    code, _, err = audit(empty_database, "verify", "--anchor", "12")
    assert (code, err.startswith("gatepost: --anchor: is not of the form POSITION:HASH")) == (2, True)
    code, _, err = audit(empty_database, "verify")
    assert (code, "run `gatepost migrate` first" in err) == (2, True)
    code, _, err = audit(empty_database, "verify", "--file", tmp_path / "none")
    assert (code, err.count("\n")) == (2, 1)
