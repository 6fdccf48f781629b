"""What the fuzzer's own command loads: each of its calls is an admin's."""

from __future__ import annotations

import os
from typing import Any

import schemathesis

from tests.fuzzing import admin_token, has_foreign_cursor


@schemathesis.hook
def before_call(_context: Any, case: Any, _options: Any) -> None:
    """Keep the cursors of one list from the others."""
    if has_foreign_cursor(case):
        del case.query["cursor"]


@schemathesis.auth(refresh_interval=None)
class AsAdmin:
    """Signs the admin in anew before each call."""

    def get(self, _case: Any, _context: Any) -> str:
        """Return a fresh access token."""
        return admin_token(os.environ["FUZZED_SERVICE"])

    def set(self, case: Any, token: str, _context: Any) -> None:
        """Send it as a bearer header."""
        case.headers["Authorization"] = f"Bearer {token}"
