"""What notices tell of, and who wants which, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from asyncpg import Record

from gatepost.db.pool import Connection


async def read_name(connection: Connection, user_id: UUID) -> str:
    """Return what a person is called, or nothing."""
    name: str | None = await connection.fetchval("select name from gatepost.users where id = $1", user_id)
    return name or ""


async def read_lifetime(connection: Connection, link_id: UUID) -> float:
    """Return for how many seconds a link is good, from when it was made; 0: there is none."""
    query = "select extract(epoch from expires_at - created_at) from gatepost.security.link_tokens where id = $1"
    return float(await connection.fetchval(query, link_id) or 0)


async def list_sessions(connection: Connection, session_ids: Sequence[UUID]) -> list[Record]:
    """Return rows of `gatepost.sessions`, the last active one first."""
    query = "select * from gatepost.sessions where id = any ($1) order by last_active_at desc, id"
    return await connection.fetch(query, session_ids)


async def list_unwanted(connection: Connection, user_id: UUID) -> set[str]:
    """Return the templates that a person has turned off."""
    query = "select template from gatepost.unwanted_mail where user_id = $1"
    return {row["template"] for row in await connection.fetch(query, user_id)}


async def turn_off(connection: Connection, user_id: UUID, template: str) -> None:
    """Send a person no more mail of a template."""
    query = "insert into gatepost.unwanted_mail (user_id, template) values ($1, $2) on conflict do nothing"
    await connection.execute(query, user_id, template)


async def turn_on(connection: Connection, user_id: UUID, template: str) -> None:
    """Send a person mail of a template again."""
    await connection.execute(
        "delete from gatepost.unwanted_mail where user_id = $1 and template = $2", user_id, template
    )
