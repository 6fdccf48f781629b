"""Messages and suppressed addresses, in SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from gatepost.db.pool import Connection
from gatepost.http.client_ip import Address
from gatepost.mail.outbox.models import AttachedFile, Email, EmailDetail, EmailEvent, QueueEmail, Status, Suppression
from gatepost.mail.transports.transport import Attachment

# A message that waits knows what its transport lacks, also where it was never tried itself.
_COLUMNS = """
    e.id, e.template, e.version, e.locale, e.recipient as to, e.subject, e.created_at, e.send_at, e.expires_at,
    e.attempts, e.provider, e.provider_id, e.queued_by, e.resend_of, e.reply_to,
    case when e.status = 'queued' and e.send_at > now() then 'scheduled' else e.status end as status,
    coalesce(e.last_error, case when e.status = 'queued' then (
        select t.trouble_words from gatepost.email_transports t order by t.trouble_since limit 1
    ) end) as last_error
"""
_ONE = f"select {_COLUMNS}, e.payload, e.notice, e.security from gatepost.emails e where e.id = $1"  # noqa: S608 - constants

_STATUS: dict[Status | None, str] = {
    None: "",
    "scheduled": " and e.status = 'queued' and e.send_at > now()",
    "queued": " and e.status = 'queued' and (e.send_at is null or e.send_at <= now())",
}
_LIST = f"""
    select {_COLUMNS} from gatepost.emails e
    where ($1::timestamptz is null or (e.created_at, e.id) < ($1, $2::uuid))
"""  # noqa: S608 - constants


@dataclass(frozen=True)
class Wanted:
    """Which messages: in one status, to one address or those that begin with `q`, of one template, by one provider."""

    status: Status | None = None
    to: str | None = None
    template: str | None = None
    provider: str | None = None
    q: str | None = None


async def queue_email(connection: Connection, body: QueueEmail, key: str | None, actor: str) -> UUID:
    """Queue a message; the same key stands for the same message.

    Raises:
        NotFound: there is no such template.
        Conflict: the key stands for another message.
    """
    query = "select gatepost.queue_email($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    queued: UUID = await connection.fetchval(
        query,
        body.template,
        body.to,
        json.dumps(body.variables),
        body.locale,
        body.reply_to,
        json.dumps([each.stored() for each in body.attachments]),
        body.send_at,
        body.expires_at,
        key,
        actor,
    )
    return queued


async def queue_rendered(
    connection: Connection,
    email_id: UUID,
    template: str,
    version: int | None,
    locale: str,
    to: str,
    variables: dict[str, Any],
    subject: str,
    payload: str,
    actor: str,
) -> None:
    """Queue a message that is rendered already: the test of a template."""
    query = """
        insert into gatepost.emails
            (id, template, version, locale, recipient, variables, subject, payload, queued_by, security, alone)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, false, true)
    """
    values = json.dumps(variables)
    await connection.execute(query, email_id, template, version, locale, to, values, subject, payload, actor)


async def list_emails(
    connection: Connection, wanted: Wanted, before: datetime | None, last: UUID | None, limit: int
) -> list[Email]:
    """Return messages, the newest first, those before a moment and an id."""
    query = _LIST
    given: list[Any] = [before, last, limit]
    if wanted.status is not None:
        query += _STATUS.get(wanted.status, " and e.status = $4")
    if wanted.status not in _STATUS:
        given.append(wanted.status)
    columns = {
        'lower(e.recipient) collate "C"': wanted.to and wanted.to.lower(),
        "e.template": wanted.template,
        "e.provider": wanted.provider,
    }
    for column, value in columns.items():
        if value is not None:
            given.append(value)
            query += f" and {column} = ${len(given)}"
    if wanted.q:
        given.append(wanted.q.lower())
        first, place = 'lower(e.recipient) collate "C"', len(given)
        query += f" and {first} >= ${place} and {first} < ${place} || chr(1114111)"
    rows = await connection.fetch(query + " order by e.created_at desc, e.id desc limit $3", *given)
    return [_email(row) for row in rows]


async def read_email(connection: Connection, email_id: UUID) -> Email | None:
    """Return a message, or None."""
    row = await connection.fetchrow(_ONE, email_id)
    return _email(row) if row else None


async def read_detail(connection: Connection, email_id: UUID) -> EmailDetail | None:
    """Return a message with all that is known of it, or None."""
    row = await connection.fetchrow(_ONE, email_id)
    if row is None:
        return None
    # An application's own security mail holds links that work; our notices hold marks.
    shown = row["payload"] if row["notice"] or not row["security"] else None
    parts = json.loads(shown) if shown else {}
    return EmailDetail(
        **_email(row).model_dump(),
        reply_to=row["reply_to"],
        html=parts.get("html"),
        text=parts.get("text"),
        attachments=await _attachments(connection, email_id),
        events=await _events(connection, row),
    )


async def read_files(connection: Connection, email_ids: Sequence[UUID]) -> dict[UUID, list[Attachment]]:
    """Return the attachments of some messages, with their bytes."""
    found: dict[UUID, list[Attachment]] = {}
    if email_ids:
        query = "select * from gatepost.email_attachments where email_id = any ($1) order by email_id, place"
        for row in await connection.fetch(query, email_ids):
            file = Attachment(row["filename"], row["content_type"], row["content"])
            found.setdefault(row["email_id"], []).append(file)
    return found


async def read_captured(connection: Connection, email_id: UUID) -> Record | None:
    """Return the row of a captured message that is kept still."""
    query = "select * from gatepost.emails where id = $1 and provider = 'capture' and payload is not null"
    return await connection.fetchrow(query, email_id)


async def _attachments(connection: Connection, email_id: UUID) -> list[AttachedFile]:
    query = """
        select filename, content_type, octet_length(content) as size from gatepost.email_attachments
        where email_id = $1 order by place
    """
    return [AttachedFile(**dict(row)) for row in await connection.fetch(query, email_id)]


async def _events(connection: Connection, email: Record) -> list[EmailEvent]:
    query = "select at, type, detail from gatepost.email_events where email_id = $1 order by at, id limit 1000"
    told = [
        EmailEvent(at=row["at"], type=row["type"], detail=json.loads(row["detail"]))
        for row in await connection.fetch(query, email["id"])
    ]
    return [EmailEvent(at=email["created_at"], type="queued", detail={"by": email["queued_by"]}), *told]


async def list_trouble(connection: Connection) -> list[dict[str, Any]]:
    """Return what is wrong with the transports: {transport, code, words, since, clock_off}."""
    query = """
        select name as transport, trouble_code as code, trouble_words as words, trouble_since as since, clock_off
        from gatepost.email_transports where trouble_code is not null or clock_off is not null order by name
    """
    return [dict(row) for row in await connection.fetch(query)]


async def cancel_email(connection: Connection, email_id: UUID, actor: str, ip: Address | None) -> None:
    """Take a message back.

    Raises:
        NotFound: there is none.
        Conflict: it may have gone out already.
    """
    await connection.execute("select gatepost.cancel_email($1, $2, $3)", email_id, actor, ip)


async def resend_email(connection: Connection, email_id: UUID, actor: str, ip: Address | None) -> UUID:
    """Queue a message like one that has come to its end, and return the new one's id.

    Raises:
        NotFound: there is none.
        Conflict: it is on its way still, its time is over, or it was the test of a draft.
    """
    again: UUID = await connection.fetchval("select gatepost.resend_email($1, $2, $3)", email_id, actor, ip)
    return again


async def suppress(connection: Connection, email: str, note: str, actor: str, ip: Address | None) -> Suppression | None:
    """Write to an address no more; None: it is on the list already."""
    row = await connection.fetchrow(
        """
        insert into gatepost.email_suppressions (email, reason, note, created_by) values (lower($1), 'manual', $2, $3)
        on conflict (email) do nothing
        returning *
        """,
        email,
        note,
        actor,
    )
    if row is None:
        return None
    await _note(connection, actor, "suppression.added", row["id"], note, ip)
    return Suppression(**dict(row))


async def list_suppressions(
    connection: Connection,
    email: str | None,
    before: datetime | None,
    last: UUID | None,
    limit: int,
    q: str | None = None,
) -> list[Suppression]:
    """Return suppressed addresses, the newest first; with `email`, that one, with `q` those that begin with it."""
    query = """
        select * from gatepost.email_suppressions
        where ($1::timestamptz is null or (created_at, id) < ($1, $2::uuid)) and ($3::text is null or email = lower($3))
            and ($5::text is null or starts_with(email, lower($5)))
        order by created_at desc, id desc limit $4
    """
    return [Suppression(**dict(row)) for row in await connection.fetch(query, before, last, email, limit, q)]


async def delete_suppression(connection: Connection, suppression_id: UUID, actor: str, ip: Address | None) -> bool:
    """Write to an address again; False: there is no such suppression."""
    query = "delete from gatepost.email_suppressions where id = $1 returning true"
    found = bool(await connection.fetchval(query, suppression_id))
    if found:
        await _note(connection, actor, "suppression.removed", suppression_id, None, ip)
    return found


async def _note(
    connection: Connection, actor: str, action: str, suppression_id: UUID, reason: str | None, ip: Address | None
) -> None:
    target = f"suppression:{suppression_id}"
    await connection.execute("select gatepost.note_audit($1, $2, $3, $4, $5)", actor, action, target, reason, ip)


def _email(row: Record) -> Email:
    return Email(**{name: row[name] for name in Email.model_fields})
