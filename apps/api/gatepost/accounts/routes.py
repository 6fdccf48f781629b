"""`/v1/auth` and `/v1/me`: signing in and out, and who one is."""

from __future__ import annotations

from fastapi import APIRouter, Response
from starlette.requests import Request

from gatepost.accounts import store
from gatepost.accounts.models import (
    ChangePassword,
    JsonWebKeys,
    Login,
    Me,
    Person,
    Reauthenticate,
    RefreshTokenBody,
    Register,
    SignIn,
)
from gatepost.accounts.service import Desk
from gatepost.errors import Conflict, Forbidden, InvalidCredentials, TokenInvalid
from gatepost.http.dependencies import Connection, CurrentRuntime, Runtime, client_address
from gatepost.http.problems import ContractRoute, refuses
from gatepost.sessions import store as sessions
from gatepost.sessions.guard import CurrentSession
from gatepost.sessions.models import Session

router = APIRouter(tags=["identity"], route_class=ContractRoute)


@router.post("/v1/auth/register", status_code=201, responses=refuses(403, 409, 413, 415, 422, 429))
async def register(form: Register, runtime: CurrentRuntime, request: Request, response: Response) -> SignIn:
    """Make an account and sign in on this device."""
    desk = Desk(runtime, request, response)
    desk.demand_own_page(form.transport)
    if runtime.settings.registration == "closed":
        raise Forbidden("Registration is closed; ask for an invitation.")
    await runtime.throttle.try_registration(client_address(request, runtime))
    password_hash = await runtime.passwords.hash(form.password)
    async with runtime.database.transaction() as connection:
        person = await store.create_person(connection, form.email, password_hash)
        if person is None:
            raise Conflict("This e-mail address has an account already.")
        await store.request_email_verification(connection, person.id)
        signed_in = await desk.open(connection, person, form)
    runtime.metrics.signed_in(len(signed_in.evicted))
    return signed_in


@router.post("/v1/auth/login", responses=refuses(401, 403, 413, 415, 422, 429))
async def login(form: Login, runtime: CurrentRuntime, request: Request, response: Response) -> SignIn:
    """Sign in on this device; above the cap the least recently active device is signed out."""
    desk = Desk(runtime, request, response)
    desk.demand_own_page(form.transport)
    async with runtime.database.connection() as connection:
        found = await store.find_person(connection, form.email)
    person, password_hash = found or (None, None)
    await _demand_password(runtime, request, form.email, found, form.password)
    if person is None or password_hash is None:
        raise InvalidCredentials
    async with runtime.database.transaction() as connection:
        # The password may have been changed while it was verified; then the session must not outlive the change.
        enabled = await store.hold_password(connection, person.id, password_hash)
        if enabled is None:
            raise InvalidCredentials
        if not enabled:
            raise Forbidden("This account is disabled.")
        signed_in = await desk.open(connection, person, form)
    runtime.metrics.signed_in(len(signed_in.evicted))
    if runtime.passwords.outdated(password_hash):
        await _rehash(runtime, person, password_hash, form.password)
    return signed_in


@router.post("/v1/auth/refresh", responses=refuses(401, 403, 413, 415, 422))
async def refresh(
    runtime: CurrentRuntime, request: Request, response: Response, body: RefreshTokenBody | None = None
) -> SignIn:
    """Exchange a refresh token for new tokens. It works once; used again later, it ends the session."""
    return await Desk(runtime, request, response).refresh(body.refresh_token if body else None)


@router.post("/v1/auth/logout", status_code=204, response_class=Response, responses=refuses(403, 413, 415, 422))
async def logout(
    runtime: CurrentRuntime, request: Request, response: Response, body: RefreshTokenBody | None = None
) -> None:
    """Sign out on this device. The refresh token or cookie alone suffices; without a session, nothing happens."""
    await Desk(runtime, request, response).log_out(body.refresh_token if body else None)


@router.post(
    "/v1/auth/reauthenticate", status_code=204, response_class=Response, responses=refuses(401, 403, 413, 415, 422, 429)
)
async def reauthenticate(
    form: Reauthenticate, session: CurrentSession, runtime: CurrentRuntime, request: Request
) -> None:
    """Show the password once more, before something that asks for a recent sign-in."""
    found = await _read_person(runtime, session)
    await _demand_password(runtime, request, found[0].email, found, form.password)
    async with runtime.database.transaction() as connection:
        await sessions.reauthenticate_session(connection, session.id)


@router.post(
    "/v1/auth/password/change",
    status_code=204,
    response_class=Response,
    responses=refuses(401, 403, 409, 413, 415, 422, 429),
)
async def change_password(
    form: ChangePassword, session: CurrentSession, runtime: CurrentRuntime, request: Request
) -> None:
    """Set a new password and sign out all other devices."""
    person, password_hash = found = await _read_person(runtime, session)
    await _demand_password(runtime, request, person.email, found, form.current_password)
    new_hash = await runtime.passwords.hash(form.new_password)
    async with runtime.database.transaction() as connection:
        if not await store.replace_password(connection, person.id, password_hash, new_hash):
            raise Conflict("The password was changed meanwhile.")
        # In this order: whoever holds the lock on a person's sessions then takes their rows.
        revoked = await sessions.revoke_other_sessions(
            connection, runtime.settings, user_id=person.id, kept_id=session.id, reason="password_changed"
        )
        await sessions.reauthenticate_session(connection, session.id)
    runtime.metrics.revoked("password_changed", revoked)


@router.get("/v1/me", responses=refuses(401))
async def read_me(session: CurrentSession, connection: Connection) -> Me:
    """Say who is signed in, and on which device."""
    found = await store.read_person(connection, session.user_id)
    if found is None:
        raise TokenInvalid
    return Me(user=found[0], session=session)


@router.get("/.well-known/jwks.json", responses=refuses())
async def list_public_keys(runtime: CurrentRuntime, response: Response) -> JsonWebKeys:
    """Give the public keys of our access tokens (RFC 7517)."""
    response.headers["Cache-Control"] = "public, max-age=600"
    return JsonWebKeys(keys=runtime.keys.public())


async def _read_person(runtime: Runtime, session: Session) -> tuple[Person, str]:
    async with runtime.database.connection() as connection:
        found = await store.read_person(connection, session.user_id)
    if found is None:
        raise TokenInvalid
    return found


async def _demand_password(
    runtime: Runtime, request: Request, email: str, found: tuple[Person, str] | None, password: str
) -> None:
    """Refuse a wrong password, in the same time whether the person exists or not, and slow down who guesses."""
    address = client_address(request, runtime)
    await runtime.throttle.try_password(email, address)
    person, password_hash = found or (None, None)
    if not await runtime.passwords.verify(password_hash, password):
        # Written although the request is refused.
        await store.note_failed_sign_in(runtime.database, person.id if person else None, address)
        raise InvalidCredentials
    await runtime.throttle.forgive(email, address)


async def _rehash(runtime: Runtime, person: Person, old_hash: str, password: str) -> None:
    new_hash = await runtime.passwords.hash(password)
    async with runtime.database.transaction() as connection:
        await store.rehash_password(connection, person.id, old_hash, new_hash)
