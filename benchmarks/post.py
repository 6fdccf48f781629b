"""What the post does: 10,000 messages through kills and a crash, the rate of draining, memory, and what queueing costs.

Workers are processes of `gatepost work`, the provider is the tests'. Only the figures of one run beside one another
mean anything.
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

from tests.post.chaos import SHARES, asked_again, undergo
from tests.post.workers import working
from tests.resend import FakeResend, Mischief

_PEOPLE, _AT_ONCE, _ROUNDS = 10_000, 50, 5
_FILL = """
insert into gatepost.emails (template, version, locale, recipient, variables, security, alone, queued_by)
select 'welcome', 0, 'en', 'ada' || n || '@example.com', '{"name": "Ada", "login_url": "https://example.com/"}', false,
       false, 'benchmark'
from generate_series(1, $1::integer) n
"""
_NAIVE = """
create function gatepost.wake_always() returns trigger language plpgsql set search_path = '' as $$
begin notify gatepost_emails; return null; end; $$;
create trigger wakes_always after insert on gatepost.emails for each row execute function gatepost.wake_always();
alter table gatepost.emails disable trigger wakes_always;
"""
_SIGN_UP = """
with person as (
  insert into gatepost.users (email, password_hash) values ($1, 'none') returning id
)
insert into gatepost.sessions (user_id, device_kind, browser, os, expires_at)
select id, 'desktop', 'Chrome', 'Windows', now() + interval '180 days' from person
"""
_numbers = itertools.count(1)
_VARIABLES = json.dumps({"name": "Ada", "login_url": "https://example.com/"})


@contextmanager
def database() -> Iterator[tuple[embedded.EmbeddedPostgres, Path]]:
    """Have a migrated database, and a file for what the workers say, for the length of a block."""
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        with embedded.running(directory / "data") as server:
            asyncio.run(migrate(server.url))
            yield server, directory / "workers.log"


async def ordeal(server: embedded.EmbeddedPostgres, log: Path) -> None:
    """Send 10,000 messages while everything goes wrong, and print what the provider's books say."""
    async with FakeResend(rate=10, mischief=Mischief(11, SHARES)) as resend:
        told = await undergo(server, resend, 10_000, log, alone_every=20, limit=900)
    repeated, unheard = asked_again(resend)
    spoilt = sum(request.mischief is not None for request in resend.requests)
    print(
        f"\n{len(told.queued):,} messages in {told.seconds:.0f} s; {told.kills} kills, {told.crashes} crash of the "
        f"database, {spoilt} of {len(resend.requests)} requests spoilt:"
    )
    print(f"  {repeated} keys asked again, {unheard} of them though they had been answered")
    print(f"  lost, twice, unknown or odd: {len(told.wrong)} (budget 0)")
    if told.wrong:
        sys.exit("\n".join(told.wrong[:20]))


async def draining(url: str, log: Path) -> None:
    """Print how fast a queue drains beside what the provider allows, by one worker and by two."""
    print("\ndraining, beside what the provider allows:")
    for rate, number in ((5, 1), (5, 2), (10, 1), (10, 2)):
        sql = await asyncpg.connect(url)
        await sql.execute("truncate gatepost.emails, gatepost.email_transports cascade")
        messages = rate * 1200
        async with FakeResend(rate=rate) as resend, working(url, resend, number, log):
            await sql.execute(_FILL, 100)
            await accepted(resend, 100)
            await sql.execute(_FILL, messages)
            await accepted(resend, messages + 100)
        # From the first, by which the pace became known, so that the others are as many seconds as they need.
        took = (resend.books[-1].at - resend.books[0].at).total_seconds()
        refused = sum(request.status == 429 for request in resend.requests)
        allowed = messages / 100 / rate
        print(
            f"  {rate} requests/s, {number} worker{'s' * (number > 1)}: {messages / took:6.0f} messages/s, "
            f"ratio {allowed / took:.2f} (budget 0.90), {refused} refused for the pace"
        )
        await sql.close()


async def accepted(resend: FakeResend, number: int) -> None:
    """Wait until so many messages are accepted."""
    async with asyncio.timeout(600):
        while len(resend.books) < number:  # noqa: ASYNC110 - the books are a list
            await asyncio.sleep(0.02)


async def memory(url: str, log: Path) -> None:
    """Print the most that a worker and its rendering children held with a short queue and with a long one."""
    peaks = {}
    for queued in (1000, 100_000):
        sql = await asyncpg.connect(url)
        await sql.execute("truncate gatepost.emails, gatepost.email_transports cascade")
        async with FakeResend(rate=None) as resend, working(url, resend, 1, log) as workers:
            for sent in range(1000, 11_000, 1000):
                if queued == 1000 or sent == 1000:
                    await sql.execute(_FILL, queued)
                await accepted(resend, sent)
            peaks[queued] = sum(peak(pid) for pid in workers.pids)
        await sql.close()
    short, long = peaks.values()
    print(
        f"\nmemory of a worker and its children after 10,000 messages: {short / 1024:.0f} MiB with 1,000 queued, "
        f"{long / 1024:.0f} MiB with 100,000: ratio {long / short:.2f} (budget 1.10)"
    )


def peak(pid: int) -> int:
    """Return the most that a process has held, in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


async def queueing(url: str, log: Path) -> None:
    """Print what a mail adds to a sign-up, and what waking the workers does to many at once."""
    sql = await asyncpg.connect(url)
    await sql.execute("truncate gatepost.emails, gatepost.email_transports cascade")
    await sql.execute(_NAIVE)
    async with working(url, None, 1, log):
        pass  # by now the database knows the templates
    pool = await asyncpg.create_pool(url, min_size=_AT_ONCE, max_size=_AT_ONCE)
    print(f"\n{_PEOPLE:,} sign-ups of {_AT_ONCE} at once, each with a mail in its transaction:")
    for workers in (0, 1):
        async with AsyncExitStack() as stack:
            if workers:
                await stack.enter_async_context(working(url, None, workers, log))
            await compared(sql, pool, workers)
    await pool.close()
    await sql.close()


async def compared(sql: asyncpg.Connection, pool: asyncpg.Pool, workers: int) -> None:
    """Print the rates with our trigger, without one and with one that always notifies, in turns."""
    rates: dict[str, list[float]] = {"no mail": [], "never": [], "ours": [], "always": []}
    for number in range(_ROUNDS + 1):
        for name in sorted(rates, reverse=bool(number % 2)):
            await sql.execute(f"alter table gatepost.emails {'enable' if name == 'ours' else 'disable'} trigger wakes")
            always = "enable" if name == "always" else "disable"
            await sql.execute(f"alter table gatepost.emails {always} trigger wakes_always")
            rates[name].append(await sign_ups(pool, mail=name != "no mail"))
    beside = {
        name: median(a / b for a, b in zip(each[1:], rates["never"][1:], strict=True)) for name, each in rates.items()
    }
    print(f"  {f'{workers} worker' if workers else 'no worker'}: {median(rates['never'][1:]):.0f}/s if nobody is woken")
    print(f"    ours keeps {beside['ours']:.2f} of that (budget 0.90), always waking {beside['always']:.2f}")
    print(f"    a sign-up without a mail {beside['no mail']:.2f}")


async def sign_ups(pool: asyncpg.Pool, *, mail: bool) -> float:
    """Sign people up, fifty at once, and return how many a second."""
    each = _PEOPLE // _ROUNDS // _AT_ONCE

    async def person() -> None:
        for _ in range(each):
            address = f"p{next(_numbers)}@example.com"
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(_SIGN_UP, address)
                if mail:
                    await connection.fetchval("select gatepost.queue_email('welcome', $1, $2)", address, _VARIABLES)

    began = time.perf_counter()
    await asyncio.gather(*(person() for _ in range(_AT_ONCE)))
    return each * _AT_ONCE / (time.perf_counter() - began)


def main() -> None:
    """Run each on an embedded database of its own."""
    for act in (draining, memory, queueing):
        with database() as (server, log):
            asyncio.run(act(server.url, log))
    with database() as (server, log):
        asyncio.run(ordeal(server, log))


if __name__ == "__main__":
    main()
