"""Workers and a failing provider: no email is lost, and none is sent twice."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.support import Device, Service, running_service
from tests.support.fake_resend import FakeResend
from tests.support.mail import (
    TAG,
    WELCOME,
    event_types,
    queue_email,
    resend_settings,
    service_with_resend,
    wait_for_email,
    wait_for_status,
    wait_until_idle,
)
from tests.support.smtp_server import SmtpServer


async def end_pause(service: Service) -> None:
    """Make everything due that waits for the end of a pause."""
    await service.sql.execute("update gatepost.email_transports set paused_until = '-infinity'")
    await service.sql.execute("update gatepost.emails set due_at = now() where status = 'queued'")


async def readiness(service: Service) -> dict[str, Any]:
    response = await service.http.get("/readyz")
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    return body


async def transport_errors(admin: Device) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await admin.get("/v1/settings/email-transports")).json()["items"]
    return items


@pytest.mark.parametrize("fault", ["500-before", "500-after", "drop-before", "drop-after", "cut", "garbled", "503"])
async def test_a_request_of_unknown_outcome_is_repeated_with_its_key(database_url: str, fault: str) -> None:
    async with service_with_resend(database_url) as (service, resend):
        resend.webhooks = None
        resend.fail_next(fault)
        row = await wait_for_status(service, await queue_email(service), "sent")
        assert resend.messages.count_by_tag(TAG) == {str(row["id"]): 1}
        assert len({request.key for request in resend.requests}) == 1
        assert (row["attempts"], row["last_error"], row["provider_id"]) == (2, None, resend.messages[0].id)
        assert await event_types(service, str(row["id"])) == ["deferred", "accepted"]
        assert await service.sql.fetchval("select count(*) from gatepost.email_batches") == 0


async def test_waiting_for_the_rate_limit_is_not_an_attempt(database_url: str) -> None:
    async with service_with_resend(database_url, rate=2) as (service, resend):
        resend.webhooks = None
        resend.fail_next("rate-limit:2")
        row = await wait_for_status(service, await queue_email(service), "sent")
        assert (row["attempts"], row["last_error"]) == (1, None)
        assert [request.status for request in resend.requests] == [429, 429, 200]
        assert await event_types(service, str(row["id"])) == ["accepted"]
        assert await service.sql.fetchval("select requests_per_second from gatepost.email_transports") == 2


async def test_an_invalid_recipient_fails_without_the_rest_of_its_batch(database_url: str) -> None:
    async with service_with_resend(database_url, blocked={"nowhere.com"}) as (service, resend):
        async with service.sql.transaction():
            good = [await queue_email(service, f"p{number}@acme.com") for number in range(4)]
            bad = await queue_email(service, "eve@nowhere.com")
        row = await wait_for_status(service, bad, "failed")
        assert "Resend says" in row["last_error"]
        for email_id in good:
            await wait_for_status(service, email_id, "sent", "delivered")
        assert resend.messages.count_by_tag(TAG) == dict.fromkeys(good, 1)
        # The batch, and then each email by itself.
        assert [request.path for request in resend.requests] == ["/emails/batch"] + ["/emails"] * 5


async def test_an_email_that_cannot_be_rendered_fails_without_the_rest_of_its_batch(database_url: str) -> None:
    async with service_with_resend(database_url) as (service, resend):
        async with service.sql.transaction():
            good = await queue_email(service)
            bad = [
                await queue_email(service, variables={"name": "Ada"}),
                await queue_email(service, variables={**WELCOME, "login_url": "javascript:alert(1)"}),
            ]
        await wait_for_status(service, good, "sent", "delivered")
        for email_id in bad:
            row = await wait_for_status(service, email_id, "failed")
            assert "login_url: " in row["last_error"]
        assert resend.messages.count_by_tag(TAG) == {good: 1}


@pytest.mark.parametrize(
    ("broken", "repaired", "text"),
    [
        ({"key_state": "suspended"}, {"key_state": "full"}, "suspended"),
        ({"api_key": "re_other"}, {"api_key": "re_test"}, "GATEPOST_RESEND_API_KEY"),
        ({"rules.domains": ()}, {"rules.domains": ("acme.com",)}, "verify"),
        ({"quotas.daily": 0}, {"quotas.daily": None}, "quota"),
    ],
)
async def test_an_account_error_is_reported_until_it_is_resolved(
    database_url: str, broken: dict[str, Any], repaired: dict[str, Any], text: str
) -> None:
    def set_state(resend: FakeResend, state: dict[str, Any]) -> None:
        for path, value in state.items():
            parent, _, name = path.rpartition(".")
            setattr(getattr(resend, parent) if parent else resend, name, value)

    async with service_with_resend(database_url) as (service, resend):
        resend.webhooks = None
        admin = await service.register_admin()
        await wait_until_idle(service, resend)
        assert (await readiness(service))["mail"] == "ok"
        set_state(resend, broken)
        first = await queue_email(service)
        row = await wait_for_email(service, first, lambda row: row["last_error"] is not None)
        assert text in row["last_error"]
        assert (await readiness(service))["mail"] == "degraded"
        [error] = await transport_errors(admin)
        assert error["transport"] == "resend"
        assert text in error["message"]

        # An email that was never attempted shows the same error, and no request is made meanwhile.
        request_count = len(resend.requests)
        second = await queue_email(service, "bob@acme.com")
        shown = (await admin.get(f"/v1/emails/{second}")).json()
        assert (shown["status"], text in shown["last_error"]) == ("queued", True)
        set_state(resend, repaired)
        assert len(resend.requests) == request_count
        await end_pause(service)
        for email_id in (first, second):
            await wait_for_status(service, email_id, "sent")
        assert (await readiness(service))["mail"] == "ok"
        assert resend.messages.count_by_tag(TAG) == {first: 1, second: 1}


async def test_a_wrong_clock_is_reported(database_url: str) -> None:
    async with service_with_resend(database_url) as (service, resend):
        resend.webhooks = None
        real = resend.clock
        resend.clock = lambda: real() - timedelta(minutes=10)
        email_id = await queue_email(service)
        await wait_for_status(service, email_id, "sent")
        errors = await transport_errors(await service.register_admin())
        assert [round(each["clock_offset"], -1) for each in errors] == [600]
        detail = await service.sql.fetchval("select detail from gatepost.email_events where email_id = $1", email_id)
        assert round(json.loads(detail)["clock_offset"], -1) == 600
        resend.clock = real
        await wait_for_status(service, await queue_email(service), "sent")
        assert (await readiness(service))["mail"] == "ok"


async def test_an_expired_email_is_never_sent(database_url: str) -> None:
    async with service_with_resend(database_url) as (service, resend):
        resend.key_state = "suspended"
        due = await service.sql.fetchval("select now() + interval '400 milliseconds'")
        email_id = await queue_email(service, template="welcome", p_expires_at=due)
        row = await wait_for_status(service, email_id, "expired")
        assert "expired before it could be sent" in row["last_error"]
        resend.key_state = "full"
        await end_pause(service)
        await wait_for_status(service, await queue_email(service), "sent", "delivered")
        assert email_id not in resend.messages.count_by_tag(TAG)
        admin = await service.register_admin()
        assert (await admin.post(f"/v1/emails/{email_id}/resend")).status_code == 409


async def test_an_email_of_unknown_outcome_is_not_repeated_once_it_or_its_key_expires(database_url: str) -> None:
    async with service_with_resend(database_url) as (service, resend):
        resend.webhooks = None
        admin = await service.register_admin()
        await wait_until_idle(service, resend)
        resend.fail_next("drop-after")
        first = await queue_email(service)
        await wait_for_email(service, first, lambda row: row["last_error"] is not None)
        await service.sql.execute("update gatepost.email_batches set key_expires_at = now()")
        row = await wait_for_status(service, first, "unknown", "sent")
        assert row["status"] == "unknown"
        assert "Check the provider's log" in row["last_error"]
        assert len(resend.requests) == 1

        resend.fail_next("drop-after")
        due = await service.sql.fetchval("select now() + interval '1 second'")
        expiring = await queue_email(service, p_expires_at=due)
        await wait_for_email(service, expiring, lambda row: row["last_error"] is not None)
        await service.sql.execute("update gatepost.email_batches set due_at = now() + interval '1.1 seconds'")
        await wait_for_status(service, expiring, "unknown")
        assert len(resend.requests) == 2

        again = (await admin.post(f"/v1/emails/{first}/resend")).json()
        await wait_for_status(service, again["id"], "sent")
        assert resend.messages.count_by_tag(TAG) == {first: 1, expiring: 1, again["id"]: 1}


async def test_stopping_finishes_or_releases_batches_in_progress(database_url: str) -> None:
    async with FakeResend(rate=50) as resend:
        async with running_service(database_url, **resend_settings(resend)) as service:
            resend.fail_next("slow:1")
            slow = await queue_email(service)
            while not resend.requests:
                await asyncio.sleep(0.01)
        async with running_service(database_url, **resend_settings(resend)) as service:
            await wait_for_status(service, slow, "sent")
            assert [request.status for request in resend.requests] == [200]
            resend.fail_next("hang:30")
            hanging = await queue_email(service)
            while len(resend.requests) < 2:
                await asyncio.sleep(0.01)
        async with running_service(database_url, **resend_settings(resend)) as service:
            await wait_for_status(service, hanging, "sent")
            assert resend.messages.count_by_tag(TAG) == {slow: 1, hanging: 1}
            assert resend.requests[1].key == resend.requests[2].key


async def test_only_a_certainly_rejected_email_is_sent_by_another_transport(database_url: str) -> None:
    async with FakeResend(rate=50) as resend, SmtpServer() as smtp:
        settings = resend_settings(resend) | {
            "mail_transport": ["resend", "smtp"],
            "smtp_url": f"smtp://127.0.0.1:{smtp.port}",
        }
        async with running_service(database_url, **settings) as service:
            resend.fail_next("drop-after")
            uncertain = await queue_email(service)
            row = await wait_for_status(service, uncertain, "sent")
            assert row["provider"] == "resend"
            resend.key_state = "suspended"
            rejected = await queue_email(service, "bob@acme.com")
            row = await wait_for_status(service, rejected, "sent")
            assert row["provider"] == "smtp"
            assert resend.messages.count_by_tag(TAG) == {uncertain: 1}
            assert [message.recipients for message in smtp.messages] == [["bob@acme.com"]]


async def test_the_template_version_is_the_one_published_at_queueing(service: Service) -> None:
    admin = await service.register_admin()
    path = "/v1/settings/email-templates/welcome"
    tomorrow = await service.sql.fetchval("select now() + interval '1 day'")

    async def publish(subject: str) -> None:
        content = {"subject": subject, "html": "<p>{{ name }} {{ login_url }}</p>"}
        assert (await admin.request("PUT", f"{path}/draft", json=content)).status_code == 200
        assert (await admin.post(f"{path}/publish")).status_code == 201

    builtin = await queue_email(service, p_send_at=tomorrow)
    await publish("First")
    first = await queue_email(service, p_send_at=tomorrow)
    await publish("Second")
    german = await queue_email(service, p_send_at=tomorrow, p_locale="de-AT")
    english = await queue_email(service, p_send_at=tomorrow, p_locale="fr")
    await service.sql.execute("update gatepost.emails set due_at = now()")
    rows = [await wait_for_status(service, email_id, "sent") for email_id in (builtin, first, german, english)]
    assert [(row["version"], row["locale"]) for row in rows] == [(0, "en"), (1, "en"), (0, "de"), (2, "en")]
    assert [row["subject"] for row in rows[1::2]] == ["First", "Second"]


async def test_without_a_provider_email_is_captured(service: Service) -> None:
    row = await wait_for_status(service, await queue_email(service), "sent")
    assert (row["provider"], row["provider_id"]) == ("capture", f"capture-{row['id']}")
    assert json.loads(row["payload"])["to"] == ["ada@acme.com"]


async def test_email_waits_while_the_provider_is_unreachable(database_url: str) -> None:
    settings = {"mail_transport": ["resend"], "mail_from": "a@acme.com", "resend_api_key": "re_secret"}
    # Nothing listens on port 1.
    async with running_service(database_url, **settings, resend_base_url="http://127.0.0.1:1") as service:
        row = await wait_for_email(service, await queue_email(service), lambda row: row["attempts"] >= 2)
        assert row["status"] in ("queued", "sending")
        assert "re_secret" not in row["last_error"]
        admin = await service.register_admin()
        await service.sql.execute("update gatepost.email_transports set failures = 4")
        await end_pause(service)
        while not (errors := await transport_errors(admin)):
            await asyncio.sleep(0.02)
        assert errors[0]["message"] == row["last_error"]


async def test_an_smtp_message_cut_off_after_its_content_is_unknown_and_not_repeated(database_url: str) -> None:
    async with SmtpServer() as smtp:
        settings = {"mail_transport": ["smtp"], "mail_from": "a@acme.com", "smtp_url": f"smtp://127.0.0.1:{smtp.port}"}
        async with running_service(database_url, **settings) as service:
            smtp.replies["content"] = "close"
            row = await wait_for_status(service, await queue_email(service), "unknown", "sent")
            assert row["status"] == "unknown"
            del smtp.replies["content"]
            row = await wait_for_status(service, await queue_email(service, "bob@acme.com"), "sent")
            assert (row["provider"], row["provider_id"]) == ("smtp", f"<{row['id']}@acme.com>")
            assert [message.recipients for message in smtp.messages] == [["ada@acme.com"], ["bob@acme.com"]]
