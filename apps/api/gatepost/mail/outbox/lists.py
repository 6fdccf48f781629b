"""Pages of messages and of suppressed addresses, for the API and the shell alike."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gatepost import paging
from gatepost.db import Connection
from gatepost.mail.outbox import store
from gatepost.mail.outbox.models import Email, EmailPage, Suppression, SuppressionPage
from gatepost.moments import from_microseconds, to_microseconds


async def list_emails(connection: Connection, wanted: store.Wanted, cursor: str | None, limit: int) -> EmailPage:
    """Return a page of messages, the newest first.

    Raises:
        ValidationFailed: the cursor is not one of this list.
    """
    found = await store.list_emails(connection, wanted, *_place(cursor), limit + 1)
    return EmailPage(items=found[:limit], next_cursor=_more(found, limit))


async def list_suppressions(
    connection: Connection, email: str | None, cursor: str | None, limit: int
) -> SuppressionPage:
    """Return a page of suppressed addresses, the newest first.

    Raises:
        ValidationFailed: the cursor is not one of this list.
    """
    found = await store.list_suppressions(connection, email, *_place(cursor), limit + 1)
    return SuppressionPage(items=found[:limit], next_cursor=_more(found, limit))


def _place(cursor: str | None) -> tuple[Any, Any]:
    created, last = paging.decode(cursor, int, UUID) or (None, None)
    return from_microseconds(created), last


def _more(found: list[Email] | list[Suppression], limit: int) -> str | None:
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    return paging.encode(to_microseconds(last.created_at), last.id)
