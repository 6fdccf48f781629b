"""SQL of notifications: what their content is made of, and which of them users have turned off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gatepost.db import Connection
from gatepost.mail.notifications.models import NotifiedApiKey, NotifiedSession, SummarizedEvents


async def read_email(connection: Connection, user_id: UUID) -> str:
    """Return a user's email address, or an empty string."""
    email: str | None = await connection.fetchval("select email from gatepost.users where id = $1", user_id)
    return email or ""


async def read_audited_ip(connection: Connection, notification: Mapping[str, Any]) -> str | None:
    """Return the IP address that the event of a notification was audited with, in the same transaction, or None."""
    key = notification.get("api_key_id")
    query = """
        select host(ip) from gatepost.audit_log
        where target = $1 and written_by = $2::text::xid8 and ip is not null order by id limit 1
    """
    target = f"key:{key}" if key else f"user:{notification.get('account_id', notification['user_id'])}"
    ip: str | None = await connection.fetchval(query, target, notification["transaction"])
    return ip


async def read_api_key(connection: Connection, key_id: UUID) -> NotifiedApiKey | None:
    """Return an API key that a notification is about, or None."""
    query = """
        select k.prefix, k.scopes, k.created_at, k.expires_at, u.email as creator_email
        from gatepost.api_keys k
        left join gatepost.users u on k.created_by = 'user:' || u.id
        where k.id = $1
    """
    row = await connection.fetchrow(query, key_id)
    return NotifiedApiKey(**dict(row)) if row else None


async def list_summarized(connection: Connection, summary_id: UUID) -> list[SummarizedEvents]:
    """Return what a summary counts, security emails first, then the most frequent."""
    query = """
        select s.template, s.count, s.first_at, s.last_at from gatepost.summarized_notifications s
        where s.summary_id = $1
        order by exists (select from gatepost.builtin_templates b where b.key = s.template and b.security) desc,
                 s.count desc, s.template
    """
    return [SummarizedEvents(**dict(row)) for row in await connection.fetch(query, summary_id)]


async def read_lifetime(connection: Connection, link_id: UUID) -> float:
    """Return for how many seconds after its creation a link can be used; 0 if there is no such link."""
    query = "select extract(epoch from expires_at - created_at) from gatepost.links where id = $1"
    return float(await connection.fetchval(query, link_id) or 0)


async def list_sessions(connection: Connection, session_ids: Sequence[UUID]) -> list[NotifiedSession]:
    """Return the sessions that a notification is about, most recently active first."""
    query = """
        select browser, os, host(ip) as ip, created_at, ended_at, end_reason
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
