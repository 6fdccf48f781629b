"""Ending many sessions: in small steps, each a transaction of its own, with rests, so that sign-ins hardly notice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from uuid import UUID

from gatepost.accounts.permissions import Actor
from gatepost.admin import store
from gatepost.admin.models import RevokedByFilter, RevokeSessions
from gatepost.db.pool import Database
from gatepost.settings import Settings

# Sessions. Those of one person end in one step, however many they are, and with them commits the mail that tells so.
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

    A crash in between leaves whole steps done, and asking again does the rest: with `notify`, a person is told in the
    step that ends their sessions, of all that fit, and never again of the same. One's own session, if it fits, is ended
    in the last step: who ends everything learns that it was among them.
    """
    async with database.connection() as connection:
        if order.dry_run:
            matched = await store.count_fitting(connection, settings, order.filter)
            return RevokedByFilter(matched=matched, revoked=0, included_own=False)
        people = await store.list_fitting(connection, settings, order.filter)
    people.sort(key=lambda ids: actor.session_id in ids)
    own = bool(people) and actor.session_id in people[-1]
    matched = sum(map(len, people))
    revoked = 0
    while people:
        revoked += await _pass(database, people, order, actor, on_step)
        async with database.connection() as connection:
            active = await store.still_active(connection, list(chain.from_iterable(people)))
        people = [left for ids in people if (left := [each for each in ids if each in active])]
        if people:
            await asyncio.sleep(_PAUSE)
    await _finish(database, order, actor, revoked)
    return RevokedByFilter(matched=matched, revoked=revoked, included_own=own)


async def _pass(
    database: Database, people: list[list[UUID]], order: RevokeSessions, actor: Actor, on_step: OnStep
) -> int:
    revoked = done = 0
    total = sum(map(len, people))
    for step in _steps(people):
        began = time.monotonic()
        async with database.transaction() as connection:
            revoked += await store.revoke_listed(
                connection, step, actor.name, order.reason, actor.ip, notify=order.notify
            )
        done += len(step)
        on_step(done, total)
        await asyncio.sleep((time.monotonic() - began) * _REST)
    return revoked


def _steps(people: Iterable[list[UUID]]) -> Iterator[list[UUID]]:
    step: list[UUID] = []
    for ids in people:
        if step and len(step) + len(ids) > _STEP:
            yield step
            step = []
        step = step + ids
    if step:
        yield step


async def _finish(database: Database, order: RevokeSessions, actor: Actor, revoked: int) -> None:
    """Write down the act as a whole. This commit is waited for, and with it all the steps' are on disk."""
    detail = {"filter": order.filter.model_dump(mode="json", exclude_none=True), "revoked": revoked}
    async with database.transaction() as connection:
        await store.note(connection, actor.name, "sessions.revoked", None, order.reason, actor.ip, detail)
