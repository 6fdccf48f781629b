"""`/v1/sessions`: a user's own devices."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from gatepost.errors import NotFound
from gatepost.http import ApiRoute, Connection, CurrentRuntime, pagination, problems
from gatepost.sessions.guard import CurrentSession, RecentSession
from gatepost.sessions.models import (
    EndReason,
    RegisterSession,
    RenameSession,
    RevokedSessions,
    Session,
    SessionPage,
    set_locations,
)
from gatepost.sessions.service import require_recent

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], route_class=ApiRoute)


@router.get("", responses=problems(401, 422))
async def list_sessions(
    session: CurrentSession,
    runtime: CurrentRuntime,
    connection: Connection,
    include: Annotated[Literal["ended"] | None, Query(description="Include ended sessions, with the reason")] = None,
    limit: pagination.Limit = 50,
    cursor: pagination.RawCursor = None,
) -> SessionPage:
    """List the devices you are signed in on, this one first."""
    items, following = await runtime.sessions.list_sessions(
        connection,
        user_id=session.user_id,
        current_id=session.id,
        include_ended=include == "ended",
        after=pagination.decode(cursor, int, int, UUID),
        limit=limit,
    )
    set_locations(runtime.geoip, items)
    return SessionPage(items=items, next_cursor=pagination.encode(*following) if following else None)


@router.post(
    "",
    status_code=201,
    responses=problems(401, 403, 413, 415, 422) | {200: {"model": Session, "description": "Already registered"}},
)
async def register_session(
    body: RegisterSession,
    session: CurrentSession,
    runtime: CurrentRuntime,
    connection: Connection,
    response: Response,
) -> Session:
    """Register the session of the access token, and name its device."""
    response.status_code = 200
    if body.device_name is None:
        return session
    return await _rename(connection, runtime, session, session.id, body.device_name)


@router.patch("/{session_id:uuid}", responses=problems(401, 403, 404, 413, 415, 422))
async def rename_session(
    session_id: UUID, body: RenameSession, session: CurrentSession, runtime: CurrentRuntime, connection: Connection
) -> Session:
    """Name one of your devices."""
    return await _rename(connection, runtime, session, session_id, body.name)


@router.delete("/{session_id:uuid}", status_code=204, response_class=Response, responses=problems(401, 403, 404, 422))
async def revoke_session(
    session_id: UUID, session: CurrentSession, runtime: CurrentRuntime, connection: Connection
) -> None:
    """Sign out one of your devices. Any but the current one needs a recently entered password."""
    if session_id != session.id:
        require_recent(session)
    reason: EndReason = "signed_out" if session_id == session.id else "signed_out_elsewhere"
    revoked = await runtime.sessions.revoke_session(
        connection, user_id=session.user_id, session_id=session_id, ended_by=session.user_id, reason=reason
    )
    runtime.metrics.count_revocations(reason, int(revoked))


@router.delete("", responses=problems(401, 403))
async def revoke_other_sessions(
    session: RecentSession, runtime: CurrentRuntime, connection: Connection
) -> RevokedSessions:
    """Sign out all your devices except this one."""
    revoked = await runtime.sessions.revoke_other_sessions(
        connection, user_id=session.user_id, kept_id=session.id, reason="signed_out_elsewhere"
    )
    runtime.metrics.count_revocations("signed_out_elsewhere", revoked)
    return RevokedSessions(revoked=revoked)


async def _rename(
    connection: Connection, runtime: CurrentRuntime, session: Session, session_id: UUID, name: str | None
) -> Session:
    renamed = await runtime.sessions.rename_session(
        connection, user_id=session.user_id, session_id=session_id, name=name, current_id=session.id
    )
    if renamed is None:
        raise NotFound
    set_locations(runtime.geoip, [renamed])
    return renamed
