"""Which emails users receive: they can turn off all but security emails."""

from __future__ import annotations

from uuid import UUID

from gatepost.db import Connection
from gatepost.errors import Conflict, NotFound
from gatepost.mail.notifications import store
from gatepost.mail.notifications.models import Notification
from gatepost.mail.templates import TemplateService


class NotificationService:
    """Lists the kinds of email that users receive, and turns them on and off."""

    def __init__(self, templates: TemplateService) -> None:
        self._templates = templates

    async def list_notifications(self, connection: Connection, user_id: UUID) -> list[Notification]:
        """Return every kind of email, by key."""
        opt_outs = await store.list_opt_outs(connection, user_id)
        return [
            Notification(
                key=each.key,
                name=each.name,
                description=each.description,
                security=each.security,
                enabled=each.security or each.key not in opt_outs,
            )
            for each in await self._templates.list_summaries(connection)
        ]

    async def update_notification(
        self, connection: Connection, user_id: UUID, key: str, *, enabled: bool
    ) -> Notification:
        """Turn a kind of email on or off.

        Raises:
            NotFound: there is no such kind of email.
            Conflict: it is a security email and cannot be turned off.
        """
        notifications = {each.key: each for each in await self.list_notifications(connection, user_id)}
        found = notifications.get(key)
        if found is None:
            raise NotFound("There is no notification with this key. Reload the list of notifications.")
        if found.security and not enabled:
            raise Conflict("Security emails cannot be turned off.")
        if enabled:
            await store.delete_opt_out(connection, user_id, key)
        else:
            await store.add_opt_out(connection, user_id, key)
        return found.model_copy(update={"enabled": enabled})
