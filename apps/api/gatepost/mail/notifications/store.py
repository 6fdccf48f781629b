"""SQL of notifications: what their content is made of, and which of them users have turned off."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gatepost.db import Connection
from gatepost.mail.notifications.models import NotifiedSession


async def read_name(connection: Connection, user_id: UUID) -> str:
    """Return a user's name, or an empty string."""
    name: str | None = await connection.fetchval("select name from gatepost.users where id = $1", user_id)
    return name or ""


async def read_lifetime(connection: Connection, link_id: UUID) -> float:
    """Return for how many seconds after its creation a link can be used; 0 if there is no such link."""
    query = "select extract(epoch from expires_at - created_at) from gatepost.links where id = $1"
    return float(await connection.fetchval(query, link_id) or 0)


async def list_sessions(connection: Connection, session_ids: Sequence[UUID]) -> list[NotifiedSession]:
    """Return the sessions that a notification is about, most recently active first."""
    query = """
        select name, browser, os, host(ip) as ip, created_at, ended_at, end_reason
        from gatepost.sessions where id = any ($1) order by last_active_at desc, id
    """
    return [NotifiedSession(**dict(row)) for row in await connection.fetch(query, session_ids)]


async def list_opt_outs(connection: Connection, user_id: UUID) -> set[str]:
    """Return the keys of the templates that a user has turned off."""
    query = "select template from gatepost.notification_opt_outs where user_id = $1"
    return {row["template"] for row in await connection.fetch(query, user_id)}


async def add_opt_out(connection: Connection, user_id: UUID, template: str) -> None:
    """Send a user no more emails of a template."""
    query = "insert into gatepost.notification_opt_outs (user_id, template) values ($1, $2) on conflict do nothing"
    await connection.execute(query, user_id, template)


async def delete_opt_out(connection: Connection, user_id: UUID, template: str) -> None:
    """Send a user emails of a template again."""
    query = "delete from gatepost.notification_opt_outs where user_id = $1 and template = $2"
    await connection.execute(query, user_id, template)
