"""`/v1/me/notifications`: which emails the user receives."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from gatepost.http import ApiRoute, Connection, CurrentRuntime, problems
from gatepost.mail.notifications.models import Notification, NotificationList, UpdateNotification
from gatepost.mail.templates import Key
from gatepost.sessions import CurrentSession

router = APIRouter(prefix="/v1/me/notifications", tags=["identity"], route_class=ApiRoute)


@router.get("", responses=problems(401))
async def list_notifications(
    session: CurrentSession, runtime: CurrentRuntime, connection: Connection
) -> NotificationList:
    """List the kinds of email that you can receive, and whether each is turned on."""
    return NotificationList(items=await runtime.notifications.list_notifications(connection, session.user_id))


@router.put("/{key}", responses=problems(401, 403, 404, 409, 413, 415, 422))
async def update_notification(
    key: Annotated[Key, Path()],
    body: UpdateNotification,
    session: CurrentSession,
    runtime: CurrentRuntime,
    connection: Connection,
) -> Notification:
    """Turn a kind of email on or off. Security emails cannot be turned off."""
    return await runtime.notifications.update_notification(connection, session.user_id, key, enabled=body.enabled)
