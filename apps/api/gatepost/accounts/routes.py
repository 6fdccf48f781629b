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
    RegistrationInfo,
    SignIn,
)
from gatepost.accounts.sign_in import SignInFlow
from gatepost.accounts.uniform_time import uniform_time
from gatepost.errors import FieldError, Forbidden, TokenInvalid, ValidationFailed
from gatepost.http import ApiRoute, Connection, CurrentRuntime, preferred_language, problems, request_ip
from gatepost.security import JsonWebKeys
from gatepost.sessions import CurrentSession, reauthenticate_session

router = APIRouter(tags=["identity"], route_class=ApiRoute)
registration = APIRouter(tags=["identity"], route_class=ApiRoute)


@registration.post(
    "/v1/auth/register",
    status_code=201,
    response_model=SignIn,
    responses=problems(403, 409, 413, 415, 422, 429)
    | {
        202: {"description": "The email address has to be confirmed: the next step is in the email that was sent to it"}
    },
)
async def register(form: Register, runtime: CurrentRuntime, request: Request, response: Response) -> SignIn | Response:
    """Create an account and sign in on this device.

    With `REGISTRATION=confirm` the response is an empty 202 for every email address, whether or not it has an account.
    A new one gets an email with a link to confirm it and to set a password, an existing one an email that says so.
    """
    flow = SignInFlow(runtime, request, response)
    flow.check_origin(form.transport)
    if runtime.settings.registration == "closed":
        raise Forbidden("Registration is closed. Ask an admin for an account.")
    ip = request_ip(request, runtime)
    await runtime.rate_limiter.count_registration(ip)
    if runtime.settings.registration == "confirm":
        language = preferred_language(request.headers.get("accept-language"))
        async with uniform_time(), runtime.database.transaction() as connection:
            await store.request_registration(connection, form.email, language, ip)
        return Response(status_code=202)
    password = _require_password(form)
    await runtime.password_rules.check(password, form.email)
    password_hash = await runtime.passwords.hash(password)
    async with runtime.database.transaction() as connection:
        user = await runtime.accounts.register_user(connection, form.email, password_hash, ip)
        signed_in = await flow.open(connection, user, form)
        await store.set_registration_session(connection, user.id, signed_in.session.id)
    runtime.metrics.count_sign_in(len(signed_in.evicted))
    return signed_in


@router.get("/v1/auth/registration", responses=problems())
async def read_registration(runtime: CurrentRuntime) -> RegistrationInfo:
    """Return who can register here."""
    return RegistrationInfo(registration=runtime.settings.registration)


@router.post("/v1/auth/login", summary="Sign In", responses=problems(401, 403, 413, 415, 422, 429))
async def login(form: Login, runtime: CurrentRuntime, request: Request, response: Response) -> SignIn:
    """Sign in on this device. Above the session limit, the least recently active device is signed out."""
    flow = SignInFlow(runtime, request, response)
    flow.check_origin(form.transport)
    authenticated = await runtime.accounts.authenticate(
        form.email, form.password, request_ip(request, runtime), flow.is_known_to
    )
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
    await runtime.accounts.reauthenticate(session.user_id, session.id, form.password, request_ip(request, runtime))
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
    """Set a new password and sign out all other devices. This voids all links that could set a new password."""
    ip = request_ip(request, runtime)
    authenticated = await runtime.accounts.reauthenticate(session.user_id, session.id, form.current_password, ip)
    await runtime.password_rules.check(form.new_password, authenticated.user.email, field="new_password")
    new_hash = await runtime.passwords.hash(form.new_password)
    async with runtime.database.transaction() as connection:
        revoked = await store.change_password(
            connection,
            user_id=session.user_id,
            session_id=session.id,
            old_hash=authenticated.password_hash,
            new_hash=new_hash,
            ip=ip,
            idle_timeout=runtime.sessions.idle_timeout,
        )
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


def _require_password(form: Register) -> str:
    if form.password is None:
        missing = FieldError(loc=["body", "password"], msg="Field required", type="missing")
        raise ValidationFailed(errors=[missing])
    return form.password
