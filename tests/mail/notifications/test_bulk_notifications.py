"""Revoking many sessions at once: each user gets one email about all of theirs, even after an interruption."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import asyncpg
import pytest

from tests.support import Device, Service
from tests.support.cli import GATEPOST, environment, run_here, run_process

_USERS = """
with users as (
  insert into gatepost.users (email, password_hash, email_verified_at)
  select format('crowd%s@example.com', n), '!', now() from generate_series(1, 60) n returning id, email
)
insert into gatepost.sessions (user_id, name, device_kind, browser, os, expires_at)
select u.id, format('Device %s', n), 'desktop', 'Chrome', 'Windows', now() + interval '1 day'
from users u, generate_series(1, case u.email
  when 'crowd7@example.com' then 5 when 'crowd8@example.com' then 30 else 1 end) n
"""
_ACTIVE = (
    "select count(*) from gatepost.sessions where ended_at is null and device_kind = 'desktop' and name is not null"
)
_NOTIFICATIONS = """
select recipient, notification -> 'session_ids' as sessions from gatepost.emails where template = 'session-revoked'
"""


@pytest.fixture
async def admin(service: Service) -> Device:
    """An admin, and sixty users, of whom one has five devices and one has thirty."""
    admin = await service.register_admin(confirmed=True)
    await service.sql.execute(_USERS)
    return admin


async def revoke(admin: Device, **more: Any) -> Any:
    body = {"filter": {"kind": "desktop"}, "reason": "breach", **more}
    response = await admin.post("/v1/admin/sessions/revoke", body)
    assert response.status_code == 200, response.text
    return response.json()


async def notified_sessions(service: Service) -> dict[str, list[str]]:
    """Return the sessions that each user was notified about; check that no user gets two emails about anything."""
    rows = await service.sql.fetch(_NOTIFICATIONS)
    assert set(Counter(row["recipient"] for row in rows).values()) <= {1}
    by_user = {row["recipient"]: json.loads(row["sessions"]) for row in rows}
    all_sessions = [session for sessions in by_user.values() for session in sessions]
    assert len(all_sessions) == len(set(all_sessions))
    return by_user


async def test_each_user_gets_one_email_that_lists_their_devices(service: Service, admin: Device) -> None:
    assert (await revoke(admin, notify=True, dry_run=True))["matched"] == 93
    assert await notified_sessions(service) == {}
    assert (await revoke(admin, notify=True))["revoked"] == 93
    by_user = await notified_sessions(service)
    assert len(by_user) == 60
    assert len(by_user["crowd7@example.com"]) == 5
    assert len(by_user["crowd8@example.com"]) == 30

    query = "select id from gatepost.emails where template = 'session-revoked' and recipient = 'crowd8@example.com'"
    email_id = await service.sql.fetchval(query)
    async with asyncio.timeout(15):
        while not (email := (await admin.get(f"/v1/emails/{email_id}")).json())["text"]:
            await asyncio.sleep(0.02)
    assert email["text"].count("Chrome on Windows") == 5
    assert "and 25 more" in email["text"]
    assert "Signed out by an admin" in email["text"]


async def test_without_notify_no_email_is_sent(service: Service, admin: Device) -> None:
    assert (await revoke(admin))["revoked"] == 93
    assert await notified_sessions(service) == {}


async def test_an_admin_who_revokes_their_own_sessions_gets_one_email(service: Service, admin: Device) -> None:
    await service.login(admin.email)
    assert await revoke(admin, filter={"signed_in_after": "2020-01-01T00:00:00Z"}, notify=True) == {
        "matched": 95,
        "revoked": 95,
        "included_own": True,
    }
    assert len((await notified_sessions(service))[admin.email]) == 2


async def test_a_killed_and_repeated_command_notifies_each_user_once(
    service: Service, admin: Device, database_url: str
) -> None:
    """One session each of two users is locked, so these keep all of their sessions until the lock is released."""
    command = ("sessions", "revoke", "--kind", "desktop", "--reason", "breach", "--notify", "--yes")
    settings = {"database_url": database_url, "secret_key": "s" * 40}
    blocker = await asyncpg.connect(database_url)
    async with blocker.transaction():
        await blocker.execute("""
            select from gatepost.sessions s join gatepost.users u on u.id = s.user_id
            where u.email in ('crowd7@example.com', 'crowd9@example.com') and s.name = 'Device 1' for update of s
        """)
        process = await asyncio.create_subprocess_exec(GATEPOST, *command, env=environment(settings))
        async with asyncio.timeout(30):
            while await service.sql.fetchval(_ACTIVE) > 6:
                await asyncio.sleep(0.02)
        process.kill()
        await process.wait()
        # Its database backend may still be running; a step becomes visible as a whole.
        before = await notified_sessions(service)
        assert len(before) == 58
        assert await service.sql.fetchval(_ACTIVE) == 6
    await blocker.close()

    code, out, _ = await asyncio.to_thread(run_process, command, settings)
    assert (code, out) == (0, "Revoked 6 sessions.\n")
    after = await notified_sessions(service)
    assert len(after) == 60
    assert len(after["crowd7@example.com"]) == 5
    assert before.items() <= after.items()
    assert (await revoke(admin, notify=True))["matched"] == 0
    assert await notified_sessions(service) == after


@pytest.mark.usefixtures("admin")
async def test_the_cli_notifies_about_a_single_session(service: Service, database_url: str) -> None:
    query = "select s.id from gatepost.sessions s join gatepost.users u on u.id = s.user_id where u.email = $1"
    silent, notified = [await service.sql.fetchval(query, f"crowd{n}@example.com") for n in (1, 2)]
    settings = {"database_url": database_url, "secret_key": "s" * 40}
    for session_id, *notify in ((silent,), (notified, "--notify")):
        command = ("sessions", "revoke", session_id, "--reason", "lost", "--yes", *notify)
        assert (await asyncio.to_thread(run_here, command, settings))[0] == 0
    assert await notified_sessions(service) == {"crowd2@example.com": [str(notified)]}
