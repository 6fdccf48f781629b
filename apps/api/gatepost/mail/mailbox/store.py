"""SQL of captured emails."""

from __future__ import annotations

import json
from uuid import UUID

from gatepost.db import Connection
from gatepost.mail.mailbox.models import StoredEmail


async def read_email(connection: Connection, email_id: UUID, reader: UUID | None) -> StoredEmail | None:
    """Return a captured email, or None if there is none or its content was erased. `reader` is who wants to see it."""
    query = """
        select id, template, recipient, reply_to, created_at, payload, notification,
               secret and notification is null and lower(recipient) is distinct from (
                 select lower(u.email) from gatepost.users u where u.id = $2
               ) as hidden
        from gatepost.emails
        where id = $1 and provider = 'capture' and payload is not null
    """
    row = await connection.fetchrow(query, email_id, reader)
    if row is None:
        return None
    notification = json.loads(row["notification"]) if row["notification"] else None
    return StoredEmail(**{**row, "notification": notification})
