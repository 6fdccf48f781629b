"""The emails of the demo data: created once, captured by the worker, and never sent to anybody."""

from __future__ import annotations

import asyncio

from gatepost.cli.demo_emails import ACTOR
from tests.support import running_service
from tests.support.cli import run_here
from tests.support.database import connect


async def test_demo_emails_are_created_once_and_captured(database_url: str) -> None:
    for _ in range(2):
        code, _, err = await asyncio.to_thread(run_here, ("seed",), {"database_url": database_url})
        assert (code, err) == (0, "")
    async with running_service(database_url) as service:
        query = "select status, count(*) from gatepost.emails where queued_by = $1 group by status"
        async with asyncio.timeout(20):
            while True:
                found = {row["status"]: row["count"] for row in await service.sql.fetch(query, ACTOR.name)}
                if "sent" in found and "sending" not in found:
                    break
                await asyncio.sleep(0.02)
        # The queued one is scheduled for tomorrow.
        assert found == {"sent": 6, "queued": 1, "bounced": 1, "suppressed": 1}
        admin = await service.register_admin()
        [bounced] = (await admin.get("/v1/emails?status=bounced")).json()["items"]
        shown = (await admin.get(f"/v1/emails/{bounced['id']}")).json()
        assert [event["type"] for event in shown["events"]] == ["queued", "accepted", "bounced"]
        assert len((await admin.get("/v1/emails?status=scheduled&template=new-invoice")).json()["items"]) == 1
        assert await service.sql.fetchval("select count(*) from gatepost.email_attachments") == 1


async def test_no_demo_emails_are_created_with_a_real_transport(database_url: str) -> None:
    mail_settings = {"mail_transport": "smtp", "smtp_url": "smtp://127.0.0.1", "mail_from": "a@acme.com"}
    code, _, _ = await asyncio.to_thread(run_here, ("seed",), {"database_url": database_url, **mail_settings})
    assert code == 0
    async with connect(database_url) as connection:
        assert await connection.fetchval("select count(*) from gatepost.emails") == 0
