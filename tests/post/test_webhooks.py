"""What became of a message: told by webhook, early, late, twice or not at all."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from gatepost.db.pool import Database
from gatepost.mail.outbox import events
from tests.post.knocking import TAG, event, kept, knock, sent_already, signed, timeline
from tests.post.support import posting, queue, status_of, until
from tests.resend import FakeResend, Mischief, Webhooks
from tests.support import Service, admin

RESET = {"reset_url": "https://acme.com/reset?token=t0ken", "expires_in": "1 hour"}
TRANSIENT = {"type": "Transient", "subType": "MailboxFull", "message": "The mailbox is full.", "diagnosticCode": []}
COMPLAINT = {"reason": "previous_complaint"}
BROWSER = {"ipAddress": "203.0.113.9", "userAgent": "Mozilla/5.0", "timestamp": "2026-11-21T12:00:00Z"}
CLICK = BROWSER | {"link": "https://acme.com/reset?token=t0ken#fragment"}

# What is told, with what details; the status that follows, the words with it, and why the address is suppressed.
OUTCOMES: list[tuple[str, dict[str, Any], str, str | None, str | None]] = [
    ("email.delivered", {}, "delivered", None, None),
    ("email.delivery_delayed", {}, "delayed", "Resend tries again", None),
    ("email.bounced", {}, "bounced", "hard bounce", "bounce"),
    ("email.bounced", {"bounce": TRANSIENT}, "bounced", "mailbox is full", None),
    ("email.complained", {}, "complained", "spam", "complaint"),
    ("email.suppressed", {}, "suppressed", "previous_bounce", "bounce"),
    ("email.suppressed", {"suppressed": COMPLAINT}, "suppressed", "previous_complaint", "complaint"),
    ("email.suppressed", {"suppressed": {"reason": "mood"}}, "suppressed", "mood", None),
    ("email.failed", {}, "failed", "reached_daily_quota", None),
    ("email.opened", {"open": BROWSER}, "sent", None, None),
    ("email.clicked", {"click": CLICK}, "sent", None, None),
]


@asynccontextmanager
async def silent(database_url: str, **given: Any) -> AsyncIterator[tuple[Service, FakeResend]]:
    """A service whose provider tells nothing by itself."""
    async with posting(database_url, **given) as (service, resend):
        webhooks_of(resend).types = frozenset()
        yield service, resend


def webhooks_of(resend: FakeResend) -> Webhooks:
    assert resend.webhooks is not None
    return resend.webhooks


async def told(resend: FakeResend, email_id: str, *types: str, **details: Any) -> None:
    """Tell what became of a message, and wait until it is taken."""
    webhooks = webhooks_of(resend)
    [message] = resend.books.tagged(TAG, email_id)
    webhooks.types = frozenset(types)
    resend.tell(message, *types, **details)
    webhooks.types = frozenset()
    await resend.settled()
    assert webhooks.given_up == []


@asynccontextmanager
async def sweeping(service: Service) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """What the service does every half a minute, on demand."""
    assert service.settings.database_url is not None
    database = await Database.open(service.settings.database_url.get_secret_value(), size=4)
    try:
        yield lambda: events.match(database)
    finally:
        await database.close()


async def test_what_is_told_is_what_is_known(database_url: str) -> None:
    async with silent(database_url) as (service, resend):
        boss = await admin(service)
        for number, (kind, details, status, words, suppressed) in enumerate(OUTCOMES):
            to = f"Ada{number}@acme.com"
            email_id = await queue(service, to)
            await status_of(service, email_id, "sent")
            await told(resend, email_id, "email.sent", kind, **details)
            shown = (await boss.get(f"/v1/emails/{email_id}")).json()
            assert shown["status"] == status, (kind, shown)
            assert (words or "None") in str(shown["last_error"]), kind
            types = [entry["type"] for entry in shown["events"]]
            spelt = "delayed" if kind == "email.delivery_delayed" else kind.removeprefix("email.")
            assert sorted(types) == sorted(["queued", "accepted", "sent", spelt])

            listed = (await boss.get(f"/v1/settings/email-suppressions?email={to}")).json()["items"]
            assert [entry["reason"] for entry in listed] == ([suppressed] if suppressed else []), kind
            if suppressed:
                assert (listed[0]["email"], listed[0]["created_by"]) == (to.lower(), "provider")
                after = await status_of(service, await queue(service, to), "suppressed")
                assert "suppressions" in after["last_error"]


async def test_nobody_s_browser_is_kept_and_no_link_s_secret(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "gatepost")
    async with silent(database_url) as (service, resend):
        email_id = await queue(service)
        await status_of(service, email_id, "sent")
        await told(resend, email_id, "email.opened", open=BROWSER)
        await told(resend, email_id, "email.clicked", click=CLICK)
        opened, clicked = await kept(service)
        assert (opened["type"], opened["detail"]) == ("opened", {})
        assert (clicked["type"], clicked["detail"]) == ("clicked", {"link": "https://acme.com/reset"})
        for secret in ("203.0.113.9", "Mozilla", "t0ken"):
            assert secret not in caplog.text


async def test_security_mail_that_is_suppressed_is_told_in_the_audit_log(database_url: str) -> None:
    """Whether the provider does it, or we do after what it told."""
    async with silent(database_url) as (service, resend):
        plain = await queue(service)
        security = await queue(service, "bob@acme.com", "reset-password", variables=RESET)
        for email_id in (plain, security):
            await status_of(service, email_id, "sent")
            await told(resend, email_id, "email.suppressed")
        again = await queue(service, "bob@acme.com", "reset-password", variables=RESET)
        await queue(service)
        assert (await status_of(service, again, "suppressed"))["last_error"]
        query = "select target, detail from gatepost.audit_log where action = 'email.suppressed' order by id"
        rows = [(row["target"], json.loads(row["detail"])) for row in await service.sql.fetch(query)]
        assert rows == [(f"email:{one}", {"template": "reset-password"}) for one in (security, again)]


async def test_the_same_event_again_is_harmless(database_url: str) -> None:
    async with silent(database_url) as (service, _):
        body = json.dumps(event("email.bounced", await sent_already(service), bounce={"type": "Permanent"})).encode()
        for age in (200, 100, 0):
            assert (await knock(service, body, signed(body, "msg_1", age))).status_code == 204
        assert len(await kept(service)) == 1


async def test_the_same_event_twice_at_one_moment_counts_once(database_url: str) -> None:
    async with silent(database_url) as (service, _):
        body = json.dumps(event("email.suppressed", await sent_already(service))).encode()
        await service.sql.execute("update gatepost.emails set security = true")
        watching = await asyncpg.connect(database_url)
        async with service.sql.transaction():
            # Nobody may write until all have come.
            await service.sql.execute("lock table gatepost.email_events in share row exclusive mode")
            knocking = [asyncio.create_task(knock(service, body, signed(body, "msg_1"))) for _ in range(5)]
            waiting = "select count(*) from pg_locks where not granted and relation = 'gatepost.email_events'::regclass"
            while await watching.fetchval(waiting) < 5:
                await asyncio.sleep(0.01)
        await watching.close()
        assert [answer.status_code for answer in await asyncio.gather(*knocking)] == [204] * 5
        assert len(await kept(service)) == 1
        query = "select count(*) from gatepost.audit_log where action = 'email.suppressed'"
        assert await service.sql.fetchval(query) == 1


async def test_shuffled_and_doubled_the_worst_remains(database_url: str) -> None:
    types = ("email.sent", "email.delivery_delayed", "email.delivered", "email.opened", "email.complained")
    fates = {f"p{number}@acme.com": types for number in range(12)}
    async with posting(database_url, fates=fates) as (service, resend):
        webhooks_of(resend).mischief = Mischief(3, {"shuffled": 0.8, "duplicated": 0.5, "forged": 0.3, "early": 0.3})
        ids = [await queue(service, to) for to in fates]
        for email_id in ids:
            await until(service, email_id, lambda row: row["status"] == "complained" and row["provider"] is not None)
        await resend.settled()
        assert {attempt.status for attempt in webhooks_of(resend).attempts} == {204, 401}
        for email_id in ids:
            row = await status_of(service, email_id, "complained")
            assert "spam" in row["last_error"]
            expected = ["accepted", "complained", "delayed", "delivered", "opened", "sent"]
            assert sorted(await timeline(service, email_id)) == expected


@pytest.mark.parametrize("mischief", [{"early": 1.0}, {"early": 1.0, "untagged": 1.0}])
async def test_an_event_before_the_answer_finds_its_message(database_url: str, mischief: dict[str, float]) -> None:
    async with posting(database_url, fates={"ada@acme.com": ("email.bounced",)}) as (service, resend):
        webhooks_of(resend).mischief = Mischief(shares=mischief)
        email_id = await queue(service)
        row = await until(service, email_id, lambda row: row["status"] == "bounced" and row["provider"] is not None)
        assert "hard bounce" in row["last_error"]
        assert (row["dispatch_id"], row["provider_id"]) == (None, resend.books[0].id)
        assert await timeline(service, email_id) == ["bounced", "accepted"]
        assert await service.sql.fetchval("select reason from gatepost.email_suppressions") == "bounce"


async def test_events_and_answers_that_cross_find_each_other(database_url: str) -> None:
    """Neither sees what the other has not committed; what looks after it later does."""
    async with silent(database_url) as (service, _), sweeping(service) as sweep:
        email_id, provider_id = await queue(service, p_send_at=datetime.now(UTC) + timedelta(days=1)), str(uuid4())
        await service.sql.execute("update gatepost.emails set status = 'sending' where id = $1", email_id)
        async with service.sql.transaction():
            query = "select gatepost.accept_dispatch($1, 'resend', array[$2::uuid], array[$3], null, null)"
            await service.sql.execute(query, uuid4(), email_id, provider_id)
            assert (await knock(service, event("email.bounced", provider_id))).status_code == 204
        assert (await status_of(service, email_id, "sent"))["provider_id"] == provider_id
        assert [one["email_id"] for one in await kept(service)] == [None]
        await asyncio.gather(sweep(), sweep(), sweep())
        await status_of(service, email_id, "bounced")
        assert await timeline(service, email_id) == ["accepted", "bounced"]


async def test_many_events_and_answers_at_once(database_url: str) -> None:
    async with posting(database_url) as (service, resend), sweeping(service) as sweep:
        webhooks_of(resend).mischief = Mischief(5, {"untagged": 1, "duplicated": 0.3, "early": 0.1})
        ids = [await queue(service, f"p{number}@acme.com") for number in range(120)]
        query = "select count(*) from gatepost.emails where provider is null"
        while await service.sql.fetchval(query):
            await asyncio.gather(sweep(), sweep())
        await resend.settled()
        await sweep()
        assert webhooks_of(resend).given_up == []
        for email_id in ids:
            await status_of(service, email_id, "delivered")
            assert sorted(await timeline(service, email_id)) == ["accepted", "delivered", "sent"]
        assert len(await kept(service)) == 240


async def test_what_nobody_knows_is_harmless_and_forgotten_in_a_month(database_url: str) -> None:
    async with silent(database_url) as (service, _), sweeping(service) as sweep:
        await sent_already(service)
        bounce = {"type": "Permanent", "message": "no such user"}
        for tags in ({}, {"app": "theirs"}, {TAG: "theirs"}, {TAG: str(uuid4())}):
            answer = await knock(service, event("email.bounced", bounce=bounce, tags=tags))
            assert answer.status_code == 204
        await sweep()
        assert [one["email_id"] for one in await kept(service)] == [None] * 4
        assert await service.sql.fetchval("select status from gatepost.emails") == "sent"
        assert await service.sql.fetchval("select count(*) from gatepost.email_suppressions") == 0

        first, second, *_ = await kept(service)
        ours = await sent_already(service)
        await knock(service, event(provider_id=ours))
        query = "update gatepost.email_events set received_at = now() - $1::interval where provider_id = $2"
        for provider_id, days in ((first["provider_id"], 31), (second["provider_id"], 29), (ours, 31)):
            await service.sql.execute(query, timedelta(days=days), provider_id)
        await sweep()
        left = [one["provider_id"] for one in await kept(service)]
        assert first["provider_id"] not in left
        assert (second["provider_id"] in left, ours in left, len(left)) == (True, True, 4)


@pytest.mark.parametrize(("kind", "status"), [("email.delivered", "delivered"), ("email.opened", "sent")])
async def test_an_event_settles_what_was_unknown(database_url: str, kind: str, status: str) -> None:
    async with silent(database_url) as (service, resend):
        resend.next(*["drop-after"] * 20)
        email_id = await queue(service)
        await until(service, email_id, lambda row: row["last_error"] is not None)
        await service.sql.execute("update gatepost.email_dispatches set forgotten_at = now(), due_at = now()")
        assert "may have been sent" in (await status_of(service, email_id, "unknown"))["last_error"]
        await told(resend, email_id, kind)
        row = await status_of(service, email_id, status)
        assert (row["provider_id"], row["last_error"]) == (resend.books[0].id, None)
        assert len(resend.books) == 1
