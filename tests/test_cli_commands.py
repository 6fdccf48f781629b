"""The commands as a whole: which is meant, and what a process imports of them."""

from __future__ import annotations

import subprocess
import sys

from tests.shell import run_here


def test_one_like_a_misspelt_command_is_suggested() -> None:
    status, _, err = run_here(["sesions"], {})
    assert status == 2
    assert "No such command 'sesions'. Did you mean 'sessions'?" in err


def test_a_process_imports_its_own_command_alone() -> None:
    code = (
        "import sys; from gatepost.cli import app; app(['work', '--help'], standalone_mode=False); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    imported = done.stdout.splitlines()[-1].split()
    assert "gatepost.cli.work" in imported
    assert not {"gatepost.app", "gatepost.cli.audit", "gatepost.cli.demo", "uvicorn"} & set(imported)
