"""Links in the emails about an account, and the pages that they lead to."""

from __future__ import annotations

import asyncio
import re
import secrets

from argon2 import PasswordHasher
from playwright.async_api import Page

from tests.support import PASSWORD, SAFARI_ON_IPHONE, Device, Service
from tests.support.browser.pages import button


async def link_in_email(service: Service, email: str, template: str) -> str:
    """Wait for the newest email of a template to an address. Return its link, as the path and the fragment."""
    query = """select id from gatepost.emails where recipient = $1 and template = $2 and status in ('sent', 'delivered')
        order by created_at desc limit 1"""
    async with asyncio.timeout(15):
        while (email_id := await service.sql.fetchval(query, email, template)) is None:
            await asyncio.sleep(0.02)
    admin = await _sign_in_admin(service)
    captured = (await admin.get(f"/v1/mailbox/{email_id}")).json()
    link = re.search(r"https?://[^/\s]+(/[a-z-]+#token=[\w-]+)", captured["text"])
    assert link, captured["text"]
    return link[1]


async def _sign_in_admin(service: Service) -> Device:
    """Sign in as an admin who was not registered over HTTP, which may be limited."""
    email = f"admin{secrets.token_hex(4)}@example.com"
    hashed = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    query = "insert into gatepost.users (email, password_hash, role, email_verified_at) values ($1, $2, 'admin', now())"
    await service.sql.execute(query, email, hashed)
    return await service.login(email)


async def sign_in_as_attacker(service: Service) -> tuple[Device, Device, str]:
    """Create a user, and sign an attacker in as this user. Return both devices, and the link in the email about it."""
    user = await service.register_confirmed()
    attacker = await service.login(user.email, user_agent=SAFARI_ON_IPHONE)
    return user, attacker, await link_in_email(service, user.email, "new-device")


async def set_new_password(page: Page, password: str) -> None:
    """Fill in and submit the form for a new password."""
    await page.get_by_label("New password", exact=True).fill(password)
    await button(page, "Set new password").click()
