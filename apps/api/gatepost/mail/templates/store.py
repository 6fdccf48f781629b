"""Templates, their drafts and their versions, in SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asyncpg import Record
from pydantic import JsonValue

from gatepost.db.pool import Connection
from gatepost.errors import TemplateDiagnostic
from gatepost.http.client_ip import Address
from gatepost.mail.rendering.shapes import Prepared
from gatepost.mail.templates.models import TemplateDraft, TemplateSource, TemplateVersion, VersionEntry

_PREPARED = "select prepared from gatepost.email_template_versions where key = $1 and locale = $2 and version = $3"


@dataclass(frozen=True)
class StoredTemplate:
    """A template that somebody touched: its row, and what stands in each language."""

    key: str
    builtin: bool
    name: str
    description: str
    samples: dict[str, Any]
    locales: dict[str, Record]


async def create_template(
    connection: Connection, key: str, *, builtin: bool, name: str = "", description: str = ""
) -> bool:
    """Have a template of that key, and tell whether it is new; one that was deleted begins anew."""
    query = """
        insert into gatepost.email_templates as t (key, builtin, name, description) values ($1, $2, $3, $4)
        on conflict (key) do update
        set builtin = excluded.builtin, name = excluded.name, description = excluded.description,
            created_at = now(), deleted_at = null
        where t.deleted_at is not null
        returning true
    """
    return bool(await connection.fetchval(query, key, builtin, name, description))


async def list_templates(connection: Connection) -> list[StoredTemplate]:
    """Return every template that somebody touched and nobody deleted."""
    rows = await connection.fetch("select * from gatepost.email_templates where deleted_at is null order by key")
    return await _with_locales(connection, rows)


async def read_template(connection: Connection, key: str) -> StoredTemplate | None:
    """Return one that somebody touched, or None."""
    query = "select * from gatepost.email_templates where deleted_at is null and key = $1"
    found = await _with_locales(connection, await connection.fetch(query, key))
    return found[0] if found else None


async def _with_locales(connection: Connection, rows: Sequence[Record]) -> list[StoredTemplate]:
    query = "select * from gatepost.email_template_locales where key = any ($1)"
    languages: dict[str, dict[str, Record]] = {row["key"]: {} for row in rows}
    for row in await connection.fetch(query, list(languages)):
        languages[row["key"]][row["locale"]] = row
    return [
        StoredTemplate(
            row["key"],
            row["builtin"],
            row["name"],
            row["description"],
            json.loads(row["samples"]),
            languages[row["key"]],
        )
        for row in rows
    ]


def draft_of(row: Record) -> TemplateDraft | None:
    """Return the draft of a row of `email_template_locales`, or None."""
    if row["draft"] is None:
        return None
    return TemplateDraft(
        **json.loads(row["draft"]),
        etag=str(row["draft_tag"]),
        diagnostics=json.loads(row["diagnostics"]),
        updated_at=row["updated_at"],
        updated_by=row["updated_by"],
    )


async def save_draft(
    connection: Connection,
    key: str,
    locale: str,
    tag: str | None,
    source: TemplateSource,
    diagnostics: Sequence[TemplateDiagnostic],
    action: str,
    actor: str,
    ip: Address | None,
) -> None:
    """Save a draft made from what had that tag; without one, there must be no draft.

    Raises:
        NotFound: there is no such template.
        Conflict: something else stands by now.
    """
    query = "select gatepost.save_template_draft($1, $2, $3, $4, $5, $6, $7, $8)"
    # The words alone: an old version that is restored knows its number, too.
    draft = source.model_dump_json(include=set(TemplateSource.model_fields))
    found = json.dumps([each.model_dump() for each in diagnostics])
    await connection.execute(query, key, locale, tag, draft, found, action, actor, ip)


async def save_samples(connection: Connection, key: str, samples: dict[str, JsonValue]) -> bool:
    """Keep the values to look at a template with, and tell whether there is one that somebody touched."""
    query = "update gatepost.email_templates set samples = $2 where key = $1 and deleted_at is null returning true"
    return bool(await connection.fetchval(query, key, json.dumps(samples)))


async def publish_template(
    connection: Connection,
    key: str,
    locale: str,
    tag: UUID,
    prepared: Prepared,
    actor: str,
    ip: Address | None,
) -> int:
    """Make the draft of that tag the next version and return its number.

    Raises:
        Conflict: the draft is another by now.
    """
    query = "select gatepost.publish_template($1, $2, $3, $4, $5, $6)"
    parts = json.dumps({"subject": prepared.subject, "html": prepared.html, "text": prepared.text})
    number: int = await connection.fetchval(query, key, locale, tag, parts, actor, ip)
    return number


async def delete_template(connection: Connection, key: str, actor: str, ip: Address | None) -> None:
    """Delete a template of one's own; a built-in one goes back to its default.

    Raises:
        NotFound: nobody ever touched it.
    """
    await connection.execute("select gatepost.delete_template($1, $2, $3)", key, actor, ip)


async def list_versions(
    connection: Connection, key: str, locale: str, before: int | None, limit: int
) -> list[VersionEntry]:
    """Return the versions in one language, the newest first."""
    rows = await connection.fetch(
        """
        select v.version, v.published_at, v.published_by, v.version is not distinct from l.published_version as current
        from gatepost.email_template_versions v
        join gatepost.email_template_locales l using (key, locale)
        where v.key = $1 and v.locale = $2 and ($3::integer is null or v.version < $3)
        order by v.version desc limit $4
        """,
        key,
        locale,
        before,
        limit,
    )
    return [VersionEntry(**dict(row)) for row in rows]


async def read_version(connection: Connection, key: str, locale: str, version: int) -> TemplateVersion | None:
    """Return one version, or None."""
    row = await connection.fetchrow(
        """
        select source, version, published_at, published_by from gatepost.email_template_versions
        where key = $1 and locale = $2 and version = $3
        """,
        key,
        locale,
        version,
    )
    if row is None:
        return None
    return TemplateVersion(
        **json.loads(row["source"]),
        version=row["version"],
        published_at=row["published_at"],
        published_by=row["published_by"],
    )


async def read_prepared(connection: Connection, key: str, locale: str, version: int) -> Prepared | None:
    """Return what the renderer compiles of a version, or None."""
    found = await connection.fetchval(_PREPARED, key, locale, version)
    return Prepared(key=f"{key}/{locale}/{version}", **json.loads(found)) if found is not None else None


async def register_builtins(connection: Connection, speaks: Sequence[tuple[str, str, bool]]) -> None:
    """Say which templates are built in: (key, locale, whether it is security mail); nothing is written that stands."""
    query = """
        with running as (select * from unnest($1::text[], $2::text[], $3::boolean[]) r (key, locale, security)),
        gone as (
            delete from gatepost.builtin_templates b
            where not exists (select from running r where (r.key, r.locale) = (b.key, b.locale))
        )
        insert into gatepost.builtin_templates as b (key, locale, security)
        select * from running
        on conflict (key, locale) do update set security = excluded.security
        where b.security <> excluded.security
    """
    keys, locales, security = zip(*speaks, strict=True)
    await connection.execute(query, keys, locales, security)
