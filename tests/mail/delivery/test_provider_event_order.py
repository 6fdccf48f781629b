"""Events of the provider and of our own request, in any order: the final state is always the same."""

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

from gatepost.mail.outbox import provider_events as webhook
from gatepost.mail.outbox import store as events

# In order of severity. Other events only show that the message was sent.
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
# Part of the last error for each status.
ERRORS = {
    "sent": "None",
    "delayed": "has not accepted this email yet",
    "delivered": "None",
    "failed": "quota",
    "suppressed": "previous_bounce",
    "bounced": "user unknown",
    "complained": "spam",
}
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
# What the worker learns about its request.
ACCEPTED, REJECTED, LOST = ["accepted"], ["refused"], ["doubted", "lost"]


@dataclass(frozen=True)
class ProviderEvent:
    """An event of the provider; equal numbers are repetitions, `after` are the seconds since the first event."""

    number: int
    kind: str
    tagged: bool
    after: int


def provider_events(number: int) -> st.SearchStrategy[ProviderEvent]:
    return st.builds(ProviderEvent, st.just(number), st.sampled_from(sorted(TYPES)), st.booleans(), st.integers(0, 9))


@st.composite
def histories(draw: st.DrawFn) -> list[ProviderEvent | str]:
    """Draw events of one message, some of them repeated, with the outcome of our own request in between."""
    distinct = [draw(provider_events(number)) for number in range(draw(st.integers(0, 6)))]
    repeated = draw(st.lists(st.sampled_from(distinct), max_size=4)) if distinct else []
    shuffled: list[ProviderEvent | str] = [*draw(st.permutations([*distinct, *repeated]))]
    index = 0
    for step in draw(st.sampled_from([ACCEPTED, ["doubted", *ACCEPTED], [*ACCEPTED, *ACCEPTED], REJECTED, LOST])):
        index = draw(st.integers(index, len(shuffled)))
        shuffled.insert(index, step)
        index += 1
    return shuffled


class Message:
    """A message that is being sent, and the events that come for it."""

    def __init__(self, sql: asyncpg.Connection[asyncpg.Record]) -> None:
        self.sql = sql
        self.id, self.worker, self.batch_id = uuid4(), uuid4(), uuid4()
        self.provider_id = str(uuid4())

    async def send(self) -> None:
        await self.sql.execute(
            """
            insert into gatepost.email_batches (id, transport, worker, due_at, attempts, key_expires_at)
            values ($1, 'resend', $2, now(), 1, now() + interval '1 day')
            """,
            self.batch_id,
            self.worker,
        )
        await self.sql.execute(
            """
            insert into gatepost.emails
                (id, template, locale, recipient, variables, security, alone, queued_by, status, batch_id, attempts)
            values ($1, 'welcome', 'en', $2, '{}', false, false, 'x', 'sending', $3, 1)
            """,
            self.id,
            f"{self.id}@acme.com",
            self.batch_id,
        )

    async def apply(self, step: ProviderEvent | str) -> None:
        if isinstance(step, ProviderEvent):
            event = webhook.parse_event(f"{self.id}-{step.number}", self.body(step))
            assert event is not None
            await events.record_provider_event(self.sql, event)
        else:
            queries = {
                "accepted": "select gatepost.settle_accepted_batch($1, 'resend', array[$2::uuid], array[$3], null, null)",  # noqa: E501
                "refused": "select gatepost.settle_rejected_batch($1, $2, 'message', 'x', 'refused', '0', null)",
                "doubted": "select gatepost.settle_uncertain_batch($1, $2, 'x', 'no answer', '0', false)",
                "lost": "select gatepost.abandon_batch($1, 'x', 'given up')",
            }
            given: dict[str, list[Any]] = {"accepted": [self.id, self.provider_id], "lost": []}
            await self.sql.execute(queries[step], self.batch_id, *given.get(step, [self.worker]))

    def body(self, step: ProviderEvent) -> bytes:
        data: dict[str, Any] = {"email_id": self.provider_id} | {
            "email.bounced": {"bounce": {"type": "Permanent", "message": "user unknown"}},
            "email.failed": {"failed": {"reason": "quota"}},
            "email.suppressed": {"suppressed": {"reason": "previous_bounce"}},
        }.get(step.kind, {})
        if step.tagged:
            data["tags"] = {"gatepost_email_id": str(self.id)}
        at = NOW + timedelta(seconds=step.after)
        return json.dumps({"type": step.kind, "created_at": at.isoformat(), "data": data}).encode()

    async def check(self, history: list[ProviderEvent | str]) -> None:
        """Check the final state of the message after all steps, whatever their order was."""
        distinct = {step.number: step for step in history if isinstance(step, ProviderEvent)}.values()
        matched = "accepted" in history or any(step.tagged for step in distinct)
        types = [TYPES[step.kind] for step in distinct] if matched else []
        row = await self.sql.fetchrow("select * from gatepost.emails where id = $1", self.id)
        assert row is not None
        if matched:
            most_severe = max((one if one in SEVERITY else "sent" for one in [*types, "sent"]), key=SEVERITY.index)
            assert row["status"] == most_severe
            assert row["provider_id"] == self.provider_id
            assert ERRORS[most_severe] in str(row["error_message"])
        else:
            expected = ("failed", "refused") if "refused" in history else ("unknown", "given up")
            assert (row["status"], row["error_message"]) == expected

        query = "select type from gatepost.email_events where email_id = $1 and provider_event_id is not null"
        assert sorted(row["type"] for row in await self.sql.fetch(query, self.id)) == sorted(types)
        query = "select count(*) from gatepost.email_events where email_id is null and provider_id = $1"
        assert await self.sql.fetchval(query, self.provider_id) == len(distinct) - len(types)
        query = "select count(*) from gatepost.email_events where email_id = $1 and type = 'accepted'"
        assert await self.sql.fetchval(query, self.id) == ("accepted" in history)
        query = "select count(*) from gatepost.email_suppressions where email_id = $1"
        assert await self.sql.fetchval(query, self.id) == bool(
            {"bounced", "complained", "suppressed"}.intersection(types)
        )


def test_the_outcome_does_not_depend_on_the_order_of_events(database_url: str) -> None:
    with asyncio.Runner() as runner:
        sql = runner.run(asyncpg.connect(database_url))
        runner.run(sql.execute("insert into gatepost.email_transports (name) values ('resend')"))

        async def check_history(history: list[ProviderEvent | str]) -> None:
            message = Message(sql)
            await message.send()
            for step in history:
                await message.apply(step)
            await sql.execute("select gatepost.match_email_events()")
            await message.check(history)

        @settings(max_examples=200, deadline=None)
        @given(histories())
        def check(history: list[ProviderEvent | str]) -> None:
            runner.run(check_history(history))

        try:
            check()
        finally:
            runner.run(sql.close())
