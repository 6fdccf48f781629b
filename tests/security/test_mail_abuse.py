"""Mail as a weapon: what someone who only has a form and a User-Agent header can send to others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gatepost.db import Connection
from tests.support import CHROME_ON_WINDOWS, PASSWORD, SAFARI_ON_IPHONE, Device
from tests.support.database import connect
from tests.support.mail import WEB_URL, MailService, pause_mail, running_mail_service

BAIT = "You won: evil.example"
# What the parser of User-Agent headers takes as the name of a browser.
BAIT_BROWSER = "Claim at evil-example com/1.0 CFNetwork/1485 Darwin/23.1.0"
QUEUE = "select gatepost.queue_notification('welcome', $1)"
DUE_NOW = "update gatepost.emails set send_at = now(), due_at = now() where template = 'notification-summary'"


@pytest.fixture
async def mailing(database_url: str) -> AsyncIterator[MailService]:
    """A service that sends through a fake Resend and knows clients by the header of its proxy."""
    async with running_mail_service(database_url, trusted_proxies="127.0.0.1", max_sessions=50) as service:
        yield service


async def sign_in(service: MailService, email: str, ip: str, **extra: Any) -> Device:
    """Sign a user in from an IP address, in a browser without cookies."""
    headers = {"X-Forwarded-For": ip, "User-Agent": extra.pop("user_agent", SAFARI_ON_IPHONE)}
    form = {"email": email, "password": PASSWORD, **extra}
    response = await service.http.post("/v1/auth/login", json=form, headers=headers)
    assert response.status_code == 200, response.text
    return Device(service.http, email, response.json())


async def count_by_template(service: MailService, recipient: str) -> dict[str, int]:
    query = "select template, count(*) from gatepost.emails where recipient = $1 group by 1"
    return {row["template"]: row["count"] for row in await service.sql.fetch(query, recipient)}


async def test_an_unconfirmed_email_address_gets_only_what_proves_who_owns_it(mailing: MailService) -> None:
    """Neither sign-ins nor what an admin does is reported there: anyone could have registered it."""
    victim = await mailing.register(email="victim@example.com")
    for number in range(7):
        device = await sign_in(mailing, victim.email, f"198.51.100.{number}")
    first = device.refresh_token
    await device.refresh()
    await device.refresh()
    await mailing.http.post("/v1/auth/refresh", json={"refresh_token": first})
    admin = await mailing.register_admin()
    await admin.delete(f"/v1/admin/users/{victim.user_id}/sessions?reason=lost&notify=true")
    await mailing.http.post("/v1/auth/password/forgot", json={"email": victim.email})
    assert await count_by_template(mailing, victim.email) == {"verify-email": 1, "reset-password": 1}

    await mailing.sql.execute("update gatepost.users set email_verified_at = now() where id = $1", victim.user_id)
    await sign_in(mailing, victim.email, "203.0.113.1")
    assert (await count_by_template(mailing, victim.email))["new-device"] == 1


async def test_names_that_a_client_chose_are_in_no_email(mailing: MailService) -> None:
    """Neither the device's name, when it signs in or is renamed, nor the user's, nor a made-up browser."""
    user = await mailing.register_confirmed(device_name=BAIT)
    await mailing.sql.execute(
        """update gatepost.users set user_metadata = jsonb_build_object('name', $1::text)""", BAIT
    )
    named = await sign_in(mailing, user.email, "198.51.100.1", device_name=BAIT)
    assert named.sign_in["session"]["name"] == BAIT
    renamed = await sign_in(mailing, user.email, "198.51.100.2")
    assert (await renamed.patch(f"/v1/sessions/{renamed.id}", {"name": BAIT})).status_code == 200
    made_up = await sign_in(mailing, user.email, "198.51.100.3", user_agent=BAIT_BROWSER)
    assert "evil-example" in made_up.sign_in["session"]["device"]["browser"]

    admin = await mailing.register_admin(confirmed=True)
    await mailing.create_api_key(admin, "emails:read", name=BAIT)
    await admin.delete(f"/v1/admin/sessions/{named.id}?reason=lost&notify=true")
    await admin.delete(f"/v1/admin/users/{user.user_id}/sessions?reason=lost&notify=true")
    await mailing.http.post("/v1/auth/password/forgot", json={"email": user.email})
    await mailing.sql.execute("select gatepost.queue_notification('welcome', $1)", user.user_id)

    templates = ["new-device"] * 3 + ["session-revoked"] * 2
    templates += ["api-key-created", "admin-added", "reset-password", "welcome", "verify-email"]
    for number, template in enumerate(templates):
        nth = templates[:number].count(template) + 1
        sent = await mailing.sent_email(template, nth)
        for part in ("subject", "html", "text"):
            assert "evil" not in sent[part], (template, part)
    assert "Unknown" in (await mailing.sent_email("new-device", 3))["text"]


async def test_the_new_device_email_states_browser_system_ip_address_and_location(mailing: MailService) -> None:
    user = await mailing.register_confirmed()
    await sign_in(mailing, user.email, "198.51.100.1", user_agent=CHROME_ON_WINDOWS, device_name="My laptop")
    sent = await mailing.sent_email("new-device")
    lines = sent["text"].splitlines()
    facts = {line.partition(":")[0]: line.partition(":")[2].strip() for line in lines if ":  " in line}
    assert facts.pop("Time").endswith("UTC")
    assert facts == {"Browser": "Chrome", "System": "Windows", "IP address": "198.51.100.1", "Location": "Unknown"}
    for value in facts.values():
        assert f">{value}</td>" in sent["html"]
    assert sent["subject"] == "New sign-in from Chrome on Windows"


async def test_parallel_sign_ins_send_five_emails_and_one_summary(mailing: MailService) -> None:
    user = await mailing.register_confirmed()
    devices = await asyncio.gather(*(sign_in(mailing, user.email, f"198.51.100.{number}") for number in range(12)))
    assert len({device.id for device in devices}) == 12
    counted = await count_by_template(mailing, user.email)
    assert counted == {"verify-email": 1, "new-device": 5, "notification-summary": 1}
    # Of those that are not sent one by one, no link is left.
    assert await mailing.sql.fetchval("select count(*) from gatepost.links where purpose = 'not_me'") == 5
    due = "select send_at - now() from gatepost.emails where template = 'notification-summary'"
    assert 0 < (await mailing.sql.fetchval(due)).total_seconds() <= 600

    # Other kinds have their own ceiling and are in the same summary.
    admin = await mailing.register_admin()
    for _ in range(7):
        device = await sign_in(mailing, user.email, "198.51.100.1")
        await admin.delete(f"/v1/admin/sessions/{device.id}?reason=lost&notify=true")
    counted = await count_by_template(mailing, user.email)
    assert counted["session-revoked"] == 5
    assert counted["notification-summary"] == 1

    await mailing.sql.execute(DUE_NOW)
    summary = await mailing.sent_email("notification-summary")
    assert summary["to"] == [user.email]
    assert "7 x Sign-ins on new devices" in summary["text"]
    assert "2 x Devices signed out by an admin" in summary["text"]
    assert f"{WEB_URL}/devices" in summary["text"]
    assert f'href="{WEB_URL}/devices"' in summary["html"]
    assert "UTC" in summary["text"]


async def test_what_happens_after_a_summary_was_sent_is_in_the_next_one_an_hour_later(mailing: MailService) -> None:
    user = await mailing.register_confirmed()
    for number in range(6):
        await sign_in(mailing, user.email, f"198.51.100.{number}")
    await mailing.sql.execute(DUE_NOW)
    await mailing.sent_email("notification-summary")
    for number in range(6, 9):
        await sign_in(mailing, user.email, f"198.51.100.{number}")
    assert (await count_by_template(mailing, user.email))["notification-summary"] == 2
    query = "select max(send_at) - min(send_at) from gatepost.emails where template = 'notification-summary'"
    assert (await mailing.sql.fetchval(query)).total_seconds() == 3600
    await mailing.sql.execute(DUE_NOW)
    assert "3 x Sign-ins on new devices" in (await mailing.sent_email("notification-summary", 2))["text"]

    # An hour later, single emails are sent again.
    await mailing.sql.execute("update gatepost.emails set created_at = created_at - interval '61 minutes'")
    await sign_in(mailing, user.email, "198.51.100.99")
    assert (await count_by_template(mailing, user.email))["new-device"] == 6


async def test_the_ceiling_is_that_of_one_user(mailing: MailService) -> None:
    users = [await mailing.register_confirmed() for _ in range(2)]
    for user in users:
        for number in range(5):
            await sign_in(mailing, user.email, f"198.51.100.{number}")
    for user in users:
        counted = await count_by_template(mailing, user.email)
        assert counted == {"verify-email": 1, "new-device": 5}


async def test_a_rolled_back_sign_in_is_in_no_summary(mailing: MailService) -> None:
    user = await mailing.register_confirmed()
    for _ in range(6):
        await mailing.sql.execute(QUEUE, user.user_id)
    transaction = mailing.sql.transaction()
    await transaction.start()
    await mailing.sql.execute(QUEUE, user.user_id)
    await mailing.sql.execute("set constraints all immediate")
    await transaction.rollback()
    assert await mailing.sql.fetchval("select sum(count) from gatepost.summarized_notifications") == 1


async def wait_until_blocked(service: MailService, connection: Connection, task: asyncio.Task[Any]) -> None:
    """Wait until a task's statement waits for a lock of another transaction, or has ended."""
    query = "select wait_event_type = 'Lock' from pg_stat_activity where pid = $1"
    async with asyncio.timeout(10):
        while not task.done() and not await service.sql.fetchval(query, connection.get_server_pid()):
            await asyncio.sleep(0.005)


async def test_of_two_transactions_at_the_ceiling_only_one_sends(mailing: MailService, database_url: str) -> None:
    """The second is checked when the first has committed."""
    user = await mailing.register_confirmed()
    for _ in range(4):
        await mailing.sql.execute(QUEUE, user.user_id)
    async with connect(database_url) as first, connect(database_url) as second:
        transactions = [each.transaction() for each in (first, second)]
        for connection, transaction in zip((first, second), transactions, strict=True):
            await transaction.start()
            await connection.execute(QUEUE, user.user_id)
        await first.execute("set constraints all immediate")
        checked = asyncio.create_task(second.execute("set constraints all immediate"))
        await wait_until_blocked(mailing, second, checked)
        await transactions[0].commit()
        await checked
        await transactions[1].commit()
    counted = await count_by_template(mailing, user.email)
    assert (counted["welcome"], counted["notification-summary"]) == (5, 1)


async def test_queueing_a_notification_locks_nothing_that_a_later_statement_needs(
    mailing: MailService, database_url: str
) -> None:
    """One transaction queues and then locks a session, the other one locks the session and then queues."""
    user = await mailing.register_confirmed()
    lock = "select from gatepost.sessions where user_id = $1 for update"
    async with connect(database_url) as first, connect(database_url) as second:
        transactions = [each.transaction() for each in (first, second)]
        for transaction in transactions:
            await transaction.start()
        await first.execute(QUEUE, user.user_id)
        await second.execute(lock, user.user_id)
        locked = asyncio.create_task(first.execute(lock, user.user_id))
        await wait_until_blocked(mailing, first, locked)
        await second.execute(QUEUE, user.user_id)
        await transactions[1].commit()
        await locked
        await transactions[0].commit()
    assert await mailing.count_emails("welcome") == 2


async def test_an_event_while_a_worker_leases_the_summary_is_in_the_next_one(
    mailing: MailService, database_url: str
) -> None:
    await pause_mail(mailing)
    user = await mailing.register_confirmed()
    for _ in range(6):
        await mailing.sql.execute(QUEUE, user.user_id)
    await mailing.sql.execute(DUE_NOW)
    others = "update gatepost.emails set status = 'canceled' where template <> 'notification-summary'"
    await mailing.sql.execute(others)
    async with connect(database_url) as worker, connect(database_url) as event:
        async with worker.transaction():
            await worker.execute("select gatepost.create_batch(gen_random_uuid(), '1 minute', 'resend', 10)")
            queued = asyncio.create_task(event.execute(QUEUE, user.user_id))
            await wait_until_blocked(mailing, event, queued)
        await queued
    query = """
        select e.status, s.count from gatepost.emails e
        join gatepost.summarized_notifications s on s.summary_id::text = e.notification ->> 'summary_id'
        order by e.created_at
    """
    assert [tuple(row) for row in await mailing.sql.fetch(query)] == [("sending", 1), ("queued", 1)]
