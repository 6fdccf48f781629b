"""`/v1/auth/password/forgot`, `/reset`, `/v1/auth/email/verify`, `/send-verification`: what links in mails lead to."""

from __future__ import annotations

import asyncio
import time

from fastapi import APIRouter, Response
from starlette.requests import Request

from gatepost.accounts import store
from gatepost.accounts.models import ForgotPassword, LinkToken, ResetPassword
from gatepost.errors import LinkInvalid
from gatepost.http.dependencies import CurrentRuntime, client_address
from gatepost.http.problems import ContractRoute, refuses
from gatepost.sessions import store as sessions
from gatepost.sessions.guard import CurrentSession

router = APIRouter(prefix="/v1/auth", tags=["identity"], route_class=ContractRoute)

# Seconds that an answer takes at least, whether there is such an account or not.
_ANSWER_TIME = 0.2


@router.post("/password/forgot", status_code=202, response_class=Response, responses=refuses(413, 415, 422, 429))
async def request_password_reset(form: ForgotPassword, runtime: CurrentRuntime, request: Request) -> None:
    """Send a link to choose a new password, if the address has an account; the answer never says whether it has."""
    started = time.monotonic()
    await runtime.throttle.try_link(client_address(request, runtime))
    async with runtime.database.transaction() as connection:
        await store.request_password_reset(connection, form.email)
    await asyncio.sleep(max(0.0, _ANSWER_TIME - (time.monotonic() - started)))


@router.post(
    "/password/reset",
    status_code=204,
    response_class=Response,
    responses=refuses(404, 410, 413, 415, 422, 429),
)
async def reset_password(form: ResetPassword, runtime: CurrentRuntime, request: Request) -> None:
    """Set a new password by a link; every device is signed out."""
    await runtime.throttle.try_link(client_address(request, runtime))
    link_id = runtime.links.read("reset_password", form.token)
    password_hash = await runtime.passwords.hash(form.password)
    async with runtime.database.transaction() as connection:
        link = await store.use_link(connection, link_id, "reset_password")
        if not await store.reset_password(connection, link.user_id, password_hash, link.email):
            raise LinkInvalid
        revoked = await sessions.revoke_all_sessions(
            connection, runtime.settings, user_id=link.user_id, reason="password_changed"
        )
    runtime.metrics.revoked("password_changed", revoked)


@router.post(
    "/email/send-verification", status_code=202, response_class=Response, responses=refuses(401, 403, 409, 429)
)
async def request_email_verification(session: CurrentSession, runtime: CurrentRuntime, request: Request) -> None:
    """Send the link that confirms your address once more; older ones keep working.

    At most five an hour, the first one included. An address that is confirmed is a conflict.
    """
    await runtime.throttle.try_link(client_address(request, runtime))
    async with runtime.database.transaction() as connection:
        await store.request_email_verification(connection, session.user_id)


@router.post("/email/verify", status_code=204, response_class=Response, responses=refuses(404, 410, 413, 415, 422, 429))
async def verify_email(body: LinkToken, runtime: CurrentRuntime, request: Request) -> None:
    """Confirm that an address is one's own, by the link that went there."""
    await runtime.throttle.try_link(client_address(request, runtime))
    link_id = runtime.links.read("verify_email", body.token)
    async with runtime.database.transaction() as connection:
        link = await store.use_link(connection, link_id, "verify_email")
        if not await store.verify_email(connection, link.user_id, link.email):
            raise LinkInvalid
