"""Measure mail: how fast a queue drains, memory, the cost of queueing, and 10,000 messages through kills and a crash.

Workers are processes of `gatepost work`; the provider is the fake of the tests. Compare figures only within one run.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from statistics import median

import asyncpg

from gatepost.db import embedded
from gatepost.db.migrations import migrate

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.fake_resend import FakeResend, Faults
from tests.support.stress import FAULT_RATES, repeated_keys, run_stress_test
from tests.support.workers import running_workers

_SIGN_UPS, _CONCURRENCY, _ROUNDS = 10_000, 50, 5
_FILL = """
insert into gatepost.emails (template, version, locale, recipient, variables, security, alone, queued_by)
select 'welcome', 0, 'en', 'ada' || n || '@example.com', '{"name": "Ada", "login_url": "https://example.com/"}', false,
       false, 'benchmark'
from generate_series(1, $1::integer) n
"""
_ALWAYS_NOTIFY = """
create function gatepost.notify_always() returns trigger language plpgsql set search_path = '' as $$
begin notify gatepost_emails; return null; end; $$;
create trigger notifies_always after insert on gatepost.emails for each row execute function gatepost.notify_always();
alter table gatepost.emails disable trigger notifies_always;
"""
_SIGN_UP = """
with new_user as (
  insert into gatepost.users (email, password_hash) values ($1, 'none') returning id
)
insert into gatepost.sessions (user_id, device_kind, browser, os, expires_at)
select id, 'desktop', 'Chrome', 'Windows', now() + interval '180 days' from new_user
"""
_numbers = itertools.count(1)
_VARIABLES = json.dumps({"name": "Ada", "login_url": "https://example.com/"})


@contextmanager
def database() -> Iterator[tuple[embedded.EmbeddedPostgres, Path]]:
    """Run a migrated database for the length of a block. Yields it, and the file for the workers' logs."""
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        with embedded.running(directory / "data") as server:
            asyncio.run(migrate(server.url))
            yield server, directory / "workers.log"


async def survive_faults(server: embedded.EmbeddedPostgres, log: Path) -> None:
    """Send 10,000 messages while workers, database and provider fail, and print what the provider received."""
    async with FakeResend(rate=10, faults=Faults(11, FAULT_RATES)) as resend:
        result = await run_stress_test(server, resend, 10_000, log, attachment_every=20, limit=900)
    repeated, unheard = repeated_keys(resend)
    faulty = sum(request.fault is not None for request in resend.requests)
    print(
        f"\n{len(result.queued):,} messages in {result.seconds:.0f} s; {result.kills} kills of workers, "
        f"{result.crashes} crash of the database, {faulty} of {len(resend.requests)} requests disturbed:"
    )
    print(f"  {repeated} idempotency keys sent again, {unheard} of them after a response that got lost")
    print(f"  lost, duplicated, unknown or inconsistent: {len(result.errors)} (budget 0)")
    if result.errors:
        sys.exit("\n".join(result.errors[:20]))


async def drain(url: str, log: Path) -> None:
    """Print how fast one worker and two workers drain a queue, against the rate limit of the provider."""
    print("\ndraining a queue, against the rate limit of the provider:")
    for rate, number in ((5, 1), (5, 2), (10, 1), (10, 2)):
        sql = await asyncpg.connect(url)
        await sql.execute("truncate gatepost.emails, gatepost.email_transports cascade")
        messages = rate * 1200
        async with FakeResend(rate=rate) as resend, running_workers(url, resend, number, log):
            await sql.execute(_FILL, 100)
            await wait_until_accepted(resend, 100)
            await sql.execute(_FILL, messages)
            await wait_until_accepted(resend, messages + 100)
        # From the first message on, after which the workers know the rate limit.
        seconds = (resend.messages[-1].at - resend.messages[0].at).total_seconds()
        rejected = sum(request.status == 429 for request in resend.requests)
        least = messages / 100 / rate
        print(
            f"  {rate} requests/s, {number} worker{'s' * (number > 1)}: {messages / seconds:6.0f} messages/s, "
            f"ratio {least / seconds:.2f} (budget 0.90), {rejected} requests rejected with 429"
        )
        await sql.close()


async def wait_until_accepted(resend: FakeResend, number: int) -> None:
    """Wait until the provider has accepted that many messages."""
    async with asyncio.timeout(600):
        while len(resend.messages) < number:  # noqa: ASYNC110 - the fake provider has no event to wait for
            await asyncio.sleep(0.02)


async def measure_memory(url: str, log: Path) -> None:
    """Print the peak memory of a worker and its sandbox processes, with a short and a long queue."""
    peaks = {}
    for queued in (1000, 100_000):
        sql = await asyncpg.connect(url)
        await sql.execute("truncate gatepost.emails, gatepost.email_transports cascade")
        async with FakeResend(rate=None) as resend, running_workers(url, resend, 1, log) as workers:
            for sent in range(1000, 11_000, 1000):
                if queued == 1000 or sent == 1000:
                    await sql.execute(_FILL, queued)
                await wait_until_accepted(resend, sent)
            peaks[queued] = sum(peak_memory(pid) for pid in workers.pids)
        await sql.close()
    short, long = peaks.values()
    print(
        f"\npeak memory of a worker and its sandbox processes after 10,000 messages: {short / 1024:.0f} MiB with "
        f"1,000 queued, {long / 1024:.0f} MiB with 100,000 queued: ratio {long / short:.2f} (budget 1.10)"
    )


def peak_memory(pid: int) -> int:
    """Return the peak memory of a process in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


async def queue(url: str, log: Path) -> None:
    """Print the cost of an email in the transaction of a sign-up, and of notifying the workers."""
    sql = await asyncpg.connect(url)
    await sql.execute("truncate gatepost.emails, gatepost.email_transports cascade")
    await sql.execute(_ALWAYS_NOTIFY)
    async with running_workers(url, None, 1, log):
        pass  # a worker registers the templates when it starts
    pool = await asyncpg.create_pool(url, min_size=_CONCURRENCY, max_size=_CONCURRENCY)
    print(f"\n{_SIGN_UPS:,} sign-ups, {_CONCURRENCY} at a time, each with an email in its transaction:")
    for workers in (0, 1):
        async with AsyncExitStack() as stack:
            if workers:
                await stack.enter_async_context(running_workers(url, None, workers, log))
            await compare(sql, pool, workers)
    await pool.close()
    await sql.close()


async def compare(sql: asyncpg.Connection, pool: asyncpg.Pool, workers: int) -> None:
    """Print the rates with our trigger, without it, and with one that notifies for every row; in turns."""
    rates: dict[str, list[float]] = {"no email": [], "never": [], "ours": [], "always": []}
    for number in range(_ROUNDS + 1):
        for name in sorted(rates, reverse=bool(number % 2)):
            await sql.execute(
                f"alter table gatepost.emails {'enable' if name == 'ours' else 'disable'} trigger wake_workers"
            )
            always = "enable" if name == "always" else "disable"
            await sql.execute(f"alter table gatepost.emails {always} trigger notifies_always")
            rates[name].append(await sign_up(pool, email=name != "no email"))
    ratios = {
        name: median(a / b for a, b in zip(each[1:], rates["never"][1:], strict=True)) for name, each in rates.items()
    }
    print(f"  {f'{workers} worker' if workers else 'no worker'}: {median(rates['never'][1:]):.0f}/s without notifying")
    print(f"    with our trigger {ratios['ours']:.2f} of that (budget 0.90), with one per row {ratios['always']:.2f}")
    print(f"    without an email {ratios['no email']:.2f}")


async def sign_up(pool: asyncpg.Pool, *, email: bool) -> float:
    """Sign users up concurrently and return how many per second."""
    each = _SIGN_UPS // _ROUNDS // _CONCURRENCY

    async def one_client() -> None:
        for _ in range(each):
            email_address = f"user{next(_numbers)}@example.com"
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(_SIGN_UP, email_address)
                if email:
                    await connection.fetchval(
                        "select gatepost.queue_email('welcome', $1, $2)", email_address, _VARIABLES
                    )

    began = time.perf_counter()
    await asyncio.gather(*(one_client() for _ in range(_CONCURRENCY)))
    return each * _CONCURRENCY / (time.perf_counter() - began)


def main() -> None:
    """Run each measurement on its own embedded database."""
    for measure in (drain, measure_memory, queue):
        with database() as (server, log):
            asyncio.run(measure(server.url, log))
    with database() as (server, log):
        asyncio.run(survive_faults(server, log))


if __name__ == "__main__":
    main()
