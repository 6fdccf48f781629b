"""One lock order everywhere: the user's row, the user's advisory lock, sessions by id. No two verbs deadlock.

A deadlock needs two verbs that take two locks in different orders. So for every lock and every pair of verbs that wait
for it, a third connection holds the lock until the first verb and then the second one wait for it, and then lets go:
whatever the second one took before, the first one needs now if it takes the two in the other order.
"""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import asyncpg
import pytest

import gatepost
from gatepost.db import Connection
from gatepost.runtime import open_runtime
from tests.support import make_settings
from tests.support.database import connect

# Every verb that writes users or sessions: SQL, in which {…} are fields of the scene. A new verb is a new line.
VERBS = {
    # functions
    "change_password": "select gatepost.change_password({user}, {session}, {hash}, 'new', null, '30 days')",
    "confirm_email": "select gatepost.confirm_email({verify_email}, null, null, '30 days')",
    "delete_user": "select gatepost.delete_user({user}, 'cli', null, null, '30 days')",
    "disable_user": "select gatepost.disable_user({user}, 'cli', null, null, '30 days')",
    "enable_user": "select gatepost.enable_user({user}, 'cli', null, null)",
    "expire_session": "select gatepost.expire_session({idle_session}, '30 days')",
    "open_session": "select gatepost.open_session({new_id}, {user}, {device}, 2)",
    "open_session, replacing one": "select gatepost.open_session({new_id}, {user}, {device}, 1, {session})",
    "open_session, replacing another user's": "select gatepost.open_session({new_id}, {user}, {device}, 1,"
    " {neighbor_session})",
    "open_session of another user, replacing ours": "select gatepost.open_session({new_id}, {neighbor}, {device}, 1,"
    " {session})",
    "lease_webhook_delivery": "select gatepost.lease_webhook_delivery({new_id}, '1 minute')",
    "refresh_session": "select gatepost.refresh_session({session}, {token}, {successor})",
    "refresh_session, reused": "select gatepost.refresh_session({session}, sha256('other'), {successor})",
    "refresh_session, idle": "select gatepost.refresh_session({idle_session}, {token}, {successor})",
    "register_user": "select gatepost.register_user('new@example.com', 'hash', null)",
    "report_session": "select gatepost.report_session({user}, {session}, null)",
    "request_email_verification": "select gatepost.request_email_verification({user})",
    "request_password_reset": "select gatepost.request_password_reset({email})",
    "request_registration": "select gatepost.request_registration({email}, null, null)",
    "reset_password": "select gatepost.reset_password({reset_password}, 'new', null, '30 days')",
    "revoke_any_session": "select gatepost.revoke_any_session({session}, 'cli', null, null, true)",
    "revoke_listed_sessions": "select gatepost.revoke_listed_sessions({sessions}, 'cli', null, null, true)",
    "revoke_other_sessions": "select gatepost.revoke_other_sessions({user}, {session}, {user}, 'signed_out_elsewhere',"
    " '30 days')",
    "revoke_session": "select gatepost.revoke_session({user}, {session}, {user}, 'signed_out_elsewhere', '30 days')",
    "revoke_user_sessions": "select gatepost.revoke_user_sessions({user}, 'cli', null, null, '30 days', true)",
    "take_over_api_key": "select gatepost.take_over_api_key({api_key}, {user}, 'cli', null)",
    "touch_session": "select gatepost.touch_session({session}, null, '0 s')",
    "use_not_me_link": "select gatepost.use_not_me_link({not_me}, null, '30 days')",
    # statements in Python, by the name of the function that has them
    "create_user": "insert into gatepost.users (email, password_hash) values ('new@example.com', '!')"
    " on conflict (lower(email)) do nothing",
    "lock_password": "select from gatepost.users where id = {user} for no key update",
    "reauthenticate_session": "update gatepost.sessions set authenticated_at = now() where id = {session}",
    "rehash_password": "update gatepost.users set password_hash = 'rehashed' where id = {user}",
    "rename_session": "update gatepost.sessions set name = 'mine' where id = {session}",
    "sign_out_session": "update gatepost.sessions set ended_at = now(), end_reason = 'signed_out' where id = {session}",
    "update_language": "update gatepost.users set locale = 'fr' where id = {user}",
    "set_registration_session": "update gatepost.users set registration_session_id = {session} where id = {user}",
    # what plain SQL does
    "update of email": "update gatepost.users set email = 'changed@example.com' where id = {user}",
    "update of role": "update gatepost.users set role = 'user' where id = {user}",
    # transactions that call several of them: the route of the same name
    "login": "select from gatepost.users where id = {user} for no key update;"
    " select gatepost.open_session({new_id}, {user}, {device}, 2);"
    " update gatepost.users set locale = 'fr' where id = {user}",
}

# What the third connection holds. Locks that only some verbs take do no harm here.
LOCKS = {
    "the user's row": "select from gatepost.users where id = {user} for update",
    "the neighbor's row": "select from gatepost.users where id = {neighbor} for update",
    "the user's advisory lock": "select pg_advisory_xact_lock(hashtextextended('gatepost.sessions:' || {user}, 0))",
    "a session": "select from gatepost.sessions where id = {session} for update",
    "an idle session": "select from gatepost.sessions where id = {idle_session} for update",
    "the neighbor's session": "select from gatepost.sessions where id = {neighbor_session} for update",
    "the links": "select from gatepost.links where user_id = {user} for update",
    "the notifications": "select pg_advisory_xact_lock(hashtextextended('gatepost.notifications:' || {user}, 0))",
    "the admins": "select pg_advisory_xact_lock(hashtextextended('gatepost.admins', 0))",
}

# Our own errors, an email address that exists by now, and a deadlock.
_OUTCOMES = ("GP", "23505", "40P01")

_SCENE = """
with account as (
  insert into gatepost.users (email, password_hash, role, email_verified_at)
  values ($1, 'hash', 'admin', case when $3 then now() end) returning id
), opened as (
  insert into gatepost.sessions (user_id, device_kind, expires_at, last_active_at)
  select id, 'desktop', now() + '180 days', now() - n * interval '1 day'
  from account, unnest($2::integer[]) n
  returning id, last_active_at
), tokens as (
  insert into gatepost.refresh_tokens (session_id, token_hash)
  select id, sha256('current') from opened
), links as (
  insert into gatepost.links (purpose, user_id, session_id, email, expires_at)
  select purpose, account.id, null, $1, now() + '1 day'
  from account, unnest(array['not_me', 'reset_password', 'verify_email']) purpose
  returning purpose, id
)
select account.id as user_id,
  (select array_agg(id order by last_active_at desc) from opened) as sessions,
  (select jsonb_object_agg(purpose, id) from links) as links
from account
"""


@dataclass
class _Scene:
    """An admin with three sessions, one of them idle, and a neighbor with two, as SQL literals.

    There is more than one admin, so that each can be disabled. What is sent depends on whether the email address is
    confirmed, and so do the locks of sending it.
    """

    literals: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def create(cls, sql: Connection, *, is_confirmed: bool) -> _Scene:
        user = await sql.fetchrow(_SCENE, "user@example.com", [1, 2, 40], is_confirmed)
        neighbor = await sql.fetchrow(_SCENE, "neighbor@example.com", [1, 2], is_confirmed)
        assert user is not None
        assert neighbor is not None
        api_key = await sql.fetchval(
            """
            insert into gatepost.api_keys (name, prefix, secret_hash, scopes, created_by, owner_id)
            values ('key', 'key', sha256('key'), '{}', 'cli', $1) returning id
            """,
            user["user_id"],
        )
        links = dict(re.findall(r'"(\w+)": "([^"]+)"', user["links"]))
        values = {
            "user": user["user_id"],
            "neighbor": neighbor["user_id"],
            "email": "user@example.com",
            "hash": "hash",
            "api_key": api_key,
            # The least recently active ones: these are evicted.
            "session": user["sessions"][1],
            "idle_session": user["sessions"][2],
            "neighbor_session": neighbor["sessions"][1],
            **links,
        }
        return cls(
            {name: f"'{value}'" for name, value in values.items()}
            | {
                "sessions": "array[" + ", ".join(f"'{each}'::uuid" for each in user["sessions"]) + "]",
                "new_id": "gen_random_uuid()",
                "token": "sha256('current')",
                "successor": "sha256('next'), '\\x00', null, '10 s', '30 days'",
                "device": "sha256('new'), null, 'desktop', 'Firefox', 'Linux', '192.0.2.1', '180 days', '30 days'",
            }
        )

    def fill(self, query: str) -> str:
        return query.format(**self.literals)


class _Stage:
    """Four connections: one that holds a lock, two that run verbs, and one that watches."""

    def __init__(self, connections: list[Connection], scene: _Scene) -> None:
        self._holder, self._first, self._second, self._watcher = connections
        self._scene = scene

    async def run_alone(self, verb: str) -> None:
        await self._run(self._first, verb)

    async def waits(self, lock: str, verb: str) -> bool:
        """Return whether a verb takes a lock."""
        await self._hold(lock)
        task = asyncio.create_task(self._run(self._first, verb))
        waiting = await self._is_waiting(self._first, task)
        await self._holder.execute("rollback")
        await task
        return waiting

    async def deadlocks(self, lock: str, first: str, second: str) -> bool:
        """Run two verbs that both wait for a lock, the second with what it takes before that."""
        await self._hold(lock)
        tasks = []
        for connection, verb in ((self._first, first), (self._second, second)):
            tasks.append(asyncio.create_task(self._run(connection, verb)))
            await self._is_waiting(connection, tasks[-1])
        await self._holder.execute("rollback")
        errors = [error for error in await asyncio.gather(*tasks, return_exceptions=True) if error is not None]
        for error in errors:
            # Otherwise one may find what the other has changed.
            assert isinstance(error, asyncpg.PostgresError)
            assert (error.sqlstate or "").startswith(_OUTCOMES), f"{first}, {second}, {lock}: {error}"
        return any(isinstance(error, asyncpg.DeadlockDetectedError) for error in errors)

    async def _hold(self, lock: str) -> None:
        await self._holder.execute(f"begin; {self._scene.fill(LOCKS[lock])}")

    async def _run(self, connection: Connection, verb: str) -> None:
        # Rolled back, so that the scene stays; first come the triggers that would run at the commit.
        try:
            await connection.execute(f"begin; {self._scene.fill(VERBS[verb])}; set constraints all immediate")
        finally:
            await connection.execute("rollback")

    async def _is_waiting(self, connection: Connection, task: asyncio.Task[None]) -> bool:
        """Wait until a connection waits for a lock, or its task is done."""
        query = "select wait_event_type = 'Lock' from pg_stat_activity where pid = $1"
        pid = connection.get_server_pid()
        while not task.done():
            if await self._watcher.fetchval(query, pid):
                return True
        return False


@pytest.fixture(params=[True, False], ids=["confirmed", "unconfirmed"])
async def stage(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[_Stage]:
    # Without templates nothing would be sent.
    async with open_runtime(make_settings(database_url)) as runtime:
        await runtime.published_templates.register()
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connect(database_url)) for _ in range(4)]
        for connection in connections:
            await connection.execute("set deadlock_timeout = '20ms'")
        yield _Stage(connections, await _Scene.create(connections[0], is_confirmed=request.param))


async def test_no_pair_of_verbs_deadlocks(stage: _Stage) -> None:
    for verb in VERBS:
        await stage.run_alone(verb)
    taken_by = {lock: [verb for verb in VERBS if await stage.waits(lock, verb)] for lock in LOCKS}
    # The test would show nothing if it held what nobody takes.
    for lock in ("the user's row", "the user's advisory lock", "a session"):
        assert len(taken_by[lock]) > len(VERBS) / 4, lock

    pairs = [(lock, *pair) for lock, verbs in taken_by.items() for pair in product(verbs, repeat=2)]
    deadlocks = [pair for pair in pairs if await stage.deadlocks(*pair)]
    assert deadlocks == []


async def test_every_function_that_writes_users_or_sessions_is_tested(database_url: str) -> None:
    async with connect(database_url) as sql:
        rows = await sql.fetch(
            """
            select proname as name, prosrc as body, prorettype = 'trigger'::regtype as is_trigger
            from pg_proc where pronamespace = 'gatepost'::regnamespace
            """
        )
    writers = _with_callers({row["name"]: row["body"] for row in rows})
    called = {name for row in rows for name in _calls(row["body"]) if name != row["name"]}
    triggers = {row["name"] for row in rows if row["is_trigger"]}
    # What another function calls is tested through that one.
    missing = writers - called - triggers - _tested()
    assert missing == set(), "add each of them to VERBS"
    assert {"open_session", "report_session", "delete_user", "use_not_me_link"} <= writers


def test_every_statement_in_python_that_writes_users_or_sessions_is_tested() -> None:
    found = set()
    for path in Path(gatepost.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and _WRITES.search(_strings(node)):
                found.add(node.name)
    assert found - _tested() - {"main"} == set(), "add each of them to VERBS"
    assert "sign_out_session" in found


_WRITES = re.compile(
    r"(?:insert\s+into|update|delete\s+from)\s+gatepost\.(?:users|sessions)\b"
    r"|from\s+gatepost\.(?:users|sessions)\b[^;]*\bfor\s+(?:no\s+key\s+update|update|share)",
    re.IGNORECASE,
)


def _strings(node: ast.AST) -> str:
    return "\n".join(
        each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )


def _calls(body: str) -> set[str]:
    return set(re.findall(r"gatepost\.(\w+)\(", body))


def _with_callers(bodies: dict[str, str]) -> set[str]:
    """Return the functions that write users or sessions, and those that call them."""
    found = {name for name, body in bodies.items() if _WRITES.search(body)}
    while more := {name for name, body in bodies.items() if name not in found and _calls(body) & found}:
        found |= more
    return found


def _tested() -> set[str]:
    return {verb.split(",")[0] for verb in VERBS}
