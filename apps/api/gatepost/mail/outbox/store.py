"""SQL of emails, provider events and suppressed email addresses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record
from pydantic_core import to_json

from gatepost import audit
from gatepost.audit import Actor
from gatepost.db import Connection, Database
from gatepost.mail.outbox.messages import error_text
from gatepost.mail.outbox.models import (
    AttachedFile,
    Email,
    EmailDetail,
    EmailEvent,
    EmailFilter,
    QueueEmail,
    Status,
    Suppression,
    TestEmail,
    TransportError,
)
from gatepost.mail.outbox.provider_events import ProviderEvent
from gatepost.mail.transports import Attachment

# The content of notifications holds placeholders instead of secrets.
# A queued email shows the error of its transport even if it was never attempted itself.
_HIDDEN = "(e.secret and e.notification is null)"
_COLUMNS = f"""
    e.id, e.template, e.version, e.locale, e.recipient as to, {_HIDDEN} as content_hidden,
    case when not {_HIDDEN} then e.subject end as subject, e.created_at, e.send_at, e.expires_at,
    e.attempts, e.provider, e.provider_id, e.queued_by, e.resend_of, e.reply_to,
    case when e.status = 'queued' and e.send_at > now() then 'scheduled' else e.status end as status,
    e.error_code, e.error_message,
    case when e.error_code is null and e.status = 'queued' then (
        select t.error_message from gatepost.email_transports t order by t.error_since limit 1
    ) end as transport_error
"""  # noqa: S608 - constants
_ONE = f"select {_COLUMNS}, e.payload from gatepost.emails e where e.id = $1"  # noqa: S608 - constants

# As it is indexed.
_RECIPIENT = 'lower(e.recipient) collate "C"'
_STATUS: dict[Status | None, str] = {
    None: "",
    "scheduled": " and e.status = 'queued' and e.send_at > now()",
    "queued": " and e.status = 'queued' and (e.send_at is null or e.send_at <= now())",
}
_LIST = f"""
    select {_COLUMNS} from gatepost.emails e
    where ($1::timestamptz is null or (e.created_at, e.id) < ($1, $2::uuid))
"""  # noqa: S608 - constants


async def queue_email(connection: Connection, body: QueueEmail, key: str | None, actor: Actor) -> UUID:
    """Queue an email and return its ID. The same idempotency key returns the same email.

    Raises:
        NotFound: there is no such template in this language or in English.
        Conflict: the key was used for a different email.
        ValidationFailed: an argument is invalid.
    """
    query = "select gatepost.queue_email($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    email_id: UUID = await connection.fetchval(
        query,
        body.template,
        body.to,
        json.dumps(body.variables),
        body.locale,
        body.reply_to,
        # Attachments are large, and this is the fastest way: it holds the event loop.
        to_json([each.model_dump() for each in body.attachments]).decode(),
        body.send_at,
        body.expires_at,
        key,
        actor.name,
    )
    return email_id


async def queue_test(connection: Connection, test: TestEmail, actor: Actor) -> None:
    """Queue a test of a template. It is already rendered."""
    query = """
        insert into gatepost.emails
            (id, template, version, locale, recipient, variables, subject, payload, queued_by, security, alone)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, false, true)
    """
    await connection.execute(
        query,
        test.id,
        test.template,
        test.version,
        test.locale,
        test.to,
        json.dumps(test.variables),
        test.subject,
        test.payload,
        actor.name,
    )


async def list_emails(
    connection: Connection, conditions: EmailFilter, before: datetime | None, last: UUID | None, limit: int
) -> list[Email]:
    """Return emails, newest first, after the one that was created at `before` with the ID `last`."""
    query = _LIST
    arguments: list[Any] = [before, last, limit]
    if conditions.status is not None:
        query += _STATUS.get(conditions.status, " and e.status = $4")
    if conditions.status not in _STATUS:
        arguments.append(conditions.status)
    columns = {
        _RECIPIENT: conditions.to and conditions.to.lower(),
        "e.template": conditions.template,
        "e.provider": conditions.provider,
    }
    for column, value in columns.items():
        if value is not None:
            arguments.append(value)
            query += f" and {column} = ${len(arguments)}"
    if conditions.q:
        arguments.append(conditions.q.lower())
        prefix = f"${len(arguments)}"
        query += f" and {_RECIPIENT} >= {prefix} and {_RECIPIENT} < {prefix} || chr(1114111)"
    rows = await connection.fetch(query + " order by e.created_at desc, e.id desc limit $3", *arguments)
    return [_email(row) for row in rows]


async def read_email(connection: Connection, email_id: UUID) -> Email | None:
    """Return an email, or None."""
    row = await connection.fetchrow(_ONE, email_id)
    return _email(row) if row else None


async def read_detail(connection: Connection, email_id: UUID) -> EmailDetail | None:
    """Return an email with its content and timeline, or None."""
    row = await connection.fetchrow(_ONE, email_id)
    if row is None:
        return None
    parts = json.loads(row["payload"]) if row["payload"] and not row["content_hidden"] else {}
    return EmailDetail(
        **_email(row).model_dump(),
        reply_to=row["reply_to"],
        html=parts.get("html"),
        text=parts.get("text"),
        attachments=await _attachments(connection, email_id),
        events=await _events(connection, row),
    )


async def read_attachments(connection: Connection, email_ids: Sequence[UUID]) -> dict[UUID, list[Attachment]]:
    """Return the attachments of emails by email ID, with their content."""
    found: dict[UUID, list[Attachment]] = {}
    if email_ids:
        query = "select * from gatepost.email_attachments where email_id = any ($1) order by email_id, position"
        for row in await connection.fetch(query, email_ids):
            file = Attachment(row["filename"], row["content_type"], row["content"])
            found.setdefault(row["email_id"], []).append(file)
    return found


async def _attachments(connection: Connection, email_id: UUID) -> list[AttachedFile]:
    query = """
        select filename, content_type, octet_length(content) as size from gatepost.email_attachments
        where email_id = $1 order by position
    """
    return [AttachedFile(**dict(row)) for row in await connection.fetch(query, email_id)]


async def _events(connection: Connection, email: Record) -> list[EmailEvent]:
    query = "select at, type, detail from gatepost.email_events where email_id = $1 order by at, id limit 1000"
    stored = [
        EmailEvent(at=row["at"], type=row["type"], detail=_detail(json.loads(row["detail"])))
        for row in await connection.fetch(query, email["id"])
    ]
    return [EmailEvent(at=email["created_at"], type="queued", detail={"by": email["queued_by"]}), *stored]


def _detail(stored: dict[str, Any]) -> dict[str, Any]:
    message = error_text(stored.get("code"), stored.get("message"))
    return stored if message is None else stored | {"message": message}


async def list_transport_errors(connection: Connection) -> list[TransportError]:
    """Return the transports that cannot send, or whose clock differs from ours."""
    query = """
        select name as transport, error_code as code, error_message as message, error_since as since,
               clock_offset
        from gatepost.email_transports where error_code is not null or clock_offset is not null order by name
    """
    return [TransportError(**dict(row)) for row in await connection.fetch(query)]


async def cancel_email(connection: Connection, email_id: UUID, actor: Actor) -> None:
    """Cancel an email that is still queued.

    Raises:
        NotFound: there is no such email.
        Conflict: it may have been sent already.
    """
    await connection.execute("select gatepost.cancel_email($1, $2, $3)", email_id, actor.name, actor.ip)


async def resend_email(connection: Connection, email_id: UUID, actor: Actor) -> UUID:
    """Queue a copy of an email and return the ID of the copy.

    Raises:
        NotFound: there is no such email.
        Conflict: it is still being sent, has expired, was a test of a template, or its content was erased.
    """
    query = "select gatepost.resend_email($1, $2, $3)"
    copy_id: UUID = await connection.fetchval(query, email_id, actor.name, actor.ip)
    return copy_id


async def suppress_email(connection: Connection, email: str, note: str, actor: Actor) -> Suppression | None:
    """Suppress an email address; return None if it is suppressed already."""
    row = await connection.fetchrow(
        """
        insert into gatepost.email_suppressions (email, reason, note, created_by) values (lower($1), 'manual', $2, $3)
        on conflict (email) do nothing
        returning *
        """,
        email,
        note,
        actor.name,
    )
    if row is None:
        return None
    await audit.record(connection, actor, "suppression.added", f"suppression:{row['id']}", reason=note)
    return Suppression(**dict(row))


async def list_suppressions(
    connection: Connection,
    email: str | None,
    before: datetime | None,
    last: UUID | None,
    limit: int,
    q: str | None = None,
) -> list[Suppression]:
    """Return suppressed email addresses, newest first: only `email`, or those that begin with `q`."""
    query = """
        select * from gatepost.email_suppressions
        where ($1::timestamptz is null or (created_at, id) < ($1, $2::uuid)) and ($3::text is null or email = lower($3))
            and ($5::text is null or starts_with(email, lower($5)))
        order by created_at desc, id desc limit $4
    """
    return [Suppression(**dict(row)) for row in await connection.fetch(query, before, last, email, limit, q)]


async def delete_suppression(connection: Connection, suppression_id: UUID, actor: Actor) -> bool:
    """Delete a suppression; return False if there is no such suppression."""
    query = "delete from gatepost.email_suppressions where id = $1 returning true"
    found = bool(await connection.fetchval(query, suppression_id))
    if found:
        target = f"suppression:{suppression_id}"
        await audit.record(connection, actor, "suppression.removed", target)
    return found


async def record_provider_event(connection: Connection, event: ProviderEvent) -> None:
    """Record a provider's event and apply it to its email, once: a repeated event changes nothing."""
    query = "select gatepost.record_provider_event($1, $2, $3, $4, $5, $6)"
    detail = json.dumps(event.detail)
    await connection.execute(query, event.id, event.provider_id, event.email_id, event.at, event.type, detail)


async def match_provider_events(database: Database) -> None:
    """Apply events that arrived before their email's provider id was known; delete those unmatched for a month.

    Raises:
        ServiceUnavailable: the database cannot be reached.
    """
    await database.execute("select gatepost.match_email_events()")
    await database.execute(
        "delete from gatepost.email_events where email_id is null and received_at < now() - interval '30 days'"
    )


def _email(row: Record) -> Email:
    fields = {name: row[name] for name in Email.model_fields if name != "last_error"}
    return Email(**fields, last_error=error_text(row["error_code"], row["error_message"]) or row["transport_error"])
