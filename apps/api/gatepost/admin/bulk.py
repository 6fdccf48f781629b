"""Revoking many sessions in small steps, each a transaction of its own, with pauses so that sign-ins stay fast."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import chain
from uuid import UUID

from gatepost import audit
from gatepost.admin import store
from gatepost.admin.models import RevokedByFilter, RevokeSessions
from gatepost.audit import Actor
from gatepost.db import Database

# Sessions per step. All sessions of one user are revoked in one step, together with the email that says so.
_STEP = 25
# The pause after a step, as a share of the step's duration.
_PAUSE_RATIO = 1.0
# Seconds to wait after a pass for rows that other transactions had locked.
_RETRY_SECONDS = 0.05

OnStep = Callable[[int, int], None]


async def revoke_matching(
    database: Database,
    request: RevokeSessions,
    actor: Actor,
    *,
    idle_timeout: timedelta,
    on_step: OnStep = lambda _done, _total: None,
) -> RevokedByFilter:
    """Revoke the sessions that match a filter; `on_step` gets how many of how many sessions are done.

    After a crash whole steps are done, and the same request does the rest. With `notify`, a user gets one email about
    all matching sessions in the step that revokes them, and never a second one. The actor's own session, if it matches,
    is revoked in the last step, so that the response still reaches them.
    """
    async with database.connection() as connection:
        if request.dry_run:
            matched = await store.count_matching(connection, request.filter, idle_timeout=idle_timeout)
            return RevokedByFilter(matched=matched, revoked=0, included_own=False)
        users = await store.list_matching(connection, request.filter, idle_timeout=idle_timeout)
    users.sort(key=lambda ids: actor.session_id in ids)
    own = bool(users) and actor.session_id in users[-1]
    matched = sum(map(len, users))
    revoked = 0
    while users:
        revoked += await _pass(database, users, request, actor, on_step)
        async with database.connection() as connection:
            active = await store.still_active(connection, list(chain.from_iterable(users)))
        users = [left for ids in users if (left := [each for each in ids if each in active])]
        if users:
            await asyncio.sleep(_RETRY_SECONDS)
    await _finish(database, request, actor, revoked)
    return RevokedByFilter(matched=matched, revoked=revoked, included_own=own)


async def _pass(
    database: Database, users: list[list[UUID]], request: RevokeSessions, actor: Actor, on_step: OnStep
) -> int:
    revoked = done = 0
    total = sum(map(len, users))
    for step in _steps(users):
        started = time.monotonic()
        async with database.transaction() as connection:
            revoked += await store.revoke_listed(connection, step, actor, request.reason, notify=request.notify)
        done += len(step)
        on_step(done, total)
        await asyncio.sleep((time.monotonic() - started) * _PAUSE_RATIO)
    return revoked


def _steps(users: Iterable[list[UUID]]) -> Iterator[list[UUID]]:
    step: list[UUID] = []
    for ids in users:
        if step and len(step) + len(ids) > _STEP:
            yield step
            step = []
        step = step + ids
    if step:
        yield step


async def _finish(database: Database, request: RevokeSessions, actor: Actor, revoked: int) -> None:
    """Audit the action as a whole. This commit is flushed to disk, and with it the commits of all the steps."""
    detail = {"filter": request.filter.model_dump(mode="json", exclude_none=True), "revoked": revoked}
    async with database.transaction() as connection:
        await audit.record(connection, actor, "sessions.revoked", None, reason=request.reason, detail=detail)
