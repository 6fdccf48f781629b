"""Workers that are killed, a database that crashes, and what the provider's books say of it afterwards."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from gatepost.db.embedded import EmbeddedPostgres
from gatepost.db.pool import refusals
from gatepost.errors import ServiceUnavailable
from tests.post.workers import Workers, connected, working
from tests.resend import FakeResend

# Everything that can go wrong with a POST; what hangs does so for less time than the worker would wait.
SHARES = {
    "hang-before:0.4": 0.01,
    "hang-after:0.4": 0.02,
    "drop-before": 0.01,
    "drop-after": 0.02,
    "cut": 0.02,
    "500-before": 0.01,
    "500-after": 0.02,
    "502": 0.01,
    "503": 0.01,
    "slow:0.7": 0.3,
    "storm:3": 0.02,
    "garbled": 0.02,
}
TAG = "gatepost_email_id"
_VARIABLES = json.dumps({"name": "Ada", "login_url": "https://example.com/"})
_FILES = json.dumps(
    [{"filename": "terms.txt", "content_type": "text/plain", "content": base64.b64encode(b"Terms. " * 500).decode()}]
)


@dataclass
class Ordeal:
    """What was done to the post, and what it did."""

    queued: dict[int, str] = field(default_factory=dict)
    kills: int = 0
    crashes: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


async def undergo(
    server: EmbeddedPostgres,
    resend: FakeResend,
    messages: int,
    log: Path,
    *,
    alone_every: int = 10,
    most_kills: int | None = None,
    limit: float = 100.0,
) -> Ordeal:
    """Queue messages, half of them while others are sent, kill a worker every two seconds, crash the database once.

    Returns when nothing is on its way any more, with all that is wrong by the books and by the database.

    Raises:
        TimeoutError: it is not over within `limit` seconds.
    """
    told = Ordeal()
    clock = asyncio.get_running_loop().time
    begun = clock()
    half = messages // 2
    async with asyncio.timeout(limit), working(server.url, resend, 2, log) as workers:
        await queue(server.url, range(half), alone_every, told.queued, half)
        later = range(half, messages)
        queuing = asyncio.create_task(queue(server.url, later, alone_every, told.queued, max(5, messages // 100)))
        killing = asyncio.create_task(_kill(workers, most_kills))
        crashing = asyncio.create_task(_crash_at(server, resend, half))
        try:
            await queuing
            while await _on_their_way(server.url):
                workers.start()
                await asyncio.sleep(0.05)
            told.crashes = int(crashing.done())
        finally:
            for task in (queuing, killing, crashing):
                task.cancel()
            await asyncio.gather(queuing, killing, crashing, return_exceptions=True)
        told.seconds, told.kills = clock() - begun, workers.kills
    told.wrong = await wrong_with(server.url, resend, told)
    return told


async def queue(
    url: str, numbers: range, alone_every: int, queued: dict[int, str], at_once: int = 100
) -> dict[int, str]:
    """Queue messages, so many in a transaction, and return their ids; an answer that is lost is asked for again."""
    query = "select gatepost.queue_email('welcome', $1, $2, p_attachments => $3, p_idempotency_key => $4)"
    for first in range(numbers.start, numbers.stop, at_once):
        some = range(first, min(first + at_once, numbers.stop))
        while some[-1] not in queued:
            with contextlib.suppress(ServiceUnavailable), refusals():
                async with connected(url) as connection, connection.transaction():
                    ids = [
                        await connection.fetchval(
                            query, f"ada{n}@example.com", _VARIABLES, "[]" if n % alone_every else _FILES, str(n)
                        )
                        for n in some
                    ]
                queued |= {n: str(found) for n, found in zip(some, ids, strict=True)}
            await asyncio.sleep(0.1)
    return queued


async def _kill(workers: Workers, most: int | None) -> None:
    while most is None or workers.kills < most:
        await asyncio.sleep(2)
        # Rather in the middle of something.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while not workers.posting:
                    await asyncio.sleep(0.005)
        workers.kill()


async def _crash_at(server: EmbeddedPostgres, resend: FakeResend, accepted: int) -> None:
    while len(resend.books) < accepted:
        await asyncio.sleep(0.01)
    await crash(server)


async def crash(server: EmbeddedPostgres) -> None:
    """Crash a database, and have it back on the same socket."""
    cluster = str(server.data)
    restart = ["restart", "-D", cluster, "-m", "immediate", "-w", "-l", f"{cluster}/server.log"]
    done = await asyncio.to_thread(server._home.run, "pg_ctl", *restart)
    assert done.returncode == 0, done.stderr


async def _on_their_way(url: str) -> int:
    """Return how many messages have not come to an end; while nobody can say, one."""
    with contextlib.suppress(ServiceUnavailable), refusals():
        async with connected(url) as connection:
            query = "select count(*) from gatepost.emails where status in ('queued', 'sending')"
            return int(await connection.fetchval(query))
    return 1


async def wrong_with(url: str, resend: FakeResend, told: Ordeal) -> list[str]:
    """Return what is wrong: with the provider's books, with a message's row or timeline, or left over."""
    wrong = []
    times = resend.books.times(TAG)
    odd = Counter({each: times[each] for each in {*times, *told.queued.values()} if times[each] != 1})
    wrong += [f"message {each} was accepted {number} times" for each, number in odd.items()]
    wrong += [f"message {each} is not ours" for each in {*times} - {*told.queued.values()}]
    known = {message.tags[TAG]: message.id for message in resend.books}
    async with connected(url) as connection:
        for row in await connection.fetch(_ROWS):
            wrong += [f"message {row['id']} {problem}" for problem in _wrong_with_row(row, known, told)]
        queued = await connection.fetchval("select count(*) from gatepost.emails")
        left = await connection.fetchval("select count(*) from gatepost.email_dispatches")
    if queued != len(told.queued):
        wrong.append(f"{queued} messages were queued, not {len(told.queued)}")
    if left:
        wrong.append(f"{left} dispatches are left over")
    return wrong


_ROWS = """
select e.id::text, e.status, e.attempts, e.last_error, e.provider, e.provider_id, e.dispatch_id,
  count(*) filter (where v.type = 'accepted') as accepted, count(*) filter (where v.type = 'deferred') as deferred,
  count(*) filter (where v.type not in ('accepted', 'deferred')) as others,
  max(v.id) = max(v.id) filter (where v.type = 'accepted') as accepted_last
from gatepost.emails e left join gatepost.email_events v on v.email_id = e.id
group by e.id
"""


def _wrong_with_row(row: asyncpg.Record, known: dict[str, str], told: Ordeal) -> list[str]:
    # A try has an outcome that is told, or was cut off: by a kill, or by the database's crash.
    least, most = row["deferred"] + 1, row["deferred"] + 1 + told.kills + told.crashes
    checks: Sequence[tuple[bool, Any]] = [
        (row["status"] == "sent" and row["last_error"] is None, f"is {row['status']}: {row['last_error']}"),
        (row["provider"] == "resend" and row["provider_id"] == known.get(row["id"]), "has another provider's id"),
        (row["dispatch_id"] is None, "is in a dispatch"),
        (row["accepted"] == 1 and row["accepted_last"] and not row["others"], "has an odd timeline"),
        (least <= row["attempts"] <= most, f"has {row['attempts']} attempts, {row['deferred']} of them deferred"),
    ]
    return [problem for holds, problem in checks if not holds]


def asked_again(resend: FakeResend) -> tuple[int, int]:
    """Return how many keys were asked again, and how many of them though a whole answer had been given before."""
    answered: dict[str | None, list[bool]] = {}
    for request in resend.requests:
        whole = request.status == 200 and request.mischief in {None, "slow"}
        answered.setdefault(request.key, []).append(whole)
    repeated = [answers for answers in answered.values() if len(answers) > 1]
    return len(repeated), sum(any(answers[:-1]) for answers in repeated)
