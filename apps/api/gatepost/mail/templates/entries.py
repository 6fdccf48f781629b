"""A template in the list: what it is called, and how far its words are."""

from __future__ import annotations

from typing import Any

from gatepost.mail.templates.files import TemplateFiles
from gatepost.mail.templates.models import TemplateEntry
from gatepost.mail.templates.store import StoredTemplate


def entry(key: str, stored: StoredTemplate | None, builtin: TemplateFiles | None, locale: str) -> TemplateEntry:
    """Return a template as the list shows it in a language; one of `stored` and `builtin` is there."""
    described: Any = builtin or stored
    rows = stored.locales if stored else {}
    row = rows.get(locale)
    written = {each for each, found in rows.items() if found["draft"] or found["published_version"]}
    published: int | None = row["published_version"] if row else None
    if published is None and builtin and locale in builtin.sources:
        published = 0
    return TemplateEntry(
        key=key,
        name=described.name,
        description=described.description,
        source="builtin" if builtin else "custom",
        locales=sorted(written | set(builtin.sources if builtin else ())),
        changed=sorted(written),
        published_version=published,
        has_draft=bool(row and row["draft"]),
        updated_at=row["updated_at"] if row else None,
        updated_by=row["updated_by"] if row else None,
    )
