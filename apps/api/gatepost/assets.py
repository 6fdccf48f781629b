"""Where the files that are not Python lie: beside the package in a wheel, in the repository in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_REPOSITORY = _PACKAGE.parents[2]


def migrations() -> Path:
    """Return the directory of the SQL migrations."""
    return _find(_PACKAGE / "migrations", _REPOSITORY / "supabase" / "migrations")


def _find(*candidates: Path) -> Path:
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"this installation lacks {candidates[0].name}: install the package again")
