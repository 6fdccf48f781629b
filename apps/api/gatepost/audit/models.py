"""Who acts, and the rows of the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from gatepost.types import IPAddress


@dataclass(frozen=True)
class Actor:
    """A user, an API key or the CLI. `name` is that of the audit log: `user:<id>`, `key:<id>` or `cli`.

    Only a user has `user_id` and `session_id`.
    """

    name: str
    ip: IPAddress | None = None
    user_id: UUID | None = None
    session_id: UUID | None = None

    @property
    def is_api_key(self) -> bool:
        """Whether an API key acts, and so no person who entered a password."""
        return self.name.startswith("key:")


class AuditRow(BaseModel):
    """An audited action. `actor` is `user:<id>`, `key:<id>`, `cli`, or a part of Gatepost, such as `system`."""

    id: int
    at: datetime
    actor: str
    action: str
    target: str | None
    reason: str | None
    ip: str | None
    detail: dict[str, Any]


class AuditPage(BaseModel):
    """A page of the audit log, newest first."""

    items: list[AuditRow]
    next_cursor: str | None
