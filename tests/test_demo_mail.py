"""The mail of the demo data: there once, sent by the worker, and never to anybody."""

from __future__ import annotations

import asyncio

import asyncpg

from gatepost.cli.demo_mail import ACTOR
from tests.shell import run_here
from tests.support import admin, running_service


async def test_the_demo_data_holds_mail_once_and_it_is_sent(database_url: str) -> None:
    for _ in range(2):
        code, _, err = await asyncio.to_thread(run_here, ("seed",), {"database_url": database_url})
        assert (code, err) == (0, "")
    async with running_service(database_url) as service:
        query = "select status, count(*) from gatepost.emails where queued_by = $1 group by status"
        async with asyncio.timeout(20):
            while True:
                found = {row["status"]: row["count"] for row in await service.sql.fetch(query, ACTOR)}
                if "sent" in found and "sending" not in found:
                    break
                await asyncio.sleep(0.02)
        # The one in the queue is scheduled for tomorrow.
        assert found == {"sent": 6, "queued": 1, "bounced": 1, "suppressed": 1}
        boss = await admin(service)
        [bounced] = (await boss.get("/v1/emails?status=bounced")).json()["items"]
        shown = (await boss.get(f"/v1/emails/{bounced['id']}")).json()
        assert [event["type"] for event in shown["events"]] == ["queued", "accepted", "bounced"]
        assert len((await boss.get("/v1/emails?status=scheduled&template=new-invoice")).json()["items"]) == 1
        assert await service.sql.fetchval("select count(*) from gatepost.email_attachments") == 1


async def test_demo_mail_does_not_leave_the_house(database_url: str) -> None:
    ways = {"mail_transport": "smtp", "smtp_url": "smtp://127.0.0.1", "mail_from": "a@acme.com"}
    code, _, _ = await asyncio.to_thread(run_here, ("seed",), {"database_url": database_url, **ways})
    assert code == 0
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("select count(*) from gatepost.emails") == 0
    await connection.close()
