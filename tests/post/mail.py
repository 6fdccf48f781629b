"""The mail that really left a service."""

from __future__ import annotations

import re
from typing import Any

from tests.post.support import status_of
from tests.resend import FakeResend
from tests.support import Service

PAGES = "https://app.acme.com"


class Post:
    """A service and the mail that really left it."""

    def __init__(self, service: Service, resend: FakeResend) -> None:
        self.service = service
        self.resend = resend

    async def mail(self, template: str, number: int = 1) -> dict[str, Any]:
        """Wait for the nth mail by a template, and return it as it was sent, with its `row`."""
        query = "select id from gatepost.emails where template = $1 order by created_at, id offset $2"
        email_id = await self.service.sql.fetchval(query, template, number - 1)
        assert email_id is not None, template
        row = await status_of(self.service, str(email_id), "sent", "delivered")
        sent = self.resend.books.find(row["provider_id"])
        assert sent is not None
        return {**sent.payload, "row": row}

    async def token(self, template: str, number: int = 1) -> str:
        """Return the token of the link in a mail."""
        found = re.search(rf"{PAGES}/[a-z-]+#token=([\w-]+)", (await self.mail(template, number))["text"])
        assert found
        return found[1]

    async def count(self, template: str) -> int:
        counted: int = await self.service.sql.fetchval(
            "select count(*) from gatepost.emails where template = $1", template
        )
        return counted
