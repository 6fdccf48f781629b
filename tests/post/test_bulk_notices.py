"""Many sessions ended at once: each person is told by one mail, of all of theirs, whatever comes in between."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import asyncpg
import pytest

from tests.shell import environment, run_process
from tests.support import Device, Service
from tests.test_cli import GATEPOST

_PEOPLE = """
with people as (
  insert into gatepost.users (email, password_hash)
  select format('crowd%s@example.com', n), '!' from generate_series(1, 60) n returning id, email
)
insert into gatepost.sessions (user_id, name, device_kind, expires_at)
select p.id, format('Device %s', n), 'desktop', now() + interval '1 day'
from people p, generate_series(1, case p.email
  when 'crowd7@example.com' then 5 when 'crowd8@example.com' then 30 else 1 end) n
"""
_ACTIVE = (
    "select count(*) from gatepost.sessions where ended_at is null and device_kind = 'desktop' and name is not null"
)
_TOLD = "select recipient, notice -> 'sessions' as sessions from gatepost.emails where template = 'session-revoked'"


@pytest.fixture
async def boss(service: Service) -> Device:
    """An admin, among sixty people of whom one has five devices and one has thirty."""
    boss = await service.register()
    await service.sql.execute("update gatepost.users set role = 'admin' where id = $1", boss.user_id)
    await service.sql.execute(_PEOPLE)
    return boss


async def revoke(boss: Device, **more: Any) -> Any:
    order = {"filter": {"kind": "desktop"}, "reason": "breach", **more}
    answer = await boss.post("/v1/admin/sessions/revoke", order)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def told(service: Service) -> dict[str, list[str]]:
    """Which sessions each person was told of; a person who got two mails, or was told twice of one, fails the test."""
    rows = await service.sql.fetch(_TOLD)
    assert set(Counter(row["recipient"] for row in rows).values()) <= {1}
    by_person = {row["recipient"]: json.loads(row["sessions"]) for row in rows}
    every = [session for sessions in by_person.values() for session in sessions]
    assert len(every) == len(set(every))
    return by_person


async def test_each_person_gets_one_mail_that_names_their_devices(service: Service, boss: Device) -> None:
    assert (await revoke(boss, notify=True, dry_run=True))["matched"] == 93
    assert await told(service) == {}
    assert (await revoke(boss, notify=True))["revoked"] == 93
    by_person = await told(service)
    assert len(by_person) == 60
    assert len(by_person["crowd7@example.com"]) == 5
    assert len(by_person["crowd8@example.com"]) == 30

    query = "select id from gatepost.emails where template = 'session-revoked' and recipient = 'crowd8@example.com'"
    email_id = await service.sql.fetchval(query)
    async with asyncio.timeout(15):
        while not (mail := (await boss.get(f"/v1/emails/{email_id}")).json())["text"]:
            await asyncio.sleep(0.02)
    assert mail["text"].count("Device ") == 5
    assert "and 25 more" in mail["text"]
    assert "Signed out by an administrator" in mail["text"]


async def test_without_notify_nobody_is_told(service: Service, boss: Device) -> None:
    assert (await revoke(boss))["revoked"] == 93
    assert await told(service) == {}


async def test_who_ends_their_own_too_is_told_of_all_of_them_at_once(service: Service, boss: Device) -> None:
    await service.login(boss.email)
    assert await revoke(boss, filter={"signed_in_after": "2020-01-01T00:00:00Z"}, notify=True) == {
        "matched": 95,
        "revoked": 95,
        "included_own": True,
    }
    assert len((await told(service))[boss.email]) == 2


async def test_killed_half_way_and_asked_again_each_is_told_once(
    service: Service, boss: Device, database_url: str
) -> None:
    """Somebody holds one session each of two people, so these keep all of theirs until it is let go."""
    command = ("sessions", "revoke", "--kind", "desktop", "--reason", "breach", "--notify", "--yes")
    settings = {"database_url": database_url, "secret_key": "s" * 40}
    holder = await asyncpg.connect(database_url)
    async with holder.transaction():
        await holder.execute("""
            select from gatepost.sessions s join gatepost.users u on u.id = s.user_id
            where u.email in ('crowd7@example.com', 'crowd9@example.com') and s.name = 'Device 1' for update of s
        """)
        process = await asyncio.create_subprocess_exec(GATEPOST, *command, env=environment(settings))
        async with asyncio.timeout(30):
            while await service.sql.fetchval(_ACTIVE) > 6:
                await asyncio.sleep(0.02)
        process.kill()
        await process.wait()
        # Its server process may be at it still; nothing of a step is seen before all of it.
        before = await told(service)
        assert len(before) == 58
        assert await service.sql.fetchval(_ACTIVE) == 6
    await holder.close()

    ended, out, _ = await asyncio.to_thread(run_process, command, settings)
    assert (ended, out) == (0, "Ended 6 sessions.\n")
    after = await told(service)
    assert len(after) == 60
    assert len(after["crowd7@example.com"]) == 5
    assert before.items() <= after.items()
    assert (await revoke(boss, notify=True))["matched"] == 0
    assert await told(service) == after


async def test_the_shell_tells_of_one_session_too(service: Service, boss: Device, database_url: str) -> None:
    query = "select s.id from gatepost.sessions s join gatepost.users u on u.id = s.user_id where u.email = $1"
    quiet, loud = [await service.sql.fetchval(query, f"crowd{n}@example.com") for n in (1, 2)]
    settings = {"database_url": database_url, "secret_key": "s" * 40}
    for session_id, *notify in ((quiet,), (loud, "--notify")):
        command = ("sessions", "revoke", session_id, "--reason", "lost", "--yes", *notify)
        assert (await asyncio.to_thread(run_process, command, settings))[0] == 0
    assert await told(service) == {"crowd2@example.com": [str(loud)]}
    assert boss.email
