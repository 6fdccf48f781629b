"""`/v1/sessions`: a person's own devices."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from gatepost.accounts import store as accounts
from gatepost.accounts.models import LinkToken
from gatepost.errors import LinkInvalid, NotFound
from gatepost.http import pagination as paging
from gatepost.http.dependencies import Connection, CurrentRuntime, client_address
from gatepost.http.problems import ContractRoute, refuses
from gatepost.sessions import store
from gatepost.sessions.guard import CurrentSession, RecentSession, demand_recent
from gatepost.sessions.models import (
    Disowned,
    EndReason,
    RegisterSession,
    RenameSession,
    RevokedSessions,
    Session,
    SessionPage,
)

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], route_class=ContractRoute)


@router.get("", responses=refuses(401, 422))
async def list_sessions(
    session: CurrentSession,
    runtime: CurrentRuntime,
    connection: Connection,
    include: Annotated[Literal["ended"] | None, Query(description="Also those that ended, with their reason")] = None,
    limit: paging.Limit = 50,
    cursor: paging.RawCursor = None,
) -> SessionPage:
    """List the devices you are signed in on, this one first."""
    items, following = await store.list_sessions(
        connection,
        runtime.settings,
        runtime.places,
        user_id=session.user_id,
        current_id=session.id,
        include_ended=include == "ended",
        after=paging.decode(cursor, int, int, UUID),
        limit=limit,
    )
    return SessionPage(items=items, next_cursor=paging.encode(*following) if following else None)


@router.post(
    "",
    status_code=201,
    responses=refuses(401, 403, 413, 415, 422) | {200: {"model": Session, "description": "It was there already"}},
)
async def register_session(
    body: RegisterSession,
    session: CurrentSession,
    runtime: CurrentRuntime,
    connection: Connection,
    response: Response,
) -> Session:
    """Make the session of the access token known, and name its device."""
    response.status_code = 200
    if body.device_name is None:
        return session
    return await _rename(connection, runtime, session, session.id, body.device_name)


@router.post("/not-me", responses=refuses(404, 410, 413, 415, 422, 429))
async def disown_session(body: LinkToken, runtime: CurrentRuntime, request: Request) -> Disowned:
    """Say that a sign-in was not one's own: it ends, with all others, and the password that let it in works no more."""
    ip = client_address(request, runtime)
    await runtime.throttle.try_link(ip)
    link_id = runtime.links.read("not_me", body.token)
    async with runtime.database.transaction() as connection:
        link = await accounts.use_link(connection, link_id, "not_me")
        if link.session_id is None:
            raise LinkInvalid
        revoked = await store.disown_session(connection, link.user_id, link.session_id, ip)
        reset = await accounts.add_link(connection, "reset_password", link.user_id, timedelta(hours=1))
    runtime.metrics.revoked("not_me", revoked)
    return Disowned(revoked=revoked, reset_token=runtime.links.mint("reset_password", reset))


@router.patch("/{session_id:uuid}", responses=refuses(401, 403, 404, 413, 415, 422))
async def rename_session(
    session_id: UUID, body: RenameSession, session: CurrentSession, runtime: CurrentRuntime, connection: Connection
) -> Session:
    """Give one of your devices a name of your own."""
    return await _rename(connection, runtime, session, session_id, body.name)


@router.delete("/{session_id:uuid}", status_code=204, response_class=Response, responses=refuses(401, 403, 404, 422))
async def revoke_session(
    session_id: UUID, session: CurrentSession, runtime: CurrentRuntime, connection: Connection
) -> None:
    """Sign out one of your devices; its next request is refused. Any but this one needs a recent password."""
    if session_id != session.id:
        demand_recent(session)
    reason: EndReason = "signed_out" if session_id == session.id else "signed_out_elsewhere"
    ended = await store.revoke_session(
        connection,
        runtime.settings,
        user_id=session.user_id,
        session_id=session_id,
        ended_by=session.user_id,
        reason=reason,
    )
    runtime.metrics.revoked(reason, int(ended))


@router.delete("", responses=refuses(401, 403))
async def revoke_other_sessions(
    session: RecentSession, runtime: CurrentRuntime, connection: Connection
) -> RevokedSessions:
    """Sign out all your devices but this one."""
    revoked = await store.revoke_other_sessions(
        connection, runtime.settings, user_id=session.user_id, kept_id=session.id, reason="signed_out_elsewhere"
    )
    runtime.metrics.revoked("signed_out_elsewhere", revoked)
    return RevokedSessions(revoked=revoked)


async def _rename(
    connection: Connection, runtime: CurrentRuntime, session: Session, session_id: UUID, name: str | None
) -> Session:
    renamed = await store.rename_session(
        connection,
        runtime.settings,
        runtime.places,
        user_id=session.user_id,
        session_id=session_id,
        name=name,
        current_id=session.id,
    )
    if renamed is None:
        raise NotFound
    return renamed
