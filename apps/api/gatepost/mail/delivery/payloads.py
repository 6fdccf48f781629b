"""Builds the payloads of queued emails: the JSON texts that transports send."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gatepost.db import Database
from gatepost.errors import ApiError, FieldError, NotFound, TemplateInvalid
from gatepost.mail.delivery.store import QueuedEmail, RenderedEmail
from gatepost.mail.notifications import NotificationContent
from gatepost.mail.outbox import build_payload
from gatepost.mail.rendering import Rendered
from gatepost.mail.templates import PublishedTemplates, PublishedVersion, Renderer

_MAX_MESSAGE_LENGTH = 1000


class PayloadBuilder:
    """Renders queued emails, those of the same template version together."""

    def __init__(
        self,
        database: Database,
        published: PublishedTemplates,
        renderer: Renderer,
        content: NotificationContent,
    ) -> None:
        self._database = database
        self._published = published
        self._renderer = renderer
        self._content = content

    def insert_link(self, notification: Mapping[str, Any] | None, payload: str) -> str:
        """Return the payload to send: that of a notification with its link in place of the stored placeholder."""
        return self._content.insert_link(notification, payload) if notification else payload

    async def build(self, queued: Sequence[QueuedEmail]) -> tuple[list[RenderedEmail], dict[UUID, str]]:
        """Render the emails that are not frozen yet. Return them, and the error messages of those that failed.

        Raises:
            ServiceUnavailable: the renderer is busy, or the database cannot be reached.
        """
        rendered: list[RenderedEmail] = []
        failed: dict[UUID, str] = {}
        by_version: dict[tuple[str, str, int], list[QueuedEmail]] = defaultdict(list)
        for email in queued:
            if not email.frozen and email.version is not None:
                by_version[email.template, email.locale, email.version].append(email)
        for key, emails in by_version.items():
            for email, result in zip(emails, await self._render(key, emails), strict=True):
                if isinstance(result, ApiError):
                    failed[email.id] = _message(result)
                else:
                    payload = build_payload(email.id, email.recipient, email.reply_to, result)
                    rendered.append(RenderedEmail(email.id, result.subject, payload))
        return rendered, failed

    async def _render(self, key: tuple[str, str, int], emails: list[QueuedEmail]) -> list[Rendered | ApiError]:
        try:
            version = await self._published.read(*key)
        except (NotFound, TemplateInvalid) as error:
            return [error] * len(emails)
        return await self._renderer.render(version, await self._values(version, emails))

    async def _values(self, version: PublishedVersion, emails: list[QueuedEmail]) -> list[Mapping[str, Any]]:
        if all(email.notification is None for email in emails):
            return [email.variables for email in emails]
        # A custom version may declare only some of the values of a notification.
        declared = {variable.name for variable in version.declared}
        result: list[Mapping[str, Any]] = []
        async with self._database.connection() as connection:
            for email in emails:
                if email.notification is None:
                    result.append(email.variables)
                else:
                    values = await self._content.values(connection, email.notification, version.locale)
                    result.append({name: values[name] for name in values.keys() & declared})
        return result


def _message(error: ApiError) -> str:
    details = [
        f"{'.'.join(str(part) for part in each.loc[2:])}: {each.msg}" if isinstance(each, FieldError) else each.msg
        for each in error.errors or []
    ]
    return " ".join([error.detail, *details])[:_MAX_MESSAGE_LENGTH]
