"""Routes that request and use the links in emails: password reset, email verification, "this wasn't me"."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from fastapi import APIRouter, Response
from starlette.requests import Request

from gatepost import sessions
from gatepost.accounts import store
from gatepost.accounts.models import ForgotPassword, LinkToken, ReportedSession, ResetPassword
from gatepost.errors import LinkInvalid
from gatepost.http import ApiRoute, CurrentRuntime, problems, request_ip
from gatepost.sessions import CurrentSession

router = APIRouter(route_class=ApiRoute)

# Seconds that a response takes at least, so that its timing does not reveal whether an account exists.
_MIN_RESPONSE_SECONDS = 0.2
_RESET_LIFETIME = timedelta(hours=1)


@router.post(
    "/v1/auth/password/forgot",
    status_code=202,
    response_class=Response,
    responses=problems(413, 415, 422, 429),
    tags=["identity"],
)
async def request_password_reset(form: ForgotPassword, runtime: CurrentRuntime, request: Request) -> None:
    """Send a link to set a new password, if the email address has an account.

    The response is the same for every email address.
    """
    started = time.monotonic()
    await runtime.rate_limiter.count_link(request_ip(request, runtime))
    async with runtime.database.transaction() as connection:
        await store.request_password_reset(connection, form.email)
    await asyncio.sleep(max(0.0, _MIN_RESPONSE_SECONDS - (time.monotonic() - started)))


@router.post(
    "/v1/auth/password/reset",
    status_code=204,
    response_class=Response,
    responses=problems(404, 410, 413, 415, 422, 429),
    tags=["identity"],
)
async def reset_password(form: ResetPassword, runtime: CurrentRuntime, request: Request) -> None:
    """Set a new password with the token of an emailed link, and sign out every device."""
    await runtime.rate_limiter.count_link(request_ip(request, runtime))
    link_id = runtime.link_tokens.verify("reset_password", form.token)
    password_hash = await runtime.passwords.hash(form.password)
    async with runtime.database.transaction() as connection:
        link = await store.use_link(connection, link_id, "reset_password")
        if not await store.reset_password(connection, link.user_id, password_hash, link.email):
            raise LinkInvalid
        revoked = await runtime.sessions.revoke_other_sessions(
            connection, user_id=link.user_id, kept_id=None, reason="password_changed"
        )
    runtime.metrics.count_revocations("password_changed", revoked)


@router.post(
    "/v1/auth/email/send-verification",
    status_code=202,
    response_class=Response,
    responses=problems(401, 403, 409, 429),
    tags=["identity"],
)
async def request_email_verification(session: CurrentSession, runtime: CurrentRuntime, request: Request) -> None:
    """Send another link that verifies your email address. Earlier links keep working.

    At most five are sent per hour, including the first one. It is a conflict if the email address is already verified.
    """
    await runtime.rate_limiter.count_link(request_ip(request, runtime))
    async with runtime.database.transaction() as connection:
        await store.request_email_verification(connection, session.user_id)


@router.post(
    "/v1/auth/email/verify",
    status_code=204,
    response_class=Response,
    responses=problems(404, 410, 413, 415, 422, 429),
    tags=["identity"],
)
async def verify_email(body: LinkToken, runtime: CurrentRuntime, request: Request) -> None:
    """Verify an email address with the token of the link that was sent to it."""
    await runtime.rate_limiter.count_link(request_ip(request, runtime))
    link_id = runtime.link_tokens.verify("verify_email", body.token)
    async with runtime.database.transaction() as connection:
        link = await store.use_link(connection, link_id, "verify_email")
        if not await store.verify_email(connection, link.user_id, link.email):
            raise LinkInvalid


@router.post("/v1/sessions/not-me", responses=problems(404, 410, 413, 415, 422, 429), tags=["sessions"])
async def report_session(body: LinkToken, runtime: CurrentRuntime, request: Request) -> ReportedSession:
    """Report a sign-in that was not yours: every device is signed out, and the current password stops working."""
    ip = request_ip(request, runtime)
    await runtime.rate_limiter.count_link(ip)
    link_id = runtime.link_tokens.verify("not_me", body.token)
    async with runtime.database.transaction() as connection:
        link = await store.use_link(connection, link_id, "not_me")
        if link.session_id is None:
            raise LinkInvalid
        revoked = await sessions.report_session(connection, link.user_id, link.session_id, ip)
        reset_id = await store.create_link(connection, "reset_password", link.user_id, _RESET_LIFETIME)
    runtime.metrics.count_revocations("not_me", revoked)
    return ReportedSession(revoked=revoked, reset_token=runtime.link_tokens.create("reset_password", reset_id))
