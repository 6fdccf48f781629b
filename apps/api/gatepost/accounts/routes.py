"""`/v1/auth` and `/v1/me`: signing in and out, passwords, and the current user."""

from __future__ import annotations

from fastapi import APIRouter, Response
from starlette.requests import Request

from gatepost.accounts import store
from gatepost.accounts.models import (
    ChangePassword,
    Login,
    Me,
    Reauthenticate,
    RefreshTokenBody,
    Register,
    SignIn,
)
from gatepost.accounts.sign_in import SignInFlow
from gatepost.errors import Conflict, Forbidden, TokenInvalid
from gatepost.http import ApiRoute, Connection, CurrentRuntime, problems, request_ip
from gatepost.security import JsonWebKeys
from gatepost.sessions import CurrentSession, reauthenticate_session

router = APIRouter(tags=["identity"], route_class=ApiRoute)
registration = APIRouter(tags=["identity"], route_class=ApiRoute)


@registration.post("/v1/auth/register", status_code=201, responses=problems(403, 409, 413, 415, 422, 429))
async def register(form: Register, runtime: CurrentRuntime, request: Request, response: Response) -> SignIn:
    """Create an account and sign in on this device."""
    flow = SignInFlow(runtime, request, response)
    flow.check_origin(form.transport)
    if runtime.settings.registration == "closed":
        raise Forbidden("Registration is closed. Ask an administrator for an account.")
    await runtime.rate_limiter.count_registration(request_ip(request, runtime))
    password_hash = await runtime.passwords.hash(form.password)
    async with runtime.database.transaction() as connection:
        user = await runtime.accounts.create_user(connection, form.email, password_hash)
        signed_in = await flow.open(connection, user, form)
    runtime.metrics.count_sign_in(len(signed_in.evicted))
    return signed_in


@router.post("/v1/auth/login", summary="Sign In", responses=problems(401, 403, 413, 415, 422, 429))
async def login(form: Login, runtime: CurrentRuntime, request: Request, response: Response) -> SignIn:
    """Sign in on this device. Above the session limit, the least recently active device is signed out."""
    flow = SignInFlow(runtime, request, response)
    flow.check_origin(form.transport)
    authenticated = await runtime.accounts.authenticate(form.email, form.password, request_ip(request, runtime))
    async with runtime.database.transaction() as connection:
        await runtime.accounts.lock_password(connection, authenticated)
        signed_in = await flow.open(connection, authenticated.user, form)
    runtime.metrics.count_sign_in(len(signed_in.evicted))
    await runtime.accounts.rehash_if_needed(authenticated, form.password)
    return signed_in


@router.post("/v1/auth/refresh", summary="Refresh Tokens", responses=problems(401, 403, 413, 415, 422))
async def refresh(
    runtime: CurrentRuntime, request: Request, response: Response, body: RefreshTokenBody | None = None
) -> SignIn:
    """Exchange a refresh token for new tokens. It works once: using it again later revokes the session."""
    return await SignInFlow(runtime, request, response).refresh(body.refresh_token if body else None)


@router.post(
    "/v1/auth/logout",
    summary="Sign Out",
    status_code=204,
    response_class=Response,
    responses=problems(403, 413, 415, 422),
)
async def logout(
    runtime: CurrentRuntime, request: Request, response: Response, body: RefreshTokenBody | None = None
) -> None:
    """Sign out on this device. A refresh token or the refresh cookie is enough; without a session, nothing happens."""
    await SignInFlow(runtime, request, response).sign_out(body.refresh_token if body else None)


@router.post(
    "/v1/auth/reauthenticate",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 413, 415, 422, 429),
)
async def reauthenticate(
    form: Reauthenticate, session: CurrentSession, runtime: CurrentRuntime, request: Request
) -> None:
    """Confirm your password before an action that requires a recent sign-in."""
    await runtime.accounts.reauthenticate(session.user_id, form.password, request_ip(request, runtime))
    async with runtime.database.transaction() as connection:
        await reauthenticate_session(connection, session.id)


@router.post(
    "/v1/auth/password/change",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 409, 413, 415, 422, 429),
)
async def change_password(
    form: ChangePassword, session: CurrentSession, runtime: CurrentRuntime, request: Request
) -> None:
    """Set a new password and sign out all other devices."""
    authenticated = await runtime.accounts.reauthenticate(
        session.user_id, form.current_password, request_ip(request, runtime)
    )
    new_hash = await runtime.passwords.hash(form.new_password)
    async with runtime.database.transaction() as connection:
        if not await store.replace_password(connection, session.user_id, authenticated.password_hash, new_hash):
            raise Conflict("Your password was changed in the meantime. Sign in again.")
        # First, because it takes the user's advisory lock, and that comes before the rows of sessions.
        revoked = await runtime.sessions.revoke_other_sessions(
            connection, user_id=session.user_id, kept_id=session.id, reason="password_changed"
        )
        await reauthenticate_session(connection, session.id)
    runtime.metrics.count_revocations("password_changed", revoked)


@router.get("/v1/me", summary="Read Current User", responses=problems(401))
async def read_me(session: CurrentSession, connection: Connection) -> Me:
    """Return the current user and session."""
    found = await store.read_user(connection, session.user_id)
    if found is None:
        raise TokenInvalid
    return Me(user=found.user, session=session)


@router.get("/.well-known/jwks.json", responses=problems())
async def list_public_keys(runtime: CurrentRuntime, response: Response) -> JsonWebKeys:
    """Return the public keys that verify access tokens (RFC 7517)."""
    response.headers["Cache-Control"] = "public, max-age=600"
    return runtime.signing_keys.public()
