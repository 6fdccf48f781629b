"""What `make` prints: long steps, checks and lock files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import check
import lock
import pytest

ROOT = Path(__file__).resolve().parents[2]


def step(kind: str, script: str) -> tuple[int, str, str]:
    command = ["sh", str(ROOT / "tools" / "step.sh"), kind, "Installing things (takes a while)", "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_step_that_succeeds_prints_its_title_only() -> None:
    assert step("pip", "echo much; echo more >&2") == (0, "Installing things (takes a while)…\n", "")


@pytest.mark.parametrize(
    ("kind", "output", "advice"),
    [
        ("pip", "WARNING: Retrying after NewConnectionError", "PIP_INDEX_URL"),
        ("pip", "ERROR: hashes do not match", "remove .venv"),
        ("npm", "npm error code ECONNREFUSED", "npm_config_registry"),
        ("npm", "npm error package-lock.json is out of sync", "make lock"),
        ("npm", "npm error code ENOSPC", "The disk is full"),
        ("build", "src/main.tsx: syntax error", "Fix the errors above"),
    ],
)
def test_a_step_that_fails_prints_the_cause_and_what_to_do(kind: str, output: str, advice: str) -> None:
    code, _, err = step(kind, f"echo '{output}' >&2; exit 3")
    assert code == 3
    assert "Failed: Installing things (exit status 3)" in err
    assert advice in err
    assert output in err or "Retrying" in output


def test_checks_all_run_and_the_summary_names_the_fix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = (
        check.Check("first", (sys.executable, "-c", "print('a cause'); raise SystemExit(1)"), "run `make first`"),
        check.Check("second", ("/nowhere/at/all",), "install it"),
        check.Check("third", (sys.executable, "-c", "print('not shown')"), "never needed"),
    )
    monkeypatch.setattr(check, "CHECKS", checks)
    assert check.main() == 1
    out = capsys.readouterr().out
    assert "a cause" in out
    assert "not shown" not in out
    assert out.count("ok ") == 1
    summary = out[out.index("2 of 3 checks failed:") :]
    assert "run `make first`" in summary
    assert "install it" in summary
    assert "never needed" not in summary


def test_a_dependency_that_is_not_locked_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [*lock.python_differences(), *lock.web_differences()] == []
    (tmp_path / "requirements").mkdir()
    for name in ("run.txt", "dev.txt", "bench.txt", "node.txt", "docs.txt", "bench.in", "node.in", "docs.in"):
        (tmp_path / "requirements" / name).write_text((ROOT / "requirements" / name).read_text())
    project = (ROOT / "pyproject.toml").read_text()
    project = project.replace('"httpx>=0.28.1,<0.29"', '"httpx>=99"').replace('    "limits>=5.8,<6",\n', "")
    (tmp_path / "pyproject.toml").write_text(project.replace('"build>=1.3,<2"', '"new-one>=1"'))
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    found = "\n".join(lock.python_differences())
    assert "requirements/run.txt: httpx 0.28.1 is not what pyproject.toml allows." in found
    assert "requirements/run.txt: limits is no longer in pyproject.toml." in found
    assert "requirements/dev.txt: new-one is missing." in found
    assert "requirements/run.txt: new-one" not in found
