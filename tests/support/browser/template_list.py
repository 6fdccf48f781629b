"""Templates of the template list."""

from __future__ import annotations

import json

from tests.support import Service

_DRAFT = json.dumps({"subject": "Hello", "preheader": "", "html": "<p>Hello.</p>", "text": None, "variables": []})


async def compose(service: Service, key: str) -> None:
    """Save a draft of a template; it is a custom template unless the key is built in."""
    builtin = await service.sql.fetchval("select exists (select from gatepost.builtin_templates where key = $1)", key)
    await service.sql.execute(
        "insert into gatepost.email_templates (key, builtin, name, description) values ($1, $2, $1, 'A test.')",
        key,
        builtin,
    )
    await service.sql.execute(
        "select gatepost.save_template_draft($1, 'en', null, $2, '[]', 'template.drafted', 'cli', null)", key, _DRAFT
    )
