"""What staff cost: a million sessions of 200,000 people searched, 100,000 ended while people sign in, and the audit.

Only the figures of one run beside one another mean anything.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID, uuid4

import asyncpg

from gatepost import Settings
from gatepost.accounts.permissions import Actor
from gatepost.admin import bulk, search
from gatepost.admin.models import RevokeSessions, SessionFilter
from gatepost.db.embedded import running
from gatepost.db.migrations import migrate
from gatepost.db.pool import Database
from gatepost.geoip import Places
from gatepost.security.passwords import Passwords
from gatepost.security.refresh_tokens import digest
from gatepost.sessions import store
from gatepost.sessions.device import parse_device

_PEOPLE, _EACH = 200_000, 5
_CHROME = parse_device("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0")

_FILL = """
insert into gatepost.users (email, password_hash, user_metadata)
select 'person' || n || '@example.com', 'none', jsonb_build_object('name', 'Name ' || n)
from generate_series(1, {people}) n;

insert into gatepost.sessions
  (user_id, device_kind, browser, os, ip, created_at, last_active_at, expires_at, ended_at, end_reason)
select u.id, 'desktop', case when n = 1 and random() < 0.5 then 'Firefox' else 'Chrome' end, 'Windows',
       '10.0.0.0'::inet + (random() * 16000000)::bigint, t.at, t.at, t.at + interval '400 days',
       case when n in (2, 3) then t.at + interval '1 day' end,
       case n when 2 then 'signed_out' when 3 then 'idle' end
from gatepost.users u
cross join generate_series(1, {each}) n
cross join lateral (select now() - random() * interval '20 days' + n * interval '1 microsecond' as at) t;

analyze gatepost.users, gatepost.sessions;
"""


async def fill(url: str) -> None:
    """Make the people and their sessions; the audit's triggers rest meanwhile, it is no act of anybody."""
    connection = await asyncpg.connect(url)
    await connection.execute("alter table gatepost.sessions disable trigger user")
    await connection.execute("set synchronous_commit = off")
    await connection.execute(_FILL.format(people=_PEOPLE, each=_EACH), timeout=600)
    await connection.execute("alter table gatepost.sessions enable trigger user")
    await connection.execute("checkpoint")
    await connection.close()


async def timed(act: Callable[[], Awaitable[object]], rounds: int = 7) -> float:
    """Return the median of so many runs, in milliseconds; the first is not counted."""
    took = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        await act()
        took.append((time.perf_counter() - began) * 1000)
    return median(took[1:])


async def last_cursor(connection: asyncpg.Connection, settings: Settings, wanted: search.Search) -> str | None:
    """Return the cursor of the last page, found by walking in the largest steps."""
    cursor = previous = None
    for _ in range(40):
        found = await search.search_sessions(connection, settings, wanted, cursor, 1000)
        if found.next_cursor is None:
            break
        previous, cursor = cursor, found.next_cursor
    return cursor or previous


async def searches(database: Database, settings: Settings) -> None:
    """Print what each search costs at its first page and far into it."""
    async with database.connection() as connection:
        [row] = await connection.fetch("select * from gatepost.sessions order by id limit 1")
        wanted = {
            "everything": search.Search(),
            "status active": search.Search(status="active"),
            "status expired": search.Search(status="expired"),
            "status revoked": search.Search(status="revoked"),
            "user id": search.Search(user_id=row["user_id"]),
            "session id": search.Search(q=str(row["id"])),
            "address": search.Search(ip=str(row["ip"])),
            "network /8": search.Search(ip="10.0.0.0/8"),
            "network /24": search.Search(q="10.1.2.0/24"),
            "e-mail prefix, all": search.Search(q="person"),
            "e-mail prefix": search.Search(q="person12345"),
            "name prefix, all": search.Search(q="name "),
            "nothing fits": search.Search(q="zzz"),
        }
        print(f"{'search':20} {'first page':>12} {'far page':>12}")
        for name, each in wanted.items():
            cursor = await last_cursor(connection, settings, each)
            first = await timed(partial(search.search_sessions, connection, settings, each, None, 50))
            far = await timed(partial(search.search_sessions, connection, settings, each, cursor, 50))
            print(f"{name:20} {first:9.2f} ms {far:9.2f} ms")
        await plans(connection, settings)


async def plans(connection: asyncpg.Connection, settings: Settings) -> None:
    """Print the plan of each kind of search, as generic as it runs."""
    idle = settings.idle_timeout
    shown = {
        "by time": (search.BY_TIME[None], idle, None, None, 51),
        "by status": (search.BY_TIME["revoked"], idle, None, None, 51),
        "by network": (search.BY_NETWORK[None], idle, None, None, 51, "10.0.0.0", "10.255.255.255", None),
        "by address": (search.BY_PERSON[0][None], idle, None, None, 51, "person", "person\U0010ffff", None, None),
        "by name": (search.BY_PERSON[1][None], idle, None, None, 51, "name", "name\U0010ffff", None, None),
    }
    for name, (query, *arguments) in shown.items():
        rows = await connection.fetch(f"explain (analyze, costs off, timing off, summary off) {query}", *arguments)
        print(f"\nplan {name}:")
        print("\n".join("  " + row[0] for row in rows))


async def sign_in(database: Database, settings: Settings, user_id: UUID) -> float:
    """Open a session as a sign-in does, less the hashing, and return how long that took in milliseconds."""
    began = time.perf_counter()
    async with database.transaction() as connection:
        await store.open_session(
            connection,
            settings,
            Places(),
            session_id=uuid4(),
            user_id=user_id,
            token_hash=digest(os.urandom(8).hex()),
            name=None,
            device=_CHROME,
            ip=None,
        )
    return (time.perf_counter() - began) * 1000


async def sign_ins(database: Database, settings: Settings, people: list[UUID], until: asyncio.Event) -> list[float]:
    """Sign people in, four at a time, until the event, and return how long each took."""
    took: list[float] = []

    async def one(offset: int) -> None:
        number = offset
        while not until.is_set():
            took.append(await sign_in(database, settings, people[number % len(people)]))
            number += 4

    await asyncio.gather(*(one(offset) for offset in range(4)))
    return took


async def bulk_revocation(url: str, settings: Settings) -> None:
    """Print sign-ins' p99 while 100,000 sessions are ended, beside the idle one."""
    database = await Database.open(url)
    async with database.connection() as connection:
        rows = await connection.fetch("select id from gatepost.users order by id limit 20000")
    people = [row["id"] for row in rows]

    async def during(act: Awaitable[object]) -> tuple[list[float], float]:
        done = asyncio.Event()
        task = asyncio.create_task(sign_ins(database, settings, people, done))
        began = time.perf_counter()
        await act
        seconds = time.perf_counter() - began
        done.set()
        return await task, seconds

    idle, _ = await during(asyncio.sleep(6))
    order = RevokeSessions(filter=SessionFilter(browser="Firefox"), reason="benchmark")
    busy, seconds = await during(bulk.revoke_sessions(database, settings, order, Actor("shell", None)))
    p99 = [quantiles(each, n=100)[98] for each in (idle, busy)]
    async with database.connection() as connection:
        ended = await connection.fetchval(
            "select count(*) from gatepost.sessions where end_reason = 'signed_out_by_admin'"
        )
    print(
        f"\n{ended:,} sessions ended in {seconds:.1f} s; sign-ins meanwhile: p99 {p99[1]:.1f} ms, idle {p99[0]:.1f} ms,"
    )
    print(f"ratio {p99[1] / p99[0]:.2f} (budget 2.0); p50 {median(busy):.1f} ms, idle {median(idle):.1f} ms")
    await database.close()


async def auditing(url: str, settings: Settings) -> None:
    """Print what the audit costs fifty people who sign in at once, in turns with and without it."""
    passwords = Passwords()
    hashed = await passwords.hash("a benchmark's password")

    async def whole(database: Database, user_id: UUID) -> None:
        for _ in range(4):
            await passwords.verify(hashed, "a benchmark's password")
            await sign_in(database, settings, user_id)

    async def unhashed(database: Database, user_id: UUID) -> None:
        for _ in range(20):
            await sign_in(database, settings, user_id)

    print("\nfifty people signing in at once, with the audit beside without:")
    await compared(url, "whole sign-ins", whole, 4)
    await compared(url, "less the hashing", unhashed, 20)
    passwords.close()


async def compared(url: str, name: str, act: Callable[[Database, UUID], Awaitable[None]], each: int) -> None:
    """Print the rate of an act of fifty people, with the audit's triggers and without them, round by round."""
    database = await Database.open(url, size=50)
    owner = await asyncpg.connect(url)
    rows = await owner.fetch("select id from gatepost.users order by id desc limit 50")
    rates: dict[str, list[float]] = {"enable": [], "disable": []}
    for number in range(11):
        for state in sorted(rates, reverse=bool(number % 2)):
            await owner.execute(f"alter table gatepost.sessions {state} trigger user")
            began = time.perf_counter()
            await asyncio.gather(*(act(database, row["id"]) for row in rows))
            rates[state].append(50 * each / (time.perf_counter() - began))
    await owner.execute("alter table gatepost.sessions enable trigger user")
    ratios = [with_it / without for with_it, without in zip(rates["enable"][1:], rates["disable"][1:], strict=True)]
    print(
        f"  {name}: {median(rates['enable']):.0f}/s, {median(rates['disable']):.0f}/s; "
        f"keeps {median(ratios):.2f} (budget 0.90), {min(ratios):.2f}-{max(ratios):.2f}"
    )
    await owner.close()
    await database.close()


async def run(url: str) -> None:
    """Fill a database and measure."""
    await migrate(url)
    print(f"filling: {_PEOPLE * _EACH:,} sessions of {_PEOPLE:,} people …")
    await fill(url)
    settings = Settings(database_url=url, secret_key="s" * 40, environment="test")
    database = await Database.open(url)
    await searches(database, settings)
    await database.close()
    await bulk_revocation(url, settings)
    await auditing(url, settings)


def main() -> None:
    """Run on an embedded database of this benchmark's own."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        with running(directory / "data") as server:
            asyncio.run(run(server.url))


if __name__ == "__main__":
    main()
