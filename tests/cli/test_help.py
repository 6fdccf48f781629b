"""The commands as a whole: their help, suggestions for misspelt ones, and what a process imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.cli import run_here, run_process


@pytest.mark.parametrize(
    ("command", "texts"),
    [
        ("", ["Run the service", "Apply pending migrations", "Create demo data", "Copy the SQL migrations"]),
        ("serve", ["Run the service", "--host", "GATEPOST_HOST", "--port", "GATEPOST_PORT"]),
        ("migrations copy", ["Supabase CLI", "directory"]),
    ],
)
def test_each_command_has_a_help_text(command: str, texts: list[str]) -> None:
    code, out, err = run_here([*command.split(), "--help"], {})
    assert (code, err) == (0, "")
    for text in texts:
        assert text in out


def test_a_process_prints_the_help_text() -> None:
    code, out, err = run_process(["--help"], {})
    assert (code, err) == (0, "")
    assert "Run the service" in out


def test_a_similar_command_is_suggested_for_a_misspelt_one() -> None:
    status, _, err = run_here(["sesions"], {})
    assert status == 2
    assert "No such command 'sesions'. Did you mean 'sessions'?" in err


def test_a_process_imports_only_its_own_command() -> None:
    code = (
        "import sys; from gatepost.cli import app; app(['work', '--help'], standalone_mode=False); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    imported = done.stdout.splitlines()[-1].split()
    assert "gatepost.cli.work" in imported
    assert not {"gatepost.app", "gatepost.cli.audit", "gatepost.cli.demo", "uvicorn"} & set(imported)
