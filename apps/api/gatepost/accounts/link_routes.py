"""Routes that request and use the links in emails: password reset, email verification, "this wasn't me"."""

from __future__ import annotations

from fastapi import APIRouter, Response
from starlette.requests import Request

from gatepost.accounts import store
from gatepost.accounts.models import ConfirmedEmail, ForgotPassword, LinkToken, ReportedSession, ResetPassword
from gatepost.accounts.sign_in import SignInFlow
from gatepost.accounts.uniform_time import uniform_time
from gatepost.http import ApiRoute, CurrentRuntime, problems, request_ip
from gatepost.sessions import CurrentSession

router = APIRouter(route_class=ApiRoute)


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
    ip = request_ip(request, runtime)
    await runtime.rate_limiter.count_link(ip)
    async with uniform_time(), runtime.database.transaction() as connection:
        await store.request_password_reset(connection, form.email, ip)


@router.post(
    "/v1/auth/password/reset",
    status_code=204,
    response_class=Response,
    responses=problems(404, 410, 413, 415, 422, 429),
    tags=["identity"],
)
async def reset_password(form: ResetPassword, runtime: CurrentRuntime, request: Request) -> None:
    """Set a new password with the token of an emailed link, and sign out every device.

    This voids all other links that could set a new password.
    """
    ip = request_ip(request, runtime)
    await runtime.rate_limiter.count_link(ip)
    link_id = runtime.link_tokens.verify("reset_password", form.token)
    async with runtime.database.connection() as connection:
        email = await store.find_link_email(connection, link_id)
    await runtime.password_rules.check(form.password, email)
    password_hash = await runtime.passwords.hash(form.password)
    async with runtime.database.transaction() as connection:
        revoked = await store.reset_password(connection, link_id, password_hash, ip, runtime.sessions.idle_timeout)
    # Others may have used up the attempts; the owner of the email address signs in now.
    await runtime.rate_limiter.reset_password_attempts(email or "")
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

    At most five are sent per hour, including the first one. Returns 409 if the email address is already verified.
    """
    await runtime.rate_limiter.count_link(request_ip(request, runtime))
    async with runtime.database.transaction() as connection:
        await store.request_email_verification(connection, session.user_id)


@router.post("/v1/auth/email/verify", responses=problems(401, 404, 410, 413, 415, 422, 429), tags=["identity"])
async def verify_email(
    body: LinkToken, runtime: CurrentRuntime, request: Request, response: Response
) -> ConfirmedEmail:
    """Confirm an email address with the token of the link that was sent to it.

    Send it with the access token or the cookies of the session that registered: then nothing else changes. Otherwise
    someone else may have registered the email address, so all of its sessions are revoked, the password stops working,
    and `reset_token` sets a new one.
    """
    ip = request_ip(request, runtime)
    await runtime.rate_limiter.count_link(ip)
    link_id = runtime.link_tokens.verify("verify_email", body.token)
    session_id = await SignInFlow(runtime, request, response).find_session_id()
    async with runtime.database.transaction() as connection:
        used = await store.confirm_email(connection, link_id, session_id, ip, runtime.sessions.idle_timeout)
    runtime.metrics.count_revocations("password_changed", used.revoked)
    return ConfirmedEmail(revoked=used.revoked, reset_token=_reset_token(runtime, used))


@router.post("/v1/sessions/not-me", responses=problems(404, 410, 413, 415, 422, 429), tags=["sessions"])
async def report_session(body: LinkToken, runtime: CurrentRuntime, request: Request) -> ReportedSession:
    """Report a sign-in that was not yours: every device is signed out, and the current password stops working.

    Within 24 hours of the sign-in, and if the password was not changed since, `reset_token` sets a new password.
    """
    ip = request_ip(request, runtime)
    await runtime.rate_limiter.count_link(ip)
    link_id = runtime.link_tokens.verify("not_me", body.token)
    async with runtime.database.transaction() as connection:
        used = await store.report_session(connection, link_id, ip, runtime.sessions.idle_timeout)
    runtime.metrics.count_revocations("not_me", used.revoked)
    return ReportedSession(revoked=used.revoked, reset_token=_reset_token(runtime, used))


def _reset_token(runtime: CurrentRuntime, used: store.UsedLink) -> str | None:
    return runtime.link_tokens.create("reset_password", used.reset_link_id) if used.reset_link_id else None
