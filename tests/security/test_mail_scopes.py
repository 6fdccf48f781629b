"""Scopes for mail: an API key can neither silence nor imitate security email."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import Device, Service, assert_problem
from tests.support.mail import event_types, pause_mail, queue_email, wait_for_status

SUPPRESSIONS = "/v1/settings/email-suppressions"
RESET: dict[str, Any] = {
    "template": "reset-password",
    "to": "ada@acme.com",
    "variables": {"reset_url": "https://evil.example/", "expires_in": "1 hour"},
}
WELCOME: dict[str, Any] = {"template": "welcome", "to": "ada@acme.com", "variables": {"login_url": "https://acme.com/"}}
SECURITY = ["new-device", "reset-password", "session-revoked", "suspicious-refresh", "verify-email"]


async def suppress(device: Device, email: str) -> Any:
    return await device.post(SUPPRESSIONS, {"email": email, "reason": "asked us to"})


async def test_suppressing_has_its_own_scope(service: Service) -> None:
    admin = await service.register_admin()
    sender = await service.create_api_key(admin, "emails:send", "emails:read")
    suppressor = await service.create_api_key(admin, "suppressions:write")
    assert_problem(await suppress(sender, admin.email), 403, "forbidden")
    created = await suppress(suppressor, "ada@acme.com")
    assert created.status_code == 201, created.text
    path = f"{SUPPRESSIONS}/{created.json()['id']}"
    assert_problem(await sender.delete(path), 403, "forbidden")
    assert (await sender.get(SUPPRESSIONS)).status_code == 200
    assert_problem(await suppressor.get(SUPPRESSIONS), 403, "forbidden")
    assert (await suppressor.delete(path)).status_code == 204


async def test_security_email_ignores_suppressions_by_hand(service: Service) -> None:
    admin = await service.register_admin()
    assert (await suppress(admin, admin.email)).status_code == 201
    await service.http.post("/v1/auth/password/forgot", json={"email": admin.email})
    email_id = await service.sql.fetchval("select id from gatepost.emails where template = 'reset-password'")
    await wait_for_status(service, str(email_id), "sent")
    plain = await queue_email(service, admin.email)
    assert (await wait_for_status(service, plain, "suppressed"))["error_code"] == "suppressed_manual"


@pytest.mark.parametrize("reason", ["bounce", "complaint"])
async def test_bounces_and_complaints_keep_security_email_back_visibly(service: Service, reason: str) -> None:
    admin = await service.register_admin()
    await service.sql.execute(
        "insert into gatepost.email_suppressions (email, reason, created_by) values ($1, $2, 'provider')",
        admin.email,
        reason,
    )
    await service.http.post("/v1/auth/password/forgot", json={"email": admin.email})
    email_id = await service.sql.fetchval("select id from gatepost.emails where template = 'reset-password'")
    shown = (await admin.get(f"/v1/emails/{email_id}")).json()
    assert shown["status"] == "suppressed"
    assert "is suppressed because" in shown["last_error"]
    [event] = [each for each in shown["events"] if each["type"] == "suppressed"]
    assert event["detail"]["code"] == f"suppressed_{reason}"
    assert event["detail"]["message"] == shown["last_error"]


async def test_a_suppression_during_sending_is_judged_the_same_way(service: Service) -> None:
    admin = await service.register_admin()
    await pause_mail(service)
    plain, security = await queue_email(service), await queue_email(service, template="session-revoked", variables={})
    assert (await suppress(admin, "ada@acme.com")).status_code == 201
    await service.sql.execute("update gatepost.email_transports set paused_until = '-infinity'")
    assert (await wait_for_status(service, plain, "suppressed"))["error_code"] == "suppressed_manual"
    # Its values are missing: it was given to the renderer.
    assert (await wait_for_status(service, security, "failed"))["error_code"] == "rendering_failed"


async def test_a_bounce_replaces_a_suppression_by_hand(service: Service) -> None:
    admin = await service.register_admin()
    await suppress(admin, "ada@acme.com")
    email_id = await queue_email(service, template="session-revoked", variables={})
    await service.sql.execute(
        "select gatepost.record_provider_event('x', 'p', $1, now(), 'bounced', $2)",
        email_id,
        '{"message": "gone", "suppress": "bounce"}',
    )
    [listed] = (await admin.get(SUPPRESSIONS)).json()["items"]
    assert (listed["reason"], listed["note"], listed["email_id"]) == ("bounce", "gone", email_id)
    again = await queue_email(service, template="session-revoked", variables={})
    assert await event_types(service, again) == ["suppressed"]


async def test_an_api_key_cannot_queue_security_email(service: Service) -> None:
    admin = await service.register_admin()
    key = await service.create_api_key(admin, "emails:send", "emails:read", "templates:write")
    await pause_mail(service)
    for template in SECURITY:
        for response in (
            await key.post("/v1/emails", RESET | {"template": template}),
            await key.post("/v1/emails/batch", [WELCOME, RESET | {"template": template}]),
            await key.post(f"/v1/settings/email-templates/{template}/test", {"to": "ada@acme.com"}),
        ):
            problem = assert_problem(response, 403, "forbidden")
            assert f"security template {template}" in problem["detail"]
    assert await service.sql.fetchval("select count(*) from gatepost.emails where recipient = 'ada@acme.com'") == 0

    # By the application, in its own database.
    email_id = await queue_email(service, template="reset-password", variables=RESET["variables"])
    for verb in ("resend", "cancel"):
        assert_problem(await key.post(f"/v1/emails/{email_id}/{verb}"), 403, "forbidden")
    assert (await admin.post(f"/v1/emails/{email_id}/cancel")).status_code == 200
    assert (await admin.post("/v1/emails", RESET)).status_code == 202
    assert (await key.post("/v1/emails", WELCOME)).status_code == 202
