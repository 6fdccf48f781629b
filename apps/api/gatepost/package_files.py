"""The directories of files that are not Python: in the package in a wheel, in the repository in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_REPOSITORY = _PACKAGE.parents[2]


def migrations() -> Path:
    """Return the directory of the SQL migrations."""
    found = _find(_PACKAGE / "migrations", _REPOSITORY / "supabase" / "migrations")
    if found is None:
        raise FileNotFoundError("the migrations are missing from this installation: reinstall the package")
    return found


def emails() -> Path:
    """Return the directory of the built-in email templates."""
    found = _find(_PACKAGE / "emails", _REPOSITORY / "emails")
    if found is None:
        raise FileNotFoundError("the email templates are missing from this installation: reinstall the package")
    return found


def pages() -> Path | None:
    """Return the directory of the built web app, or None if it was not built."""
    return _find(_PACKAGE / "pages")


def _find(*candidates: Path) -> Path | None:
    return next((candidate for candidate in candidates if candidate.is_dir()), None)
