"""SQL of templates, their drafts and their versions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from asyncpg import Record
from pydantic import JsonValue

from gatepost.audit import Actor
from gatepost.db import Connection
from gatepost.errors import TemplateDiagnostic
from gatepost.mail.rendering import Prepared
from gatepost.mail.templates.models import TemplateDraft, TemplateSource, TemplateVersion, VersionEntry

_PREPARED = "select prepared from gatepost.email_template_versions where key = $1 and locale = $2 and version = $3"

# The ETag of a language without changes (see gatepost.template_etag).
UNCHANGED_ETAG = "v0"


@dataclass(frozen=True, slots=True)
class StoredLocale:
    """One language of a template that was changed. `etag` changes with every save and publication."""

    locale: str
    etag: str
    draft: TemplateDraft | None
    published_version: int | None
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """A template that was created or changed, with its changed languages."""

    key: str
    name: str
    description: str
    contains_secrets: bool
    samples: dict[str, Any]
    locales: dict[str, StoredLocale]


@dataclass(frozen=True, slots=True)
class DraftChange:
    """A draft to save over the source with this ETag (None: there must be no draft); `action` is for the audit log."""

    key: str
    locale: str
    etag: str | None
    source: TemplateSource
    diagnostics: Sequence[TemplateDiagnostic]
    action: Literal["template.created", "template.drafted", "template.restored"]


async def create_template(
    connection: Connection, key: str, *, builtin: bool, name: str, description: str, contains_secrets: bool = False
) -> bool:
    """Create a template and return True; return False if it exists. A deleted one is created again."""
    query = """
        insert into gatepost.email_templates as t (key, builtin, name, description, contains_secrets)
        values ($1, $2, $3, $4, $5)
        on conflict (key) do update
        set builtin = excluded.builtin, name = excluded.name, description = excluded.description,
            contains_secrets = excluded.contains_secrets, created_at = now(), deleted_at = null
        where t.deleted_at is not null
        returning true
    """
    return bool(await connection.fetchval(query, key, builtin, name, description, contains_secrets))


async def mark_secrets(connection: Connection, key: str, contains_secrets: bool, actor: Actor) -> None:
    """Say whether the emails of a template contain secrets.

    Raises:
        NotFound: there is no such template.
    """
    query = "select gatepost.mark_template_secrets($1, $2, $3, $4)"
    await connection.execute(query, key, contains_secrets, actor.name, actor.ip)


async def list_templates(connection: Connection) -> list[StoredTemplate]:
    """Return all templates that were created or changed, and not deleted."""
    rows = await connection.fetch("select * from gatepost.email_templates where deleted_at is null order by key")
    return await _with_locales(connection, rows)


async def read_template(connection: Connection, key: str) -> StoredTemplate | None:
    """Return a template that was created or changed, or None."""
    query = "select * from gatepost.email_templates where deleted_at is null and key = $1"
    found = await _with_locales(connection, await connection.fetch(query, key))
    return found[0] if found else None


async def _with_locales(connection: Connection, rows: Sequence[Record]) -> list[StoredTemplate]:
    query = """
        select l.*, gatepost.template_etag(l) as etag from gatepost.email_template_locales l where l.key = any ($1)
    """
    locales: dict[str, dict[str, StoredLocale]] = {row["key"]: {} for row in rows}
    for row in await connection.fetch(query, list(locales)):
        locales[row["key"]][row["locale"]] = StoredLocale(
            row["locale"],
            row["etag"],
            _draft(row),
            row["published_version"],
            row["updated_at"],
            row["updated_by"],
        )
    return [
        StoredTemplate(
            row["key"],
            row["name"],
            row["description"],
            row["contains_secrets"],
            json.loads(row["samples"]),
            locales[row["key"]],
        )
        for row in rows
    ]


def _draft(row: Record) -> TemplateDraft | None:
    if row["draft"] is None:
        return None
    return TemplateDraft(
        **json.loads(row["draft"]),
        etag=row["etag"],
        diagnostics=json.loads(row["diagnostics"]),
        updated_at=row["updated_at"],
        updated_by=row["updated_by"],
    )


async def save_draft(connection: Connection, change: DraftChange, actor: Actor) -> None:
    """Save a draft.

    Raises:
        NotFound: there is no such template.
        Conflict: the source was changed in the meantime.
    """
    query = "select gatepost.save_template_draft($1, $2, $3, $4, $5, $6, $7, $8)"
    await connection.execute(
        query,
        change.key,
        change.locale,
        change.etag,
        # Only the source: a version that is restored has other fields as well.
        change.source.model_dump_json(include=set(TemplateSource.model_fields)),
        json.dumps([each.model_dump() for each in change.diagnostics]),
        change.action,
        actor.name,
        actor.ip,
    )


async def save_samples(connection: Connection, key: str, samples: dict[str, JsonValue]) -> bool:
    """Save the sample values of a template, and return whether it exists in the database."""
    query = "update gatepost.email_templates set samples = $2 where key = $1 and deleted_at is null returning true"
    return bool(await connection.fetchval(query, key, json.dumps(samples)))


async def publish_template(
    connection: Connection, key: str, locale: str, etag: str, prepared: Prepared, actor: Actor
) -> int:
    """Publish the draft with an ETag as the next version and return its number.

    Raises:
        Conflict: the draft was changed in the meantime.
    """
    query = "select gatepost.publish_template($1, $2, $3, $4, $5, $6)"
    parts = json.dumps({"subject": prepared.subject, "html": prepared.html, "text": prepared.text})
    number: int = await connection.fetchval(query, key, locale, UUID(etag), parts, actor.name, actor.ip)
    return number


async def delete_template(connection: Connection, key: str, actor: Actor) -> None:
    """Delete a custom template, or reset a built-in one to its default.

    Raises:
        NotFound: it was never created or changed.
    """
    await connection.execute("select gatepost.delete_template($1, $2, $3)", key, actor.name, actor.ip)


async def list_versions(
    connection: Connection, key: str, locale: str, before: int | None, limit: int
) -> list[VersionEntry]:
    """Return the versions in one language, newest first."""
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
    """Return the compiled form of a version, or None."""
    found = await connection.fetchval(_PREPARED, key, locale, version)
    return Prepared(key=f"{key}/{locale}/{version}", **json.loads(found)) if found is not None else None


async def register_builtins(connection: Connection, builtins: Sequence[tuple[str, str, bool]]) -> None:
    """Record the built-in templates, as (key, locale, whether it is a security email). Other rows are deleted."""
    query = """
        with given as (select * from unnest($1::text[], $2::text[], $3::boolean[]) r (key, locale, security)),
        gone as (
            delete from gatepost.builtin_templates b
            where not exists (select from given r where (r.key, r.locale) = (b.key, b.locale))
        )
        insert into gatepost.builtin_templates as b (key, locale, security)
        select * from given
        on conflict (key, locale) do update set security = excluded.security
        where b.security <> excluded.security
    """
    keys, locales, security = zip(*builtins, strict=True)
    await connection.execute(query, keys, locales, security)
