"""Whatever a provider tells of a message, and in whatever order: what is known in the end is the same."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.mail.outbox import events
from gatepost.mail.outbox import provider_events as webhook

# From bad to worse. What is not among them says no more than that the message went out.
SEVERITY = ["sent", "delayed", "delivered", "failed", "suppressed", "bounced", "complained"]
TYPES = {
    "email.scheduled": "scheduled",
    "email.sent": "sent",
    "email.delivered": "delivered",
    "email.delivery_delayed": "delayed",
    "email.bounced": "bounced",
    "email.complained": "complained",
    "email.suppressed": "suppressed",
    "email.failed": "failed",
    "email.opened": "opened",
    "email.clicked": "clicked",
}
# What the last error then says.
WORDS = {
    "sent": "None",
    "delayed": "did not take it yet",
    "delivered": "None",
    "failed": "quota",
    "suppressed": "previous_bounce",
    "bounced": "user unknown",
    "complained": "spam",
}
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
# What we ourselves learn of the POST, as far as it goes.
ACCEPTED, REFUSED, LOST = ["accepted"], ["refused"], ["doubted", "lost"]


@dataclass(frozen=True)
class Told:
    """An event of the provider; `number` is of which it is a repetition, `after` the seconds since the first."""

    number: int
    kind: str
    tagged: bool
    after: int


def told(number: int) -> st.SearchStrategy[Told]:
    return st.builds(Told, st.just(number), st.sampled_from(sorted(TYPES)), st.booleans(), st.integers(0, 9))


@st.composite
def stories(draw: st.DrawFn) -> list[Told | str]:
    """Events of one message, some of them repeated, and in between what becomes of our own request."""
    different = [draw(told(number)) for number in range(draw(st.integers(0, 6)))]
    again = draw(st.lists(st.sampled_from(different), max_size=4)) if different else []
    shuffled: list[Told | str] = [*draw(st.permutations([*different, *again]))]
    place = 0
    for step in draw(st.sampled_from([ACCEPTED, ["doubted", *ACCEPTED], [*ACCEPTED, *ACCEPTED], REFUSED, LOST])):
        place = draw(st.integers(place, len(shuffled)))
        shuffled.insert(place, step)
        place += 1
    return shuffled


class Message:
    """A message on its way to the provider, with what has been told of it."""

    def __init__(self, sql: asyncpg.Connection[asyncpg.Record]) -> None:
        self.sql = sql
        self.id, self.worker, self.dispatch = uuid4(), uuid4(), uuid4()
        self.provider_id = str(uuid4())

    async def send(self) -> None:
        await self.sql.execute(
            """
            insert into gatepost.email_dispatches (id, transport, worker, due_at, tries, forgotten_at)
            values ($1, 'resend', $2, now(), 1, now() + interval '1 day')
            """,
            self.dispatch,
            self.worker,
        )
        await self.sql.execute(
            """
            insert into gatepost.emails
                (id, template, locale, recipient, variables, security, alone, queued_by, status, dispatch_id, attempts)
            values ($1, 'welcome', 'en', $2, '{}', false, false, 'x', 'sending', $3, 1)
            """,
            self.id,
            f"{self.id}@acme.com",
            self.dispatch,
        )

    async def go_through(self, step: Told | str) -> None:
        if isinstance(step, Told):
            event = webhook.read_event(f"{self.id}-{step.number}", self.body(step))
            assert event is not None
            await events.note(self.sql, event)
        else:
            queries = {
                "accepted": "select gatepost.accept_dispatch($1, 'resend', array[$2::uuid], array[$3], null, null)",
                "refused": "select gatepost.refuse_dispatch($1, $2, 'message', 'x', 'refused', '0', null)",
                "doubted": "select gatepost.doubt_dispatch($1, $2, 'x', 'no answer', '0', false)",
                "lost": "select gatepost.give_up_dispatch($1, 'x', 'given up')",
            }
            given: dict[str, list[Any]] = {"accepted": [self.id, self.provider_id], "lost": []}
            await self.sql.execute(queries[step], self.dispatch, *given.get(step, [self.worker]))

    def body(self, step: Told) -> bytes:
        data: dict[str, Any] = {"email_id": self.provider_id} | {
            "email.bounced": {"bounce": {"type": "Permanent", "message": "user unknown"}},
            "email.failed": {"failed": {"reason": "quota"}},
            "email.suppressed": {"suppressed": {"reason": "previous_bounce"}},
        }.get(step.kind, {})
        if step.tagged:
            data["tags"] = {"gatepost_email_id": str(self.id)}
        at = NOW + timedelta(seconds=step.after)
        return json.dumps({"type": step.kind, "created_at": at.isoformat(), "data": data}).encode()

    async def check(self, story: list[Told | str]) -> None:
        """Compare what is known in the end with what it has to be, in whatever order it was told."""
        different = {step.number: step for step in story if isinstance(step, Told)}.values()
        known = "accepted" in story or any(step.tagged for step in different)
        types = [TYPES[step.kind] for step in different] if known else []
        there = await self.sql.fetchrow("select * from gatepost.emails where id = $1", self.id)
        assert there is not None
        if known:
            worst = max((one if one in SEVERITY else "sent" for one in [*types, "sent"]), key=SEVERITY.index)
            assert there["status"] == worst
            assert there["provider_id"] == self.provider_id
            assert WORDS[worst] in str(there["last_error"])
        else:
            own = ("failed", "refused") if "refused" in story else ("unknown", "given up")
            assert (there["status"], there["last_error"]) == own

        query = "select type from gatepost.email_events where email_id = $1 and provider_event_id is not null"
        assert sorted(row["type"] for row in await self.sql.fetch(query, self.id)) == sorted(types)
        query = "select count(*) from gatepost.email_events where email_id is null and provider_id = $1"
        assert await self.sql.fetchval(query, self.provider_id) == len(different) - len(types)
        query = "select count(*) from gatepost.email_events where email_id = $1 and type = 'accepted'"
        assert await self.sql.fetchval(query, self.id) == ("accepted" in story)
        query = "select count(*) from gatepost.email_suppressions where email_id = $1"
        assert await self.sql.fetchval(query, self.id) == bool(
            {"bounced", "complained", "suppressed"}.intersection(types)
        )


def test_the_order_of_events_does_not_matter(database_url: str) -> None:
    with asyncio.Runner() as runner:
        sql = runner.run(asyncpg.connect(database_url))
        runner.run(sql.execute("insert into gatepost.email_transports (name) values ('resend')"))

        async def passed(story: list[Told | str]) -> None:
            message = Message(sql)
            await message.send()
            for step in story:
                await message.go_through(step)
            await sql.execute("select gatepost.match_email_events()")
            await message.check(story)

        @settings(max_examples=200, deadline=None)
        @given(stories())
        def check(story: list[Told | str]) -> None:
            runner.run(passed(story))

        try:
            check()
        finally:
            runner.run(sql.close())
