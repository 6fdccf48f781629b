"""The session cap and the refresh tokens as state machines: the rules hold in any order of events."""

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

from gatepost import Settings
from gatepost.security import RefreshTokens
from gatepost.sessions import SessionService
from tests.support import make_settings

T = TypeVar("T")
RUNS = settings(max_examples=40, stateful_step_count=25, deadline=None)
TOKENS = RefreshTokens([b"k" * 32])


class Machine(RuleBasedStateMachine):
    """What both machines share: a user, and a connection to the database."""

    def __init__(
        self, runner: asyncio.Runner, connection: asyncpg.Connection[asyncpg.Record], service_settings: Settings
    ) -> None:
        super().__init__()
        self.run_ = runner.run
        self.connection = connection
        self.settings = service_settings
        self.sessions = SessionService(service_settings, TOKENS)
        self.user = uuid4()

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.run_(coroutine)

    def sign_in(self) -> tuple[UUID, str, list[UUID]]:
        opened = self.do(
            self.sessions.open_session(self.connection, user_id=self.user, name=None, user_agent=None, ip=None)
        )
        return opened.session.id, opened.refresh_token, [session.id for session in opened.evicted]

    def execute(self, query: str, *arguments: Any) -> None:
        self.do(self.connection.execute(query, *arguments))

    def active(self) -> set[UUID]:
        query = """
            select id from gatepost.sessions s
            where user_id = $1 and gatepost.session_end_reason(s, $2) is null
        """
        return {row["id"] for row in self.do(self.connection.fetch(query, self.user, self.settings.idle_timeout))}


class SessionCap(Machine):
    """The model: the active sessions, the least recently active first."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.order: list[UUID] = []

    @rule()
    def open_session(self) -> None:
        session_id, _, evicted = self.sign_in()
        surplus = max(0, len(self.order) + 1 - self.settings.max_sessions)
        assert set(evicted) == set(self.order[:surplus])
        self.order = [*self.order[surplus:], session_id]

    @precondition(lambda self: self.order)
    @rule(data=st.data())
    def use_session(self, data: st.DataObject) -> None:
        session_id = data.draw(st.sampled_from(self.order))
        self.execute("update gatepost.sessions set last_active_at = clock_timestamp() where id = $1", session_id)
        self.order.remove(session_id)
        self.order.append(session_id)

    @precondition(lambda self: self.order)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        session_id = data.draw(st.sampled_from(self.order))
        self.do(
            self.sessions.revoke_session(
                self.connection,
                user_id=self.user,
                session_id=session_id,
                ended_by=None,
                reason="signed_out",
            )
        )
        self.order.remove(session_id)

    @precondition(lambda self: self.order)
    @rule(data=st.data())
    def revoke_others(self, data: st.DataObject) -> None:
        kept = data.draw(st.sampled_from(self.order))
        revoked = self.do(
            self.sessions.revoke_other_sessions(
                self.connection, user_id=self.user, kept_id=kept, reason="signed_out_elsewhere"
            )
        )
        assert revoked == len(self.order) - 1
        self.order = [kept]

    @precondition(lambda self: self.order)
    @rule(data=st.data(), column=st.sampled_from(["last_active_at", "expires_at"]))
    def lapse(self, data: st.DataObject, column: str) -> None:
        session_id = data.draw(st.sampled_from(self.order))
        self.execute(f"update gatepost.sessions set {column} = now() - interval '40 days' where id = $1", session_id)
        self.order.remove(session_id)

    @invariant()
    def the_active_sessions_are_those_of_the_model(self) -> None:
        assert self.active() == set(self.order)
        assert len(self.order) <= self.settings.max_sessions


class RefreshChain(Machine):
    """The model: the chain of tokens, the current one last; whether the grace period runs; whether it ended."""

    @initialize()
    def sign_in_once(self) -> None:
        self.session_id, token, _ = self.sign_in()
        self.chain = [token]
        self.in_grace = False
        self.ended = False

    def exchange(self, token: str) -> tuple[str, str]:
        refreshed = self.do(self.sessions.refresh_session(self.connection, token, None))
        assert refreshed is not None
        return refreshed.outcome, refreshed.refresh_token

    @rule()
    def use_the_current(self) -> None:
        outcome, successor = self.exchange(self.chain[-1])
        assert outcome == ("ended" if self.ended else "rotated")
        if not self.ended:
            self.chain.append(successor)
            self.in_grace = True

    @precondition(lambda self: len(self.chain) > 1)
    @rule()
    def replay_the_one_before(self) -> None:
        outcome, successor = self.exchange(self.chain[-2])
        if self.ended:
            assert outcome == "ended"
        elif self.in_grace:
            assert (outcome, successor) == ("replayed", self.chain[-1])
        else:
            assert outcome == "reused"
            self.ended = True

    @precondition(lambda self: len(self.chain) > 2)
    @rule(data=st.data())
    def replay_an_older_one(self, data: st.DataObject) -> None:
        outcome, _ = self.exchange(data.draw(st.sampled_from(self.chain[:-2])))
        assert outcome == ("ended" if self.ended else "reused")
        self.ended = True

    @rule()
    def let_the_grace_period_pass(self) -> None:
        self.execute("update gatepost.refresh_tokens set rotated_at = rotated_at - interval '11 s'")
        self.in_grace = False

    @rule()
    def clean_up(self) -> None:
        self.execute(
            """
            update gatepost.refresh_tokens set previous_hash = null, successor_encrypted = null
            where successor_encrypted is not null and rotated_at < now() - interval '10 s'
            """
        )

    @invariant()
    def the_session_has_ended_exactly_when_the_model_says(self) -> None:
        assert (self.session_id not in self.active()) == self.ended


def run(machine: type[Machine], database_url: str, **changes: Any) -> None:
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(database_url))
        try:
            run_state_machine_as_test(
                lambda: machine(runner, connection, make_settings(database_url, **changes)),  # type: ignore[arg-type]
                settings=RUNS,
            )
        finally:
            runner.run(connection.close())


def test_the_session_cap_keeps_the_most_recently_active(database_url: str) -> None:
    run(SessionCap, database_url, max_sessions=3)


def test_refresh_tokens_rotate_and_detect_reuse(database_url: str) -> None:
    run(RefreshChain, database_url)
