"""Loaded by the `schemathesis` command: every request is an admin's."""

from __future__ import annotations

import os
from typing import Any

import schemathesis

from tests.support.fuzzing import admin_token, has_foreign_cursor


@schemathesis.hook
def before_call(_context: Any, case: Any, _options: Any) -> None:
    """Remove cursors that belong to another list."""
    if has_foreign_cursor(case):
        del case.query["cursor"]


@schemathesis.auth(refresh_interval=None)
class AdminAuth:
    """Signs the admin in again before a request where that is necessary."""

    def get(self, _case: Any, _context: Any) -> str:
        """Return a valid access token."""
        return admin_token(os.environ["FUZZED_SERVICE"])

    def set(self, case: Any, token: str, _context: Any) -> None:
        """Send the token as a bearer header."""
        case.headers["Authorization"] = f"Bearer {token}"
