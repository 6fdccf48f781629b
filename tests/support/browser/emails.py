"""Emails and suppressions for the tests of the pages about them."""

from __future__ import annotations

import asyncio

from tests.support import Service


async def send_emails(service: Service, to: str, count: int = 1) -> None:
    """Send emails to an address, and wait until they are sent."""
    query = """select gatepost.queue_email('welcome', $1, '{"login_url": "https://app.acme.com/login"}')
        from generate_series(1, $2)"""
    await service.sql.execute(query, to, count)
    await wait_until_sent(service)


async def schedule_email(service: Service, to: str) -> str:
    """Schedule an email for tomorrow. Return its id."""
    query = """select gatepost.queue_email(
        'welcome', $1, '{"login_url": "https://app.acme.com/login"}', p_send_at => now() + interval '1 day')"""
    return str(await service.sql.fetchval(query, to))


async def wait_until_sent(service: Service) -> None:
    """Wait until no email is queued or being sent."""
    query = "select count(*) from gatepost.emails where status in ('queued', 'sending')"
    async with asyncio.timeout(15):
        while await service.sql.fetchval(query):
            await asyncio.sleep(0.02)


async def suppress(service: Service, email: str, reason: str = "bounce") -> None:
    """Suppress an email address because of the last email to it, if there is one."""
    await _suppress(service, [email], reason)


async def suppress_many(service: Service, email: str, count: int) -> None:
    """Suppress email addresses that are this one followed by numbers."""
    await _suppress(service, [f"{email}{number}" for number in range(1, count + 1)], "bounce")


async def _suppress(service: Service, emails: list[str], reason: str) -> None:
    query = """
        insert into gatepost.email_suppressions (email, reason, note, email_id, created_by)
        select address, $2, 'The mailbox does not exist.',
            (select id from gatepost.emails where recipient = address order by created_at desc limit 1), 'provider'
        from unnest($1::text[]) address
    """
    await service.sql.execute(query, emails, reason)
