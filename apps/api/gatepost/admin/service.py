"""Pages of what staff look at, for the API and the shell alike."""

from __future__ import annotations

from uuid import UUID

from gatepost.admin import api_keys as key_store
from gatepost.admin import search, store
from gatepost.admin.models import ApiKeyPage, StaffSession, StaffSessionPage, UserPage
from gatepost.db.pool import Connection
from gatepost.geoip import Places
from gatepost.http import pagination as paging
from gatepost.settings import Settings


async def list_sessions(
    connection: Connection,
    settings: Settings,
    places: Places,
    wanted: search.Search,
    cursor: str | None,
    limit: int,
    *,
    current_id: UUID | None = None,
) -> StaffSessionPage:
    """Return a page of anybody's sessions.

    Raises:
        ValidationFailed: the cursor is not one of this search.
    """
    found = await search.search_sessions(connection, settings, wanted, cursor, limit)
    items = [
        StaffSession.from_row(row, idle_timeout=settings.idle_timeout, places=places, current_id=current_id)
        for row in found.rows
    ]
    return StaffSessionPage(items=items, next_cursor=found.next_cursor)


async def list_users(
    connection: Connection, settings: Settings, q: str | None, cursor: str | None, limit: int
) -> UserPage:
    """Return a page of people, those whose address or name begins with `q`.

    Raises:
        ValidationFailed: the cursor is not one of this list.
    """
    place = paging.decode(cursor, str, UUID)
    users = await store.list_users(connection, settings, q, place, limit + 1)
    page = users[:limit]
    more = paging.encode(page[-1].email.lower(), page[-1].id) if len(users) > limit else None
    return UserPage(items=page, next_cursor=more)


async def list_keys(connection: Connection, cursor: str | None, limit: int) -> ApiKeyPage:
    """Return a page of API keys, the newest first.

    Raises:
        ValidationFailed: the cursor is not one of this list.
    """
    found = await key_store.list_keys(connection, *paging.decode_moment(cursor), limit + 1)
    items, more = paging.cut(found, limit)
    return ApiKeyPage(items=items, next_cursor=more)
