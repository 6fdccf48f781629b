"""Pages of messages and of suppressed addresses, for the API and the shell alike."""

from __future__ import annotations

from gatepost.db.pool import Connection
from gatepost.http import pagination as paging
from gatepost.mail.outbox import store
from gatepost.mail.outbox.models import EmailPage, SuppressionPage


async def list_emails(connection: Connection, wanted: store.Wanted, cursor: str | None, limit: int) -> EmailPage:
    """Return a page of messages, the newest first.

    Raises:
        ValidationFailed: the cursor is not one of this list.
    """
    found = await store.list_emails(connection, wanted, *paging.decode_moment(cursor), limit + 1)
    items, more = paging.cut(found, limit)
    return EmailPage(items=items, next_cursor=more)


async def list_suppressions(
    connection: Connection, email: str | None, cursor: str | None, limit: int, q: str | None = None
) -> SuppressionPage:
    """Return a page of suppressed addresses, the newest first.

    Raises:
        ValidationFailed: the cursor is not one of this list.
    """
    found = await store.list_suppressions(connection, email, *paging.decode_moment(cursor), limit + 1, q)
    items, more = paging.cut(found, limit)
    return SuppressionPage(items=items, next_cursor=more)
