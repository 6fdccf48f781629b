"""`/v1/me/notices`: which mail a person wants; what keeps their account safe cannot be turned off."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from gatepost.db import pool as db
from gatepost.errors import Conflict, NotFound
from gatepost.http.dependencies import Connection, CurrentRuntime, Runtime
from gatepost.http.problems import ContractRoute, refuses
from gatepost.mail.notifications import store
from gatepost.mail.notifications.models import ChooseNotice, Notice, NoticeList
from gatepost.mail.templates.models import Key
from gatepost.sessions.guard import CurrentSession

router = APIRouter(prefix="/v1/me/notices", tags=["identity"], route_class=ContractRoute)


@router.get("", responses=refuses(401))
async def list_notices(session: CurrentSession, runtime: CurrentRuntime, connection: Connection) -> NoticeList:
    """List the kinds of mail that you may get, and which of them you want."""
    return NoticeList(items=await _notices(runtime, connection, session.user_id))


@router.put("/{key}", responses=refuses(401, 403, 404, 409, 413, 415, 422))
async def choose_notice(
    key: Annotated[Key, Path()],
    body: ChooseNotice,
    session: CurrentSession,
    runtime: CurrentRuntime,
    connection: Connection,
) -> Notice:
    """Turn a kind of mail on or off."""
    found = {each.key: each for each in await _notices(runtime, connection, session.user_id)}.get(key)
    if found is None:
        raise NotFound
    if found.security and not body.enabled:
        raise Conflict("This mail keeps your account safe; it cannot be turned off.")
    choose = store.turn_on if body.enabled else store.turn_off
    await choose(connection, session.user_id, key)
    return found.model_copy(update={"enabled": body.enabled})


async def _notices(runtime: Runtime, connection: db.Connection, user_id: UUID) -> list[Notice]:
    unwanted = await store.list_unwanted(connection, user_id)
    return [
        Notice(
            key=each.key,
            name=each.name,
            description=each.description,
            security=each.security,
            enabled=each.security or each.key not in unwanted,
        )
        for each in await runtime.templates.described(connection)
    ]
