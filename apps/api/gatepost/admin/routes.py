"""`/v1/admin`: finding and ending anybody's sessions, people, API keys, the audit log."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from gatepost.accounts.permissions import ActingAdmin, Admin, AuditReader, SessionReader, SessionRevoker, UserReader
from gatepost.admin import api_keys as key_store
from gatepost.admin import bulk, search, store
from gatepost.admin import service as lists
from gatepost.admin.models import (
    Act,
    ApiKeyPage,
    AuditPage,
    CreateApiKey,
    NewApiKey,
    Reason,
    RevokedByFilter,
    RevokeSessions,
    StaffSessionPage,
    Status,
    User,
    UserPage,
)
from gatepost.errors import NotFound
from gatepost.http import pagination as paging
from gatepost.http.dependencies import Connection, CurrentRuntime
from gatepost.http.problems import ContractRoute, refuses
from gatepost.security import api_keys as keys
from gatepost.sessions.models import EndReason, RevokedSessions

router = APIRouter(prefix="/v1/admin", tags=["admin"], route_class=ContractRoute)

_BY_ADMIN: EndReason = "signed_out_by_admin"

Text = Annotated[str | None, Query(min_length=1, max_length=254, pattern=r"^[^\x00]*$")]
Notify = Annotated[bool, Query(description="Tell the person by mail")]
GivenReason = Annotated[Reason, Query(description="Why; it is kept in the audit log")]


@router.get("/sessions", responses=refuses(401, 403, 422))
async def search_sessions(
    actor: SessionReader,
    runtime: CurrentRuntime,
    connection: Connection,
    q: Text = None,
    user_id: UUID | None = None,
    status: Status | None = None,
    ip: Text = None,
    limit: paging.Limit = 50,
    cursor: paging.RawCursor = None,
) -> StaffSessionPage:
    """Find anybody's sessions by the beginning of an address or a name, by an id, an IP address or a network."""
    wanted = search.Search(q=q, user_id=user_id, ip=ip, status=status)
    return await lists.list_sessions(
        connection, runtime.settings, runtime.places, wanted, cursor, limit, current_id=actor.session_id
    )


@router.delete(
    "/sessions/{session_id:uuid}", status_code=204, response_class=Response, responses=refuses(401, 403, 404, 422)
)
async def revoke_any_session(
    session_id: UUID,
    actor: SessionRevoker,
    runtime: CurrentRuntime,
    connection: Connection,
    reason: GivenReason,
    notify: Notify = False,
) -> None:
    """End anybody's session; its next request is refused."""
    ended = await store.revoke_any_session(connection, session_id, actor.name, reason, actor.ip, notify=notify)
    runtime.metrics.revoked(_BY_ADMIN, int(ended))


@router.post("/sessions/revoke", responses=refuses(401, 403, 413, 415, 422))
async def revoke_sessions(body: RevokeSessions, actor: SessionRevoker, runtime: CurrentRuntime) -> RevokedByFilter:
    """End all sessions that fit a filter, in small steps; with `dry_run` only count them.

    With `notify` each person is told by one mail, queued with the end of their sessions: breaking off and asking again
    tells nobody twice of one device, and leaves nobody out.
    """
    result = await bulk.revoke_sessions(runtime.database, runtime.settings, body, actor)
    runtime.metrics.revoked(_BY_ADMIN, result.revoked)
    return result


@router.get("/users", responses=refuses(401, 403, 422))
async def list_users(
    actor: UserReader,
    runtime: CurrentRuntime,
    connection: Connection,
    q: Text = None,
    limit: paging.Limit = 50,
    cursor: paging.RawCursor = None,
) -> UserPage:
    """List people by address, those whose address or name begins with `q`."""
    return await lists.list_users(connection, runtime.settings, q, cursor, limit)


@router.get("/users/{user_id}", responses=refuses(401, 403, 404, 422))
async def read_user(user_id: UUID, actor: UserReader, runtime: CurrentRuntime, connection: Connection) -> User:
    """Show a person."""
    user = await store.read_user(connection, runtime.settings, user_id)
    if user is None:
        raise NotFound
    return user


@router.get("/users/{user_id}/sessions", responses=refuses(401, 403, 422))
async def list_user_sessions(
    user_id: UUID,
    actor: SessionReader,
    runtime: CurrentRuntime,
    connection: Connection,
    status: Status | None = None,
    limit: paging.Limit = 50,
    cursor: paging.RawCursor = None,
) -> StaffSessionPage:
    """List a person's sessions, the newest first."""
    return await search_sessions(actor, runtime, connection, None, user_id, status, None, limit, cursor)


@router.delete("/users/{user_id}/sessions", responses=refuses(401, 403, 404, 422))
async def revoke_user_sessions(
    user_id: UUID,
    actor: SessionRevoker,
    runtime: CurrentRuntime,
    connection: Connection,
    reason: GivenReason,
    notify: Notify = False,
) -> RevokedSessions:
    """End all sessions of a person."""
    revoked = await store.revoke_user_sessions(
        connection, runtime.settings, user_id, actor.name, reason, actor.ip, notify=notify
    )
    runtime.metrics.revoked(_BY_ADMIN, revoked)
    return RevokedSessions(revoked=revoked)


@router.post("/users/{user_id}/disable", responses=refuses(401, 403, 404, 413, 415, 422))
async def disable_user(
    user_id: UUID, body: Act, actor: ActingAdmin, runtime: CurrentRuntime, connection: Connection
) -> User:
    """Disable a person: every session of theirs ends, and none opens until they are enabled."""
    act = store.act_on_user(connection, runtime.settings, "disable", user_id, actor.name, body.reason, actor.ip)
    runtime.metrics.revoked(_BY_ADMIN, await act)
    return await read_user(user_id, actor, runtime, connection)


@router.post("/users/{user_id}/enable", responses=refuses(401, 403, 404, 413, 415, 422))
async def enable_user(
    user_id: UUID, body: Act, actor: ActingAdmin, runtime: CurrentRuntime, connection: Connection
) -> User:
    """Let a disabled person sign in again."""
    await store.act_on_user(connection, runtime.settings, "enable", user_id, actor.name, body.reason, actor.ip)
    return await read_user(user_id, actor, runtime, connection)


@router.delete("/users/{user_id}", status_code=204, response_class=Response, responses=refuses(401, 403, 404, 422))
async def delete_user(
    user_id: UUID, actor: ActingAdmin, runtime: CurrentRuntime, connection: Connection, reason: GivenReason
) -> None:
    """Delete a person: every session of theirs ends; the audit log keeps their id alone."""
    act = store.act_on_user(connection, runtime.settings, "delete", user_id, actor.name, reason, actor.ip)
    runtime.metrics.revoked(_BY_ADMIN, await act)


@router.get("/api-keys", responses=refuses(401, 403, 422))
async def list_api_keys(
    actor: Admin, connection: Connection, limit: paging.Limit = 50, cursor: paging.RawCursor = None
) -> ApiKeyPage:
    """List the API keys, the newest first, without their secrets."""
    return await lists.list_keys(connection, cursor, limit)


@router.post("/api-keys", status_code=201, responses=refuses(401, 403, 413, 415, 422))
async def create_api_key(body: CreateApiKey, actor: ActingAdmin, connection: Connection) -> NewApiKey:
    """Make an API key. Its secret is shown this once; only an admin in person makes keys."""
    secret, prefix = keys.mint()
    key = await key_store.create_key(connection, body, prefix, keys.digest(secret), actor.name, actor.ip)
    return NewApiKey(**key.model_dump(), secret=secret)


@router.delete("/api-keys/{key_id}", status_code=204, response_class=Response, responses=refuses(401, 403, 404, 422))
async def revoke_api_key(key_id: UUID, actor: ActingAdmin, connection: Connection) -> None:
    """Revoke an API key; its next request is refused."""
    if not await key_store.revoke_key(connection, key_id, actor.name, actor.ip):
        raise NotFound


@router.get("/audit", responses=refuses(401, 403, 422))
async def list_audit(
    actor: AuditReader,
    connection: Connection,
    by: Annotated[Text, Query(alias="actor")] = None,
    action: Text = None,
    target: Text = None,
    limit: paging.Limit = 50,
    cursor: paging.RawCursor = None,
) -> AuditPage:
    """List what was done, by whom, to what and why, the newest first."""
    place = paging.decode(cursor, int)
    rows = await store.list_audit(connection, by, action, target, place[0] if place else None, limit + 1)
    page = rows[:limit]
    return AuditPage(items=page, next_cursor=paging.encode(page[-1].id) if len(rows) > limit else None)
