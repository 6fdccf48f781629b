"""A stress test of delivery: workers are killed, the database crashes, and the provider's records are checked."""

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
from gatepost.db.pool import translated_errors
from gatepost.errors import ServiceUnavailable
from gatepost.mail.outbox.messages import error_text
from tests.support.fake_resend import FakeResend
from tests.support.mail import TAG
from tests.support.workers import Workers, disposable_connection, running_workers

# Everything that can go wrong with a POST; what hangs does so for less time than the worker's timeout.
FAULT_RATES = {
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
    "rate-limit:3": 0.02,
    "garbled": 0.02,
}
_VARIABLES = json.dumps({"name": "Ada", "login_url": "https://example.com/"})
_ATTACHMENTS = json.dumps(
    [{"filename": "terms.txt", "content_type": "text/plain", "content": base64.b64encode(b"Terms. " * 500).decode()}]
)


@dataclass
class StressResult:
    """What happened during a stress test: the ids of the messages by their number, and all errors found."""

    queued: dict[int, str] = field(default_factory=dict)
    kills: int = 0
    crashes: int = 0
    seconds: float = 0.0
    errors: list[str] = field(default_factory=list)


async def run_stress_test(
    server: EmbeddedPostgres,
    resend: FakeResend,
    messages: int,
    log: Path,
    *,
    attachment_every: int = 10,
    max_kills: int | None = None,
    limit: float = 100.0,
) -> StressResult:
    """Queue messages, half of them while others are sent, kill a worker every two seconds, crash the database once.

    Returns when every message is settled, with the differences between the provider's records, the database and what
    was queued. Every nth message has an attachment (`attachment_every`).

    Raises:
        TimeoutError: it is not over within `limit` seconds.
    """
    result = StressResult()
    clock = asyncio.get_running_loop().time
    started_at = clock()
    half = messages // 2
    async with asyncio.timeout(limit), running_workers(server.url, resend, 2, log) as workers:
        await queue_messages(server.url, range(half), attachment_every, result.queued, half)
        rest = queue_messages(
            server.url, range(half, messages), attachment_every, result.queued, max(5, messages // 100)
        )
        queuing = asyncio.create_task(rest)
        killing = asyncio.create_task(_kill_workers(workers, max_kills))
        crashing = asyncio.create_task(_crash_after(server, resend, half))
        try:
            await queuing
            while await _count_unsettled(server.url):
                workers.start()
                await asyncio.sleep(0.05)
            result.crashes = int(crashing.done())
        finally:
            for task in (queuing, killing, crashing):
                task.cancel()
            await asyncio.gather(queuing, killing, crashing, return_exceptions=True)
        result.seconds, result.kills = clock() - started_at, workers.kills
    result.errors = await find_errors(server.url, resend, result)
    return result


async def queue_messages(
    url: str, numbers: range, attachment_every: int, queued: dict[int, str], per_transaction: int = 100
) -> dict[int, str]:
    """Queue messages and return their ids by number; a transaction whose outcome is unknown is repeated."""
    query = "select gatepost.queue_email('welcome', $1, $2, p_attachments => $3, p_idempotency_key => $4)"
    for first in range(numbers.start, numbers.stop, per_transaction):
        some = range(first, min(first + per_transaction, numbers.stop))
        while some[-1] not in queued:
            with contextlib.suppress(ServiceUnavailable), translated_errors():
                async with disposable_connection(url) as connection, connection.transaction():
                    ids = [
                        await connection.fetchval(
                            query,
                            f"ada{n}@example.com",
                            _VARIABLES,
                            "[]" if n % attachment_every else _ATTACHMENTS,
                            str(n),
                        )
                        for n in some
                    ]
                queued |= {n: str(found) for n, found in zip(some, ids, strict=True)}
            await asyncio.sleep(0.1)
    return queued


async def _kill_workers(workers: Workers, max_kills: int | None) -> None:
    while max_kills is None or workers.kills < max_kills:
        await asyncio.sleep(2)
        # Preferably in the middle of a request.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while not workers.next_is_sending:
                    await asyncio.sleep(0.005)
        workers.kill()


async def _crash_after(server: EmbeddedPostgres, resend: FakeResend, accepted: int) -> None:
    while len(resend.messages) < accepted:
        await asyncio.sleep(0.01)
    await crash_database(server)


async def crash_database(server: EmbeddedPostgres) -> None:
    """Crash a database, and start it again on the same socket."""
    cluster = str(server.data)
    restart = ["restart", "-D", cluster, "-m", "immediate", "-w", "-l", f"{cluster}/server.log"]
    done = await asyncio.to_thread(server._cluster.run, "pg_ctl", *restart)
    assert done.returncode == 0, done.stderr


async def _count_unsettled(url: str) -> int:
    """Return how many messages are not settled; one, while the database does not answer."""
    with contextlib.suppress(ServiceUnavailable), translated_errors():
        async with disposable_connection(url) as connection:
            query = "select count(*) from gatepost.emails where status in ('queued', 'sending')"
            return int(await connection.fetchval(query))
    return 1


async def find_errors(url: str, resend: FakeResend, result: StressResult) -> list[str]:
    """Return everything wrong with the provider's records, with a message's row or events, or left over."""
    errors = []
    accepted = resend.messages.count_by_tag(TAG)
    wrong = Counter({each: accepted[each] for each in {*accepted, *result.queued.values()} if accepted[each] != 1})
    errors += [f"message {each} was accepted {times} times" for each, times in wrong.items()]
    errors += [f"message {each} was never queued" for each in {*accepted} - {*result.queued.values()}]
    provider_ids = {message.tags[TAG]: message.id for message in resend.messages}
    async with disposable_connection(url) as connection:
        for row in await connection.fetch(_ROWS):
            errors += [f"message {row['id']} {error}" for error in _row_errors(row, provider_ids, result)]
        queued = await connection.fetchval("select count(*) from gatepost.emails")
        batches = await connection.fetchval("select count(*) from gatepost.email_batches")
    if queued != len(result.queued):
        errors.append(f"{queued} messages were queued, not {len(result.queued)}")
    if batches:
        errors.append(f"{batches} batches are left over")
    return errors


_ROWS = """
select e.id::text, e.status, e.attempts, e.error_code, e.error_message, e.provider, e.provider_id, e.batch_id,
  count(*) filter (where v.type = 'accepted') as accepted, count(*) filter (where v.type = 'deferred') as deferred,
  count(*) filter (where v.type not in ('accepted', 'deferred')) as others,
  max(v.id) = max(v.id) filter (where v.type = 'accepted') as accepted_last
from gatepost.emails e left join gatepost.email_events v on v.email_id = e.id
group by e.id
"""


def _row_errors(row: asyncpg.Record, provider_ids: dict[str, str], result: StressResult) -> list[str]:
    # An attempt has a recorded outcome, or was cut off by a kill or by the database's crash.
    least, most = row["deferred"] + 1, row["deferred"] + 1 + result.kills + result.crashes
    checks: Sequence[tuple[bool, Any]] = [
        (
            row["status"] == "sent" and row["error_code"] is None,
            f"is {row['status']}: {error_text(row['error_code'], row['error_message'])}",
        ),
        (
            row["provider"] == "resend" and row["provider_id"] == provider_ids.get(row["id"]),
            "has another provider id than the provider has",
        ),
        (row["batch_id"] is None, "is in a batch"),
        (row["accepted"] == 1 and row["accepted_last"] and not row["others"], "has unexpected events"),
        (least <= row["attempts"] <= most, f"has {row['attempts']} attempts, {row['deferred']} of them deferred"),
    ]
    return [error for holds, error in checks if not holds]


def repeated_keys(resend: FakeResend) -> tuple[int, int]:
    """Return how many idempotency keys were sent again, and how many of them after a complete successful response."""
    responses: dict[str | None, list[bool]] = {}
    for request in resend.requests:
        complete = request.status == 200 and request.fault in {None, "slow"}
        responses.setdefault(request.key, []).append(complete)
    repeated = [complete for complete in responses.values() if len(complete) > 1]
    return len(repeated), sum(any(complete[:-1]) for complete in repeated)
