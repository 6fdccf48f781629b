"""Which mounted Gatepost handles a request.

The lifespan state of an app holds the runtime of each mounted router. The router of a request selects its own.
"""

from __future__ import annotations

from typing import Any

from starlette.types import Scope

_PREFIX = "gatepost:"
_SELECTED = "gatepost_runtime"


def mount_key(router: object) -> str:
    """Return the key under which the lifespan state holds the runtime of a router."""
    return f"{_PREFIX}{id(router)}"


def select_mount(scope: Scope, key: str) -> None:
    """Select the mount that handles a request, for everything below its router."""
    state = scope.setdefault("state", {})
    if key in state:
        state[_SELECTED] = state[key]


def find_mounts(scope: Scope, key: str | None = None) -> list[Any]:
    """Return the runtime under a key; without a key, the selected one, or else all runtimes."""
    state = scope.get("state", {})
    if key is not None:
        return [state[key]] if key in state else []
    if _SELECTED in state:
        return [state[_SELECTED]]
    return [value for name, value in state.items() if name.startswith(_PREFIX)]
