"""The mail that confirms an address, asked for again."""

from __future__ import annotations

import asyncio

from tests.post.mail import Post
from tests.support import assert_problem


async def test_a_confirmation_can_be_asked_for_again(post: Post) -> None:
    """Older links keep working; once the address is confirmed there is nothing to send."""
    path = "/v1/auth/email/send-verification"
    person = await post.service.register()
    answer = await person.post(path)
    assert (answer.status_code, answer.content) == (202, b"")
    first, second = await post.token("verify-email"), await post.token("verify-email", 2)
    assert first != second
    assert (await post.mail("verify-email", 2))["to"] == [person.email]
    assert (await post.service.http.post("/v1/auth/email/verify", json={"token": first})).status_code == 204
    assert assert_problem(await person.post(path), 409, "conflict")["detail"] == "This address is confirmed already."
    # The other one confirms no more than it says, and greets nobody twice.
    assert (await post.service.http.post("/v1/auth/email/verify", json={"token": second})).status_code == 204
    assert (await post.count("verify-email"), await post.count("welcome")) == (2, 1)


async def test_a_confirmation_is_asked_for_five_times_an_hour_by_who_is_signed_in(post: Post) -> None:
    path = "/v1/auth/email/send-verification"
    person, other = await post.service.register(), await post.service.register()
    answers = await asyncio.gather(*(person.post(path) for _ in range(8)))
    assert sorted(each.status_code for each in answers) == [202] * 4 + [429] * 4
    refused = next(each for each in answers if each.status_code == 429)
    assert_problem(refused, 429, "rate_limited")
    assert 3500 < int(refused.headers["Retry-After"]) <= 3600
    assert (await other.post(path)).status_code == 202
    ago = "update gatepost.security.link_tokens set created_at = created_at - interval '61 minutes'"
    await post.service.sql.execute(ago)
    assert (await person.post(path)).status_code == 202
    assert_problem(await post.service.http.post(path), 401, "not_authenticated")
