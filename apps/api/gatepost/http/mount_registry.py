"""Which mounted Gatepost a request is for: the lifespan's state holds each, and the one whose router was taken."""

from __future__ import annotations

from typing import Any

from starlette.types import Scope

MOUNT_PREFIX = "gatepost:"
SELECTED = "gatepost_runtime"


def candidates(scope: Scope, mount: str | None = None) -> list[Any]:
    """Return the runtimes of a mount; with None, of the router the request came through, else all that are mounted."""
    state = scope.get("state", {})
    if mount is not None:
        return [state[mount]] if mount in state else []
    if SELECTED in state:
        return [state[SELECTED]]
    return [value for key, value in state.items() if key.startswith(MOUNT_PREFIX)]
