"""Measure admin work: searches in a million sessions, a bulk revocation of 100,000 during sign-ins, and the audit.

Compare figures only within one run.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

import asyncpg

from gatepost import Settings
from gatepost.admin import bulk, search
from gatepost.admin.models import RevokeSessions, SessionFilter
from gatepost.audit import Actor
from gatepost.db.embedded import running
from gatepost.db.migrations import migrate
from gatepost.db.pool import Database
from gatepost.security import Passwords, RefreshTokens
from gatepost.sessions import SessionService

_USERS, _EACH = 200_000, 5
_CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
_TOKENS = RefreshTokens([b"k" * 32])

_FILL = """
insert into gatepost.users (email, password_hash, user_metadata)
select 'user' || n || '@example.com', 'none', jsonb_build_object('name', 'Name ' || n)
from generate_series(1, {users}) n;

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
    """Create the users and their sessions, with the audit triggers disabled."""
    connection = await asyncpg.connect(url)
    await connection.execute("alter table gatepost.sessions disable trigger user")
    await connection.execute("set synchronous_commit = off")
    await connection.execute(_FILL.format(users=_USERS, each=_EACH), timeout=600)
    await connection.execute("alter table gatepost.sessions enable trigger user")
    await connection.execute("checkpoint")
    await connection.close()


async def timed(run: Callable[[], Awaitable[object]], rounds: int = 7) -> float:
    """Return the median of that many runs in milliseconds, after one run that is not counted."""
    milliseconds = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        await run()
        milliseconds.append((time.perf_counter() - began) * 1000)
    return median(milliseconds[1:])


async def last_cursor(connection: asyncpg.Connection, settings: Settings, query: search.Search) -> str | None:
    """Return the cursor of the last page, at most 40,000 rows in."""
    cursor = previous = None
    for _ in range(40):
        found = await search.search_sessions(connection, query, cursor, 1000, idle_timeout=settings.idle_timeout)
        if found.next_cursor is None:
            break
        previous, cursor = cursor, found.next_cursor
    return cursor or previous


async def searches(database: Database, settings: Settings) -> None:
    """Print the duration of each search, for its first page and for a far page."""
    async with database.connection() as connection:
        [row] = await connection.fetch("select * from gatepost.sessions order by id limit 1")
        queries = {
            "everything": search.Search(),
            "status active": search.Search(status="active"),
            "status expired": search.Search(status="expired"),
            "status revoked": search.Search(status="revoked"),
            "user id": search.Search(user_id=row["user_id"]),
            "session id": search.Search(q=str(row["id"])),
            "IP address": search.Search(ip=str(row["ip"])),
            "network /8": search.Search(ip="10.0.0.0/8"),
            "network /24": search.Search(q="10.1.2.0/24"),
            "email prefix, all": search.Search(q="user"),
            "email prefix": search.Search(q="user12345"),
            "name prefix, all": search.Search(q="name "),
            "no match": search.Search(q="zzz"),
        }
        print(f"{'search':20} {'first page':>12} {'far page':>12}")
        for name, each in queries.items():
            cursor = await last_cursor(connection, settings, each)
            find = partial(search.search_sessions, connection, each, limit=50, idle_timeout=settings.idle_timeout)
            first = await timed(partial(find, None))
            far = await timed(partial(find, cursor))
            print(f"{name:20} {first:9.2f} ms {far:9.2f} ms")
        await plans(connection, settings)


async def plans(connection: asyncpg.Connection, settings: Settings) -> None:
    """Print the query plan of each kind of search."""
    idle = settings.idle_timeout
    queries = {
        "by time": (search.BY_TIME[None], idle, None, None, 51),
        "by status": (search.BY_TIME["revoked"], idle, None, None, 51),
        "by network": (search.BY_NETWORK[None], idle, None, None, 51, "10.0.0.0", "10.255.255.255", None),
        "by email": (search.BY_USER_PREFIX[0][None], idle, None, None, 51, "user", "user\U0010ffff", None, None),
        "by name": (search.BY_USER_PREFIX[1][None], idle, None, None, 51, "name", "name\U0010ffff", None, None),
    }
    for name, (query, *arguments) in queries.items():
        rows = await connection.fetch(f"explain (analyze, costs off, timing off, summary off) {query}", *arguments)
        print(f"\nplan {name}:")
        print("\n".join("  " + row[0] for row in rows))


async def sign_in(database: Database, settings: Settings, user_id: UUID) -> float:
    """Open a session as a sign-in does, without hashing a password, and return the milliseconds."""
    began = time.perf_counter()
    async with database.transaction() as connection:
        await SessionService(settings, _TOKENS).open_session(
            connection, user_id=user_id, name=None, user_agent=_CHROME, ip=None
        )
    return (time.perf_counter() - began) * 1000


async def sign_ins(database: Database, settings: Settings, users: list[UUID], until: asyncio.Event) -> list[float]:
    """Sign users in, four at a time, until the event is set, and return the milliseconds of each."""
    milliseconds: list[float] = []

    async def one(offset: int) -> None:
        number = offset
        while not until.is_set():
            milliseconds.append(await sign_in(database, settings, users[number % len(users)]))
            number += 4

    await asyncio.gather(*(one(offset) for offset in range(4)))
    return milliseconds


async def bulk_revocation(url: str, settings: Settings) -> None:
    """Print the p99 of sign-ins while 100,000 sessions are revoked, beside the idle one."""
    database = await Database.open(url)
    async with database.connection() as connection:
        rows = await connection.fetch("select id from gatepost.users order by id limit 20000")
    users = [row["id"] for row in rows]

    async def during(work: Awaitable[object]) -> tuple[list[float], float]:
        done = asyncio.Event()
        task = asyncio.create_task(sign_ins(database, settings, users, done))
        began = time.perf_counter()
        await work
        seconds = time.perf_counter() - began
        done.set()
        return await task, seconds

    idle, _ = await during(asyncio.sleep(6))
    request = RevokeSessions(filter=SessionFilter(browser="Firefox"), reason="benchmark")
    revocation = bulk.revoke_matching(database, request, Actor("cli"), idle_timeout=settings.idle_timeout)
    busy, seconds = await during(revocation)
    p99 = [quantiles(each, n=100)[98] for each in (idle, busy)]
    async with database.connection() as connection:
        revoked = await connection.fetchval(
            "select count(*) from gatepost.sessions where end_reason = 'signed_out_by_admin'"
        )
    print(
        f"\n{revoked:,} sessions revoked in {seconds:.1f} s; sign-ins meanwhile: p50 {median(busy):.1f} ms, "
        f"p99 {p99[1]:.1f} ms, idle: p50 {median(idle):.1f} ms, p99 {p99[0]:.1f} ms"
    )
    print(f"ratio of p99 {p99[1] / p99[0]:.2f} (budget 2.0)")
    await database.close()


async def auditing(url: str, settings: Settings) -> None:
    """Print the cost of the audit for fifty users who sign in at once, in turns with and without it."""
    passwords = Passwords()
    hashed = await passwords.hash("benchmark password")

    async def full(database: Database, user_id: UUID) -> None:
        for _ in range(4):
            await passwords.verify(hashed, "benchmark password")
            await sign_in(database, settings, user_id)

    async def unhashed(database: Database, user_id: UUID) -> None:
        for _ in range(20):
            await sign_in(database, settings, user_id)

    print("\nfifty users signing in at once, with and without the audit:")
    await compare(url, "full sign-ins", full, 4)
    await compare(url, "without hashing", unhashed, 20)
    passwords.close()


async def compare(url: str, name: str, run: Callable[[Database, UUID], Awaitable[None]], each: int) -> None:
    """Print the rate for fifty concurrent users with the audit triggers and without them, round by round."""
    database = await Database.open(url, size=50)
    owner = await asyncpg.connect(url)
    rows = await owner.fetch("select id from gatepost.users order by id desc limit 50")
    rates: dict[str, list[float]] = {"enable": [], "disable": []}
    for number in range(11):
        for state in sorted(rates, reverse=bool(number % 2)):
            await owner.execute(f"alter table gatepost.sessions {state} trigger user")
            began = time.perf_counter()
            await asyncio.gather(*(run(database, row["id"]) for row in rows))
            rates[state].append(50 * each / (time.perf_counter() - began))
    await owner.execute("alter table gatepost.sessions enable trigger user")
    ratios = [audited / unaudited for audited, unaudited in zip(rates["enable"][1:], rates["disable"][1:], strict=True)]
    print(
        f"  {name}: {median(rates['enable']):.0f}/s, {median(rates['disable']):.0f}/s; "
        f"keeps {median(ratios):.2f} (budget 0.90), {min(ratios):.2f}-{max(ratios):.2f}"
    )
    await owner.close()
    await database.close()


async def run(url: str) -> None:
    """Fill a database and run all measurements."""
    await migrate(url)
    print(f"Creating {_USERS * _EACH:,} sessions of {_USERS:,} users…")
    await fill(url)
    settings = Settings(database_url=url, secret_key="s" * 40, environment="test")
    database = await Database.open(url)
    await searches(database, settings)
    await database.close()
    await bulk_revocation(url, settings)
    await auditing(url, settings)


def main() -> None:
    """Run on an embedded database of its own."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        with running(directory / "data") as server:
            asyncio.run(run(server.url))


if __name__ == "__main__":
    main()
