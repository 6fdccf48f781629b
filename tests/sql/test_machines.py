"""The cap and the refresh chain as state machines: whatever the order of events, the rules hold."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.support import settings_for

from gatepost import Device, Settings
from gatepost.geoip import Places
from gatepost.security.refresh_tokens import RefreshTokens, digest, open_successor, seal_successor
from gatepost.sessions import store

T = TypeVar("T")
RUNS = settings(max_examples=40, stateful_step_count=25, deadline=None)
DEVICE = Device(kind="unknown", browser=None, os=None)
TOKENS = RefreshTokens(b"k" * 32)


class Machine(RuleBasedStateMachine):
    """What both machines share: a person, and a connection to the database."""

    def __init__(self, runner: asyncio.Runner, connection: asyncpg.Connection[asyncpg.Record], given: Settings) -> None:
        super().__init__()
        self.run_ = runner.run
        self.connection = connection
        self.settings = given
        self.person = uuid4()

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.run_(coroutine)

    def sign_in(self) -> tuple[UUID, str, list[UUID]]:
        session_id = uuid4()
        token = TOKENS.mint(session_id)
        _, evicted = self.do(
            store.open_session(
                self.connection,
                self.settings,
                Places(),
                session_id=session_id,
                user_id=self.person,
                token_hash=digest(token),
                name=None,
                device=DEVICE,
                ip=None,
            )
        )
        return session_id, token, [session.id for session in evicted]

    def execute(self, query: str, *arguments: Any) -> None:
        self.do(self.connection.execute(query, *arguments))

    def active(self) -> set[UUID]:
        query = """
            select id from gatepost.sessions s
            where user_id = $1 and gatepost.session_end_reason(s, $2) is null
        """
        return {row["id"] for row in self.do(self.connection.fetch(query, self.person, self.settings.idle_timeout))}


class Cap(Machine):
    """The model: the active sessions, the least recently active first."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.order: list[UUID] = []

    @rule()
    def open(self) -> None:
        session_id, _, evicted = self.sign_in()
        surplus = max(0, len(self.order) + 1 - self.settings.max_sessions)
        assert set(evicted) == set(self.order[:surplus])
        self.order = [*self.order[surplus:], session_id]

    @precondition(lambda self: self.order)
    @rule(data=st.data())
    def use(self, data: st.DataObject) -> None:
        session_id = data.draw(st.sampled_from(self.order))
        self.execute("update gatepost.sessions set last_active_at = clock_timestamp() where id = $1", session_id)
        self.order.remove(session_id)
        self.order.append(session_id)

    @precondition(lambda self: self.order)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        session_id = data.draw(st.sampled_from(self.order))
        self.do(
            store.revoke_session(
                self.connection,
                self.settings,
                user_id=self.person,
                session_id=session_id,
                ended_by=None,
                reason="signed_out",
            )
        )
        self.order.remove(session_id)

    @precondition(lambda self: self.order)
    @rule(data=st.data())
    def end_others(self, data: st.DataObject) -> None:
        kept = data.draw(st.sampled_from(self.order))
        revoked = self.do(
            store.revoke_other_sessions(
                self.connection, self.settings, user_id=self.person, kept_id=kept, reason="signed_out_elsewhere"
            )
        )
        assert revoked == len(self.order) - 1
        self.order = [kept]

    @precondition(lambda self: self.order)
    @rule(data=st.data(), column=st.sampled_from(["last_active_at", "expires_at"]))
    def run_out(self, data: st.DataObject, column: str) -> None:
        session_id = data.draw(st.sampled_from(self.order))
        self.execute(f"update gatepost.sessions set {column} = now() - interval '40 days' where id = $1", session_id)
        self.order.remove(session_id)

    @invariant()
    def the_model_is_what_is_there(self) -> None:
        assert self.active() == set(self.order)
        assert len(self.order) <= self.settings.max_sessions


class Refresh(Machine):
    """The model: the chain of tokens, the current one last; whether the grace is over; whether the session is."""

    @initialize()
    def begin(self) -> None:
        self.session_id, token, _ = self.sign_in()
        self.chain = [token]
        self.in_grace = False
        self.over = False

    def exchange(self, token: str) -> tuple[str, str]:
        successor = TOKENS.mint(TOKENS.read(token))
        refreshed = self.do(
            store.refresh_session(
                self.connection,
                self.settings,
                Places(),
                session_id=self.session_id,
                token_hash=digest(token),
                successor_hash=digest(successor),
                successor_sealed=seal_successor(token, successor),
                ip=None,
            )
        )
        if refreshed.sealed is not None:
            successor = open_successor(token, refreshed.sealed)
        return refreshed.outcome, successor

    @rule()
    def use_the_current(self) -> None:
        outcome, successor = self.exchange(self.chain[-1])
        assert outcome == ("ended" if self.over else "rotated")
        if not self.over:
            self.chain.append(successor)
            self.in_grace = True

    @precondition(lambda self: len(self.chain) > 1)
    @rule()
    def replay_the_one_before(self) -> None:
        outcome, successor = self.exchange(self.chain[-2])
        if self.over:
            assert outcome == "ended"
        elif self.in_grace:
            assert (outcome, successor) == ("replayed", self.chain[-1])
        else:
            assert outcome == "reused"
            self.over = True

    @precondition(lambda self: len(self.chain) > 2)
    @rule(data=st.data())
    def replay_an_older_one(self, data: st.DataObject) -> None:
        outcome, _ = self.exchange(data.draw(st.sampled_from(self.chain[:-2])))
        assert outcome == ("ended" if self.over else "reused")
        self.over = True

    @rule()
    def let_the_grace_pass(self) -> None:
        self.execute("update gatepost.refresh_tokens set rotated_at = rotated_at - interval '11 s'")
        self.in_grace = False

    @rule()
    def upkeep(self) -> None:
        self.execute(
            """
            update gatepost.refresh_tokens set previous_hash = null, successor_sealed = null
            where successor_sealed is not null and rotated_at < now() - interval '10 s'
            """
        )

    @invariant()
    def the_session_is_over_exactly_when_the_model_says(self) -> None:
        assert (self.session_id not in self.active()) == self.over


def run(machine: type[Machine], database_url: str, **given: Any) -> None:
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(database_url))
        try:
            run_state_machine_as_test(
                lambda: machine(runner, connection, settings_for(database_url, **given)),  # type: ignore[arg-type]
                settings=RUNS,
            )
        finally:
            runner.run(connection.close())


def test_the_cap(database_url: str) -> None:
    run(Cap, database_url, max_sessions=3)


def test_the_refresh_chain(database_url: str) -> None:
    run(Refresh, database_url)
