"""Requesting the verification email again."""

from __future__ import annotations

import asyncio

from tests.support import assert_problem
from tests.support.mail import MailService


async def test_a_verification_email_can_be_requested_again(mail_service: MailService) -> None:
    """Older links still work; once the email address is verified, another request is a conflict."""
    path = "/v1/auth/email/send-verification"
    user = await mail_service.register()
    response = await user.post(path)
    assert (response.status_code, response.content) == (202, b"")
    first, second = await mail_service.link_token("verify-email"), await mail_service.link_token("verify-email", 2)
    assert first != second
    assert (await mail_service.sent_email("verify-email", 2))["to"] == [user.email]
    response = await user.post("/v1/auth/email/verify", {"token": first})
    assert (response.status_code, response.json()) == (200, {"revoked": 0, "reset_token": None})
    assert (
        assert_problem(await user.post(path), 409, "conflict")["detail"] == "Your email address is already confirmed."
    )
    # The other link succeeds as well, but sends no second welcome email.
    response = await mail_service.http.post("/v1/auth/email/verify", json={"token": second})
    assert (response.status_code, response.json()) == (200, {"revoked": 0, "reset_token": None})
    assert (await mail_service.count_emails("verify-email"), await mail_service.count_emails("welcome")) == (2, 1)


async def test_verification_emails_are_limited_to_five_an_hour_per_user(mail_service: MailService) -> None:
    path = "/v1/auth/email/send-verification"
    user, other = await mail_service.register(), await mail_service.register()
    responses = await asyncio.gather(*(user.post(path) for _ in range(8)))
    assert sorted(each.status_code for each in responses) == [202] * 4 + [429] * 4
    rejected = next(each for each in responses if each.status_code == 429)
    assert_problem(rejected, 429, "rate_limited")
    assert 3500 < int(rejected.headers["Retry-After"]) <= 3600
    assert (await other.post(path)).status_code == 202
    ago = "update gatepost.links set created_at = created_at - interval '61 minutes'"
    await mail_service.sql.execute(ago)
    assert (await user.post(path)).status_code == 202
    assert_problem(await mail_service.http.post(path), 401, "not_authenticated")
