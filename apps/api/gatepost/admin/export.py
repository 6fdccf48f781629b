"""What Gatepost knows about a user, for their right of access (GDPR, article 15)."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from gatepost.db import Connection

# Without what only Gatepost needs: the hash of the password, tokens, leases and hashes of requests.
_EXPORT = """
select jsonb_build_object(
  'user', to_jsonb(u) - 'password_hash',
  'sessions', (
    select coalesce(jsonb_agg(to_jsonb(s) - 'last_active_on' order by s.created_at, s.id), '[]')
    from gatepost.sessions s where s.user_id = u.id
  ),
  'emails', (
    select coalesce(jsonb_agg(
      to_jsonb(e) - array['payload', 'variables', 'batch_id', 'position', 'request_hash', 'alone', 'due_at']
      || jsonb_build_object(
        -- the codes and links of an application's security email are for its recipient only once it was sent
        'variables', case when not e.security or e.status in ('sent', 'delivered') then e.variables end,
        'content', e.payload,
        'attachments', (
          select coalesce(jsonb_agg(a.filename order by a.position), '[]')
          from gatepost.email_attachments a where a.email_id = e.id
        ),
        'events', (
          select coalesce(jsonb_agg(jsonb_build_object('at', v.at, 'type', v.type, 'detail', v.detail)
            order by v.at, v.id), '[]')
          from gatepost.email_events v where v.email_id = e.id
        )
      ) order by e.created_at, e.id), '[]')
    from gatepost.emails e
    where lower(e.recipient) collate "C" = lower(u.email) or e.notification ->> 'user_id' = u.id::text
  ),
  'notifications', jsonb_build_object('turned_off', (
    select coalesce(jsonb_agg(o.template order by o.template), '[]')
    from gatepost.notification_opt_outs o where o.user_id = u.id
  )),
  'links', (
    select coalesce(jsonb_agg(to_jsonb(l) order by l.created_at, l.id), '[]')
    from gatepost.links l where l.user_id = u.id
  ),
  'suppressions', (
    select coalesce(jsonb_agg(to_jsonb(p) order by p.created_at), '[]')
    from gatepost.email_suppressions p where p.email = lower(u.email)
  ),
  'api_keys', (
    select coalesce(jsonb_agg(to_jsonb(k) - 'secret_hash' order by k.created_at, k.id), '[]')
    from gatepost.api_keys k where k.owner_id = u.id or k.created_by = 'user:' || u.id
  ),
  'audit', (
    select coalesce(jsonb_agg(to_jsonb(a) - 'written_by' order by a.id), '[]')
    from gatepost.audit_log a
    where a.actor = 'user:' || u.id or a.target = 'user:' || u.id
      or a.target in (select 'session:' || s.id from gatepost.sessions s where s.user_id = u.id)
  )
)
from gatepost.users u where u.id = $1
"""


async def export_user(connection: Connection, user_id: UUID) -> dict[str, Any] | None:
    """Return what is known about a user, or None if there is no such user; all times are in RFC 3339.

    The members are `user`, `sessions`, `emails`, `notifications`, `links`, `suppressions`, `api_keys` and `audit`.
    """
    text = await connection.fetchval(_EXPORT, user_id)
    if text is None:
        return None
    exported: dict[str, Any] = json.loads(text)
    for email in exported["emails"]:
        # Not in SQL: JSONB has no text with U+0000.
        email["content"] = json.loads(email["content"]) if email["content"] else None
    return exported
