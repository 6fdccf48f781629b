"""Ending many sessions: in small steps, each a transaction of its own, with rests, so that sign-ins hardly notice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

from gatepost.admin import store
from gatepost.admin.models import RevokedByFilter, RevokeSessions
from gatepost.admin.staff import Actor
from gatepost.db import Database
from gatepost.settings import Settings

_STEP = 25
# Of what a step took: so the database is left to everybody else for that share of the time.
_REST = 1.0
# Seconds: after a pass, for rows that somebody else held.
_PAUSE = 0.05

OnStep = Callable[[int, int], None]


def _ignore(_done: int, _of: int) -> None:
    """Tell nobody."""


async def revoke_sessions(
    database: Database, settings: Settings, order: RevokeSessions, actor: Actor, on_step: OnStep = _ignore
) -> RevokedByFilter:
    """End what fits the filter; `on_step` is told how many of how many were looked at.

    A crash in between leaves whole steps done, and asking again does the rest. One's own session, if it fits, is ended
    last: who ends everything learns that it was among them.
    """
    async with database.connection() as connection:
        if order.dry_run:
            matched = await store.count_fitting(connection, settings, order.filter)
            return RevokedByFilter(matched=matched, revoked=0, included_own=False)
        fitting = await store.list_fitting(connection, settings, order.filter)
    own = actor.session_id in fitting
    if actor.session_id is not None and own:
        fitting.remove(actor.session_id)
        fitting.append(actor.session_id)
    revoked = 0
    left = fitting
    while left:
        revoked += await _pass(database, left, order, actor, on_step)
        async with database.connection() as connection:
            left = await store.still_active(connection, left)
        if left:
            await asyncio.sleep(_PAUSE)
    await _finish(database, order, actor, revoked)
    return RevokedByFilter(matched=len(fitting), revoked=revoked, included_own=own)


async def _pass(database: Database, ids: list[UUID], order: RevokeSessions, actor: Actor, on_step: OnStep) -> int:
    revoked = 0
    for start in range(0, len(ids), _STEP):
        began = time.monotonic()
        async with database.transaction() as connection:
            step = ids[start : start + _STEP]
            revoked += await store.revoke_listed(connection, step, actor.name, order.reason, actor.ip)
        on_step(start + len(step), len(ids))
        await asyncio.sleep((time.monotonic() - began) * _REST)
    return revoked


async def _finish(database: Database, order: RevokeSessions, actor: Actor, revoked: int) -> None:
    """Write down the act as a whole. This commit is waited for, and with it all the steps' are on disk."""
    detail = {"filter": order.filter.model_dump(mode="json", exclude_none=True), "revoked": revoked}
    async with database.transaction() as connection:
        await store.note(connection, actor.name, "sessions.revoked", None, order.reason, actor.ip, detail)
