"""What workers do with a provider that fails in its ways: nothing is lost, nothing goes out twice."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.post.support import WELCOME, by_resend, posting, queue, quiet, status_of, until
from tests.resend import FakeResend
from tests.support import Service, admin, running_service
from tests.transports.smtp_server import SmtpServer

TAG = "gatepost_email_id"


async def try_again(service: Service) -> None:
    """What the passing of a pause would do."""
    await service.sql.execute("update gatepost.email_transports set paused_until = '-infinity'")
    await service.sql.execute("update gatepost.emails set due_at = now() where status = 'queued'")


async def readiness(service: Service) -> dict[str, Any]:
    answer = await service.http.get("/readyz")
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


async def events_of(service: Service, email_id: str) -> list[str]:
    query = "select type from gatepost.email_events where email_id = $1 order by id"
    return [row["type"] for row in await service.sql.fetch(query, email_id)]


@pytest.mark.parametrize("mischief", ["500-before", "500-after", "drop-before", "drop-after", "cut", "garbled", "503"])
async def test_what_may_have_been_accepted_is_repeated_under_its_key(database_url: str, mischief: str) -> None:
    async with posting(database_url) as (service, resend):
        resend.webhooks = None
        resend.next(mischief)
        row = await status_of(service, await queue(service), "sent")
        assert resend.books.times(TAG) == {str(row["id"]): 1}
        assert len({request.key for request in resend.requests}) == 1
        assert (row["attempts"], row["last_error"], row["provider_id"]) == (2, None, resend.books[0].id)
        assert await events_of(service, str(row["id"])) == ["deferred", "accepted"]
        assert await service.sql.fetchval("select count(*) from gatepost.email_dispatches") == 0


async def test_waiting_for_the_pace_is_no_attempt(database_url: str) -> None:
    async with posting(database_url, rate=2) as (service, resend):
        resend.webhooks = None
        resend.next("storm:2")
        row = await status_of(service, await queue(service), "sent")
        assert (row["attempts"], row["last_error"]) == (1, None)
        assert [request.status for request in resend.requests] == [429, 429, 200]
        assert await events_of(service, str(row["id"])) == ["accepted"]
        assert await service.sql.fetchval("select pace from gatepost.email_transports") == 2


async def test_one_bad_address_fails_alone(database_url: str) -> None:
    async with posting(database_url, blocked={"nowhere.com"}) as (service, resend):
        async with service.sql.transaction():
            good = [await queue(service, f"p{number}@acme.com") for number in range(4)]
            bad = await queue(service, "eve@nowhere.com")
        row = await status_of(service, bad, "failed")
        assert "Resend says" in row["last_error"]
        for email_id in good:
            await status_of(service, email_id, "sent", "delivered")
        assert resend.books.times(TAG) == dict.fromkeys(good, 1)
        # The batch, and then each by itself.
        assert [request.path for request in resend.requests] == ["/emails/batch"] + ["/emails"] * 5


async def test_what_cannot_be_rendered_fails_alone_and_says_why(database_url: str) -> None:
    async with posting(database_url) as (service, resend):
        async with service.sql.transaction():
            good = await queue(service)
            bad = [
                await queue(service, variables={"name": "Ada"}),
                await queue(service, variables={**WELCOME, "login_url": "javascript:alert(1)"}),
            ]
        await status_of(service, good, "sent", "delivered")
        for email_id in bad:
            row = await status_of(service, email_id, "failed")
            assert "login_url: " in row["last_error"]
        assert resend.books.times(TAG) == {good: 1}


@pytest.mark.parametrize(
    ("trouble", "mends", "words"),
    [
        ({"key_state": "suspended"}, {"key_state": "full"}, "suspended"),
        ({"api_key": "re_other"}, {"api_key": "re_test"}, "GATEPOST_RESEND_API_KEY"),
        ({"rules.domains": ()}, {"rules.domains": ("acme.com",)}, "verify"),
        ({"quotas.daily": 0}, {"quotas.daily": None}, "quota"),
    ],
)
async def test_what_a_person_must_mend_is_told_and_then_mail_goes(
    database_url: str, trouble: dict[str, Any], mends: dict[str, Any], words: str
) -> None:
    def set_on(resend: FakeResend, state: dict[str, Any]) -> None:
        for path, value in state.items():
            place, _, name = path.rpartition(".")
            setattr(getattr(resend, place) if place else resend, name, value)

    async with posting(database_url) as (service, resend):
        resend.webhooks = None
        boss = await admin(service)
        await quiet(service, resend)
        assert (await readiness(service))["mail"] == "ok"
        set_on(resend, trouble)
        first = await queue(service)
        row = await until(service, first, lambda row: row["last_error"] is not None)
        assert words in row["last_error"]
        ready = await readiness(service)
        assert ready["mail"] == "trouble"
        assert ready["mail_trouble"][0]["transport"] == "resend"
        assert words in ready["mail_trouble"][0]["words"]

        # One that was never tried says the same, and nothing is asked of the provider meanwhile.
        asked = len(resend.requests)
        second = await queue(service, "bob@acme.com")
        shown = (await boss.get(f"/v1/emails/{second}")).json()
        assert (shown["status"], words in shown["last_error"]) == ("queued", True)
        set_on(resend, mends)
        assert len(resend.requests) == asked
        await try_again(service)
        for email_id in (first, second):
            await status_of(service, email_id, "sent")
        assert (await readiness(service))["mail"] == "ok"
        assert resend.books.times(TAG) == {first: 1, second: 1}


async def test_a_clock_that_is_off_is_told(database_url: str) -> None:
    async with posting(database_url) as (service, resend):
        resend.webhooks = None
        real = resend.clock
        resend.clock = lambda: real() - timedelta(minutes=10)
        email_id = await queue(service)
        await status_of(service, email_id, "sent")
        found = (await readiness(service))["mail_trouble"]
        assert [round(each["clock_off"], -1) for each in found] == [600]
        detail = await service.sql.fetchval("select detail from gatepost.email_events where email_id = $1", email_id)
        assert round(json.loads(detail)["clock_off"], -1) == 600
        resend.clock = real
        await status_of(service, await queue(service), "sent")
        assert (await readiness(service))["mail"] == "ok"


async def test_a_late_code_is_never_sent(database_url: str) -> None:
    async with posting(database_url) as (service, resend):
        resend.key_state = "suspended"
        due = await service.sql.fetchval("select now() + interval '400 milliseconds'")
        email_id = await queue(service, template="welcome", p_expires_at=due)
        row = await status_of(service, email_id, "expired")
        assert "time was over" in row["last_error"]
        resend.key_state = "full"
        await try_again(service)
        await status_of(service, await queue(service), "sent", "delivered")
        assert email_id not in resend.books.times(TAG)
        boss = await admin(service)
        assert (await boss.post(f"/v1/emails/{email_id}/resend")).status_code == 409


async def test_an_uncertain_message_past_its_time_or_the_keys_is_unknown_and_never_guessed(database_url: str) -> None:
    async with posting(database_url) as (service, resend):
        resend.webhooks = None
        boss = await admin(service)
        await quiet(service, resend)
        resend.next("drop-after")
        first = await queue(service)
        await until(service, first, lambda row: row["last_error"] is not None)
        await service.sql.execute("update gatepost.email_dispatches set forgotten_at = now()")
        row = await status_of(service, first, "unknown", "sent")
        assert row["status"] == "unknown"
        assert "Look at the provider's log" in row["last_error"]
        assert len(resend.requests) == 1

        resend.next("drop-after")
        due = await service.sql.fetchval("select now() + interval '1 second'")
        code = await queue(service, p_expires_at=due)
        await until(service, code, lambda row: row["last_error"] is not None)
        await service.sql.execute("update gatepost.email_dispatches set due_at = now() + interval '1.1 seconds'")
        await status_of(service, code, "unknown")
        assert len(resend.requests) == 2

        again = (await boss.post(f"/v1/emails/{first}/resend")).json()
        await status_of(service, again["id"], "sent")
        assert resend.books.times(TAG) == {first: 1, code: 1, again["id"]: 1}


async def test_a_stop_finishes_or_puts_down_what_it_holds(database_url: str) -> None:
    async with FakeResend(rate=50) as resend:
        async with running_service(database_url, **by_resend(resend)) as service:
            resend.next("slow:1")
            slow = await queue(service)
            while not resend.requests:
                await asyncio.sleep(0.01)
        async with running_service(database_url, **by_resend(resend)) as service:
            await status_of(service, slow, "sent")
            assert [request.status for request in resend.requests] == [200]
            resend.next("hang:30")
            hung = await queue(service)
            while len(resend.requests) < 2:
                await asyncio.sleep(0.01)
        async with running_service(database_url, **by_resend(resend)) as service:
            await status_of(service, hung, "sent")
            assert resend.books.times(TAG) == {slow: 1, hung: 1}
            assert resend.requests[1].key == resend.requests[2].key


async def test_only_what_was_surely_refused_goes_another_way(database_url: str) -> None:
    async with FakeResend(rate=50) as resend, SmtpServer() as smtp:
        ways = by_resend(resend) | {"mail_transport": ["resend", "smtp"], "smtp_url": f"smtp://127.0.0.1:{smtp.port}"}
        async with running_service(database_url, **ways) as service:
            resend.next("drop-after")
            uncertain = await queue(service)
            row = await status_of(service, uncertain, "sent")
            assert row["provider"] == "resend"
            resend.key_state = "suspended"
            refused = await queue(service, "bob@acme.com")
            row = await status_of(service, refused, "sent")
            assert row["provider"] == "smtp"
            assert resend.books.times(TAG) == {uncertain: 1}
            assert [letter.recipients for letter in smtp.letters] == [["bob@acme.com"]]


async def test_the_words_are_those_of_the_queueing(service: Service) -> None:
    boss = await admin(service)
    path = "/v1/settings/email-templates/welcome"
    tomorrow = await service.sql.fetchval("select now() + interval '1 day'")

    async def publish(subject: str) -> None:
        words = {"subject": subject, "html": "<p>{{ name }} {{ login_url }}</p>"}
        assert (await boss.request("PUT", f"{path}/draft", json=words)).status_code == 200
        assert (await boss.post(f"{path}/publish")).status_code == 201

    builtin = await queue(service, p_send_at=tomorrow)
    await publish("First")
    first = await queue(service, p_send_at=tomorrow)
    await publish("Second")
    german = await queue(service, p_send_at=tomorrow, p_locale="de-AT")
    english = await queue(service, p_send_at=tomorrow, p_locale="fr")
    await service.sql.execute("update gatepost.emails set due_at = now()")
    rows = [await status_of(service, email_id, "sent") for email_id in (builtin, first, german, english)]
    assert [(row["version"], row["locale"]) for row in rows] == [(0, "en"), (1, "en"), (0, "de"), (2, "en")]
    assert [row["subject"] for row in rows[1::2]] == ["First", "Second"]


async def test_without_a_provider_mail_is_captured(service: Service) -> None:
    row = await status_of(service, await queue(service), "sent")
    assert (row["provider"], row["provider_id"]) == ("capture", f"capture-{row['id']}")
    assert json.loads(row["payload"])["to"] == ["ada@acme.com"]


async def test_where_nothing_answers_mail_waits_and_says_so(database_url: str) -> None:
    given = {"mail_transport": ["resend"], "mail_from": "a@acme.com", "resend_api_key": "re_secret"}
    # Nobody listens on port 1.
    async with running_service(database_url, **given, resend_base_url="http://127.0.0.1:1") as service:
        row = await until(service, await queue(service), lambda row: row["attempts"] >= 2)
        assert row["status"] in ("queued", "sending")
        assert "re_secret" not in row["last_error"]
        await service.sql.execute("update gatepost.email_transports set failures = 4")
        await try_again(service)
        while not (found := (await readiness(service))["mail_trouble"]):
            await asyncio.sleep(0.02)
        assert found[0]["words"] == row["last_error"]


async def test_a_letter_cut_off_after_its_words_is_unknown_and_not_repeated(database_url: str) -> None:
    async with SmtpServer() as smtp:
        given = {"mail_transport": ["smtp"], "mail_from": "a@acme.com", "smtp_url": f"smtp://127.0.0.1:{smtp.port}"}
        async with running_service(database_url, **given) as service:
            smtp.at["letter"] = "close"
            row = await status_of(service, await queue(service), "unknown", "sent")
            assert row["status"] == "unknown"
            del smtp.at["letter"]
            row = await status_of(service, await queue(service, "bob@acme.com"), "sent")
            assert (row["provider"], row["provider_id"]) == ("smtp", f"<{row['id']}@acme.com>")
            assert [letter.recipients for letter in smtp.letters] == [["ada@acme.com"], ["bob@acme.com"]]
