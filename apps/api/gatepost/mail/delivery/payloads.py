"""From a queued message to the bytes that go out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gatepost.db.pool import Database
from gatepost.errors import FieldError, NotFound, Refusal, TemplateInvalid
from gatepost.mail.delivery.store import Composed, Queued
from gatepost.mail.notifications.service import Notices
from gatepost.mail.rendering.shapes import Rendered
from gatepost.mail.templates.published import Published
from gatepost.mail.templates.renderer import Renderer
from gatepost.mail.templates.words import Words

# By this tag an event says which message of ours it tells of, before its provider's id is known.
TAG = "gatepost_email_id"


class Composer:
    """Renders messages, those of the same words together."""

    def __init__(self, database: Database, published: Published, renderer: Renderer, notices: Notices) -> None:
        self._database = database
        self._published = published
        self._renderer = renderer
        self._notices = notices

    def fill(self, notice: Mapping[str, Any] | None, payload: str) -> str:
        """Return the payload that goes out: a notice with its link in the place of the mark that is kept."""
        return self._notices.fill(notice, payload) if notice else payload

    async def compose(self, queued: Sequence[Queued]) -> tuple[list[Composed], dict[UUID, str]]:
        """Return the messages that are not frozen yet, rendered; and those that cannot be, with words that say why.

        Raises:
            ServiceUnavailable: the renderer or the database is busy.
        """
        made: list[Composed] = []
        failed: dict[UUID, str] = {}
        alike: dict[tuple[str, str, int], list[Queued]] = defaultdict(list)
        for each in queued:
            if not each.frozen and each.version is not None:
                alike[each.template, each.locale, each.version].append(each)
        for place, some in alike.items():
            for each, rendered in zip(some, await self._render(place, some), strict=True):
                if isinstance(rendered, Refusal):
                    failed[each.id] = _words(rendered)
                else:
                    made.append(
                        Composed(each.id, rendered.subject, payload(each.id, each.recipient, each.reply_to, rendered))
                    )
        return made, failed

    async def _render(self, place: tuple[str, str, int], some: list[Queued]) -> list[Rendered | Refusal]:
        try:
            words = await self._published.words(*place)
        except (NotFound, TemplateInvalid) as refusal:
            return [refusal] * len(some)
        return await self._renderer.render(words, await self._values(words, some))

    async def _values(self, words: Words, some: list[Queued]) -> list[Mapping[str, Any]]:
        if all(each.notice is None for each in some):
            return [each.variables for each in some]
        # Words of one's own need not say everything.
        declared = {each.name for each in words.declared}
        values: list[Mapping[str, Any]] = []
        async with self._database.connection() as connection:
            for each in some:
                told = each.variables
                if each.notice is not None:
                    everything = await self._notices.values(connection, each.notice, words.locale)
                    told = {name: everything[name] for name in everything.keys() & declared}
                values.append(told)
        return values


def payload(email_id: UUID, recipient: str, reply_to: str | None, rendered: Rendered) -> str:
    """Return the JSON text of a message: {to, subject, html, text, tags, reply_to?}."""
    parts: dict[str, Any] = {
        "to": [recipient],
        "subject": rendered.subject,
        "html": rendered.html,
        "text": rendered.text,
        "tags": [{"name": TAG, "value": str(email_id)}],
    }
    if reply_to is not None:
        parts["reply_to"] = reply_to
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def _words(refusal: Refusal) -> str:
    found = [
        f"{'.'.join(str(part) for part in error.loc[2:])}: {error.msg}" if isinstance(error, FieldError) else error.msg
        for error in refusal.errors or []
    ]
    return " ".join([refusal.detail, *found])[:1000]
