"""`/v1/admin`: any user's sessions, users, API keys, the audit log."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from gatepost.accounts import AdminGuard, CurrentAdmin, RecentAdmin
from gatepost.admin import store
from gatepost.admin.models import (
    AdminSessionPage,
    AdminUser,
    AdminUserPage,
    ApiKey,
    ApiKeyPage,
    CreateApiKey,
    NewApiKey,
    Reason,
    RevokedByFilter,
    RevokeSessions,
    Status,
    UserActionRequest,
)
from gatepost.admin.search import Search
from gatepost.audit import Actor, AuditPage
from gatepost.errors import Forbidden, NotFound
from gatepost.http import ApiRoute, Connection, CurrentRuntime, pagination, problems
from gatepost.sessions import EndReason, RevokedSessions


class _BulkBodies(ApiRoute):
    """A route that accepts up to 10,000 ids."""

    max_body_bytes = 512 * 1024


router = APIRouter(prefix="/v1/admin", tags=["admin"], route_class=ApiRoute)
bulk = APIRouter(prefix="/v1/admin", tags=["admin"], route_class=_BulkBodies)

_BY_ADMIN: EndReason = "signed_out_by_admin"

SessionReader = Annotated[Actor, Depends(AdminGuard("sessions:read"))]
SessionRevoker = Annotated[Actor, Depends(AdminGuard("sessions:revoke", recent=True))]
UserReader = Annotated[Actor, Depends(AdminGuard("users:read"))]
AuditReader = Annotated[Actor, Depends(AdminGuard("audit:read"))]

_TEXT: dict[str, Any] = {"min_length": 1, "max_length": 254, "pattern": r"^[^\x00]*$"}
SessionQuery = Annotated[
    str | None,
    Query(**_TEXT, description="The beginning of an email address or name, an id, an IP address or a network"),
]
UserQuery = Annotated[str | None, Query(**_TEXT, description="The beginning of an email address or name")]
IpQuery = Annotated[str | None, Query(**_TEXT, description="An IP address or a network, like 10.0.0.0/8")]
ActorQuery = Annotated[str | None, Query(**_TEXT, description="Like `user:<id>`, `key:<id>` or `cli`")]
ActionQuery = Annotated[str | None, Query(**_TEXT, description="Like `session.ended`")]
TargetQuery = Annotated[str | None, Query(**_TEXT, description="Like `user:<id>` or `session:<id>`")]
Notify = Annotated[bool, Query(description="Notify the user by email")]
ReasonQuery = Annotated[Reason, Query(description="Reason, recorded in the audit log")]


@router.get("/sessions", responses=problems(401, 403, 422))
async def search_sessions(
    actor: SessionReader,
    runtime: CurrentRuntime,
    connection: Connection,
    q: SessionQuery = None,
    user_id: UUID | None = None,
    status: Status | None = None,
    ip: IpQuery = None,
    limit: pagination.Limit = 50,
    cursor: pagination.RawCursor = None,
) -> AdminSessionPage:
    """Search the sessions of all users."""
    wanted = Search(q=q, user_id=user_id, ip=ip, status=status)
    return await runtime.admin.list_sessions(connection, wanted, cursor, limit, current_id=actor.session_id)


@router.delete(
    "/sessions/{session_id:uuid}", status_code=204, response_class=Response, responses=problems(401, 403, 404, 422)
)
async def revoke_any_session(
    session_id: UUID,
    actor: SessionRevoker,
    runtime: CurrentRuntime,
    connection: Connection,
    reason: ReasonQuery,
    notify: Notify = False,
) -> None:
    """Revoke any user's session; its next request is rejected."""
    revoked = await store.revoke_any_session(connection, session_id, actor, reason, notify=notify)
    runtime.metrics.count_revocations(_BY_ADMIN, int(revoked))


@bulk.post("/sessions/revoke", responses=problems(401, 403, 413, 415, 422))
async def revoke_sessions(body: RevokeSessions, actor: SessionRevoker, runtime: CurrentRuntime) -> RevokedByFilter:
    """Revoke all sessions that match a filter, in many small transactions. With `dry_run`, only count them.

    With `notify` each user gets one email, queued in the transaction that revokes their sessions. An interrupted
    request can be repeated: no user is notified twice about one device, and none is missed.
    """
    result = await runtime.admin.revoke_matching_sessions(body, actor)
    runtime.metrics.count_revocations(_BY_ADMIN, result.revoked)
    return result


@router.get("/users", responses=problems(401, 403, 422))
async def list_users(
    actor: UserReader,
    runtime: CurrentRuntime,
    connection: Connection,
    q: UserQuery = None,
    limit: pagination.Limit = 50,
    cursor: pagination.RawCursor = None,
) -> AdminUserPage:
    """List users, sorted by email address."""
    return await runtime.admin.list_users(connection, q, cursor, limit)


@router.get("/users/{user_id}", responses=problems(401, 403, 404, 422))
async def read_user(user_id: UUID, actor: UserReader, runtime: CurrentRuntime, connection: Connection) -> AdminUser:
    """Return a user."""
    user = await runtime.admin.read_user(connection, user_id)
    if user is None:
        raise NotFound
    return user


@router.get("/users/{user_id}/sessions", responses=problems(401, 403, 422))
async def list_user_sessions(
    user_id: UUID,
    actor: SessionReader,
    runtime: CurrentRuntime,
    connection: Connection,
    status: Status | None = None,
    limit: pagination.Limit = 50,
    cursor: pagination.RawCursor = None,
) -> AdminSessionPage:
    """List a user's sessions, newest first."""
    wanted = Search(user_id=user_id, status=status)
    return await runtime.admin.list_sessions(connection, wanted, cursor, limit, current_id=actor.session_id)


@router.delete("/users/{user_id}/sessions", responses=problems(401, 403, 404, 422))
async def revoke_user_sessions(
    user_id: UUID,
    actor: SessionRevoker,
    runtime: CurrentRuntime,
    connection: Connection,
    reason: ReasonQuery,
    notify: Notify = False,
) -> RevokedSessions:
    """Revoke all sessions of a user."""
    revoked = await runtime.admin.revoke_user_sessions(connection, user_id, actor, reason, notify=notify)
    runtime.metrics.count_revocations(_BY_ADMIN, revoked)
    return RevokedSessions(revoked=revoked)


@router.post("/users/{user_id}/disable", responses=problems(401, 403, 404, 409, 413, 415, 422))
async def disable_user(
    user_id: UUID, body: UserActionRequest, actor: RecentAdmin, runtime: CurrentRuntime, connection: Connection
) -> AdminUser:
    """Disable a user: all their sessions are revoked, and they cannot sign in until they are enabled.

    API keys that they own are suspended. The last enabled admin cannot be disabled.
    """
    revoked = await runtime.admin.act_on_user(connection, "disable", user_id, actor, body.reason)
    runtime.metrics.count_revocations(_BY_ADMIN, revoked)
    return await read_user(user_id, actor, runtime, connection)


@router.post("/users/{user_id}/enable", responses=problems(401, 403, 404, 413, 415, 422))
async def enable_user(
    user_id: UUID, body: UserActionRequest, actor: RecentAdmin, runtime: CurrentRuntime, connection: Connection
) -> AdminUser:
    """Let a disabled user sign in again."""
    await runtime.admin.act_on_user(connection, "enable", user_id, actor, body.reason)
    return await read_user(user_id, actor, runtime, connection)


@router.delete(
    "/users/{user_id}", status_code=204, response_class=Response, responses=problems(401, 403, 404, 409, 422)
)
async def delete_user(
    user_id: UUID, actor: RecentAdmin, runtime: CurrentRuntime, connection: Connection, reason: ReasonQuery
) -> None:
    """Delete a user: all their sessions are revoked, and what is known about them is erased.

    Sessions and emails keep ids, times and reasons; the audit log and the suppression list stay. API keys that they own
    are suspended. The last enabled admin cannot be deleted.
    """
    revoked = await runtime.admin.act_on_user(connection, "delete", user_id, actor, reason)
    runtime.metrics.count_revocations(_BY_ADMIN, revoked)


@router.get("/api-keys", summary="List API Keys", responses=problems(401, 403, 422))
async def list_api_keys(
    actor: CurrentAdmin,
    runtime: CurrentRuntime,
    connection: Connection,
    limit: pagination.Limit = 50,
    cursor: pagination.RawCursor = None,
) -> ApiKeyPage:
    """List the API keys, newest first, without their secrets."""
    return await runtime.admin.list_api_keys(connection, cursor, limit)


@router.post("/api-keys", summary="Create API Key", status_code=201, responses=problems(401, 403, 409, 413, 415, 422))
async def create_api_key(
    body: CreateApiKey, actor: RecentAdmin, runtime: CurrentRuntime, connection: Connection
) -> NewApiKey:
    """Create an API key. Its secret is shown only once. API keys cannot create others."""
    return await runtime.admin.create_api_key(connection, body, actor)


@router.delete(
    "/api-keys/{key_id}",
    summary="Revoke API Key",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 404, 422),
)
async def revoke_api_key(key_id: UUID, actor: RecentAdmin, connection: Connection) -> None:
    """Revoke an API key; its next request is rejected."""
    if not await store.revoke_api_key(connection, key_id, actor):
        raise NotFound


@router.post("/api-keys/{key_id}/take-over", summary="Take Over API Key", responses=problems(401, 403, 404, 409, 422))
async def take_over_api_key(key_id: UUID, actor: RecentAdmin, connection: Connection) -> ApiKey:
    """Become the owner of an API key. It keeps its secret and scopes, and works again if it was suspended.

    A key is suspended when its owner is disabled, deleted or no longer an admin; enabling them again does not change
    that.
    """
    if actor.user_id is None:
        raise Forbidden
    return await store.take_over_api_key(connection, key_id, actor.user_id, actor)


@router.get("/audit", summary="List Audit Log", responses=problems(401, 403, 422))
async def list_audit(
    reader: AuditReader,
    runtime: CurrentRuntime,
    connection: Connection,
    actor: ActorQuery = None,
    action: ActionQuery = None,
    target: TargetQuery = None,
    limit: pagination.Limit = 50,
    cursor: pagination.RawCursor = None,
) -> AuditPage:
    """List the audit log, newest first."""
    return await runtime.admin.list_audit(
        connection, actor=actor, action=action, target=target, cursor=cursor, limit=limit
    )
