"""Events of providers, in SQL."""

from __future__ import annotations

import json

from gatepost.db.pool import Connection, Database
from gatepost.mail.outbox.provider_events import ProviderEvent


async def note(connection: Connection, event: ProviderEvent) -> bool:
    """Write an event down with all that follows from it, once; False: it was known."""
    query = "select gatepost.note_provider_event($1, $2, $3, $4, $5, $6)"
    detail = json.dumps(event.detail)
    new: bool = await connection.fetchval(
        query, event.id, event.provider_id, event.email_id, event.at, event.type, detail
    )
    return new


async def match(database: Database) -> None:
    """Give events that came before their message was known to it, and forget those that nobody knew in a month.

    Raises:
        ServiceUnavailable: the database cannot be reached.
    """
    await database.execute("select gatepost.match_email_events()")
    await database.execute(
        "delete from gatepost.email_events where email_id is null and received_at < now() - interval '30 days'"
    )
