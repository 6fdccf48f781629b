"""Links in emails: opening one changes nothing; after a click on the page's button, it has done its work once."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import expect

from tests.support import PASSWORD, Service, assert_problem, running_service
from tests.support.browser.account_links import link_in_email, set_new_password, sign_in_as_attacker
from tests.support.browser.pages import Visitors, button, create_user, expect_devices, password_field, sign_in

_NEW_PASSWORD = "a different horse entirely"
_CHANGED = "Your password was changed, and every device was signed out."
_VISIBLE = "() => JSON.stringify([{...localStorage}, {...sessionStorage}, history.state, location.href])"


async def test_reporting_a_sign_in_ends_every_session_and_leads_to_a_new_password(
    service: Service, visitors: Visitors
) -> None:
    user, attacker, link = await sign_in_as_attacker(service)
    page = await visitors.signed_in(service, user.email, link)
    await expect(page.get_by_role("heading", name="This wasn't you?")).to_be_visible()
    assert (await attacker.get("/v1/me")).status_code == 200

    await button(page, "Sign out every device").click()
    result = page.get_by_role("status").filter(has_text="3 devices were signed out.")
    await expect(result).to_be_focused()
    for device in (attacker, user):
        assert_problem(await device.get("/v1/me"), 401, "session_revoked")

    await page.reload()
    await expect(result).to_be_visible()
    await set_new_password(page, _NEW_PASSWORD)
    await expect(page.get_by_text(_CHANGED)).to_be_visible()
    await page.get_by_role("link", name="Sign in").click()
    await sign_in(page, user.email, PASSWORD)
    await expect(page.get_by_role("main").get_by_role("alert")).to_be_visible()
    await password_field(page).fill(_NEW_PASSWORD)
    await page.keyboard.press("Enter")
    await expect_devices(page, "Chrome on Windows")


async def test_a_token_is_never_visible_and_lasts_until_it_is_used(service: Service, visitors: Visitors) -> None:
    _, _, link = await sign_in_as_attacker(service)
    path, token = link.split("#token=")
    page = await visitors.open(service, "/login")
    await page.goto(link)
    await expect(button(page, "Sign out every device")).to_be_visible()
    assert page.url.endswith(path)

    await page.reload()
    await expect(button(page, "Sign out every device")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.go_forward()
    await expect(button(page, "Sign out every device")).to_be_visible()
    assert page.url.endswith(path)

    other_tab = await page.context.new_page()
    await other_tab.goto(path)
    await expect(other_tab.get_by_role("alert")).to_contain_text("Open the full link from our email")

    await button(page, "Sign out every device").click()
    await set_new_password(page, _NEW_PASSWORD)
    await expect(page.get_by_text(_CHANGED)).to_be_visible()
    visible = str(await page.evaluate(_VISIBLE))
    assert token not in visible
    assert "gatepost.link" not in visible


async def test_a_second_link_in_the_same_tab_replaces_the_first(service: Service, visitors: Visitors) -> None:
    _, _, link = await sign_in_as_attacker(service)
    page = await visitors.open(service, "/not-me#token=not-a-token")
    await button(page, "Sign out every device").click()
    await expect(page.get_by_role("alert")).to_contain_text("incomplete or invalid")
    # Only the fragment changes, so the page is not loaded again.
    await page.evaluate("link => { location.href = link }", link)
    await button(page, "Sign out every device").click()
    await expect(page.get_by_text("2 devices were signed out.")).to_be_visible()


async def test_a_forgotten_password_is_replaced(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    page = await visitors.open(service, "/login")
    for typed in ("nobody@example.com", email):
        await page.goto("/login")
        await page.get_by_label("Email address").fill(typed)
        await page.get_by_role("link", name="Forgot your password?").click()
        await expect(page).to_have_url(re.compile("/forgot-password$"))
        await expect(page.get_by_label("Email address")).to_have_value(typed)
        await button(page, "Send link").click()
        await expect(page.get_by_role("main").get_by_role("status")).to_have_text(
            "If there is an account with this email address, we sent it a link."
        )

    await page.goto(await link_in_email(service, email, "reset-password"))
    field = page.get_by_label("New password", exact=True)
    await expect(field).to_have_attribute("autocomplete", "new-password")
    await field.fill("short")
    await page.keyboard.press("Enter")
    await expect(field).to_have_accessible_description("Enter at least 8 characters.")
    await button(page, "Show password").click()
    await expect(field).to_have_attribute("type", "text")
    await field.fill(_NEW_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(_CHANGED)).to_be_visible()
    await page.get_by_role("link", name="Sign in").click()
    await sign_in(page, email, _NEW_PASSWORD)
    await expect_devices(page, "Chrome on Windows")


async def test_an_email_address_is_confirmed_by_a_click_only(service: Service, visitors: Visitors) -> None:
    page = await visitors.open(service, "/register")
    await page.get_by_label("Email address").fill("ada@example.com")
    await password_field(page).fill(PASSWORD)
    await button(page, "Create account").click()
    await expect_devices(page, "Chrome on Windows")
    link = await link_in_email(service, "ada@example.com", "verify-email")
    verified_at = "select email_verified_at from gatepost.users where email = 'ada@example.com'"
    await page.goto(link)
    await expect(button(page, "Confirm email address")).to_be_visible()
    assert await service.sql.fetchval(verified_at) is None
    await button(page, "Confirm email address").click()
    await expect(page.get_by_role("status").filter(has_text="Your email address is confirmed.")).to_be_focused()
    assert await service.sql.fetchval(verified_at) is not None
    # In the browser that registered nobody is signed out.
    await page.get_by_role("link", name="Go to your devices").click()
    await expect_devices(page, "Chrome on Windows")


async def test_confirming_an_address_that_someone_else_registered_takes_the_account_over(
    service: Service, visitors: Visitors
) -> None:
    attacker = await service.register(email="ada@example.com")
    page = await visitors.open(service, await link_in_email(service, "ada@example.com", "verify-email"))
    await button(page, "Confirm email address").click()
    result = page.get_by_role("status").filter(has_text="Your email address is confirmed. 1 device was signed out.")
    await expect(result).to_be_focused()
    assert_problem(await attacker.get("/v1/me"), 401, "session_revoked")

    await page.reload()
    await expect(page.get_by_role("heading", name="Set a new password")).to_be_visible()
    await set_new_password(page, "ada@example.com")
    field = page.get_by_label("New password", exact=True)
    await expect(field).to_have_accessible_description(re.compile("cannot be your email address"))
    await field.fill("12345678")
    await expect(page.get_by_text("Password strength: Very weak")).to_be_visible()
    await set_new_password(page, _NEW_PASSWORD)
    await expect(page.get_by_text(_CHANGED)).to_be_visible()
    await page.get_by_role("link", name="Sign in").click()
    await sign_in(page, "ada@example.com", PASSWORD)
    await expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("incorrect")
    await sign_in(page, "ada@example.com", _NEW_PASSWORD)
    await expect_devices(page, "Chrome on Windows")


async def test_an_account_is_created_by_email_where_the_address_has_to_be_confirmed(
    database_url: str, visitors: Visitors
) -> None:
    async with running_service(database_url, registration="confirm") as service:
        page = await visitors.open(service, "/register")
        for _ in range(2):
            await page.get_by_label("Email address").fill("ada@example.com")
            await button(page, "Continue").click()
            await expect(page.get_by_role("main").get_by_role("status")).to_contain_text("Check your inbox.")
            await button(page, "Send another email").click()
        await page.goto(await link_in_email(service, "ada@example.com", "verify-email"))
        await button(page, "Confirm email address").click()
        await set_new_password(page, _NEW_PASSWORD)
        await page.get_by_role("link", name="Sign in").click()
        await sign_in(page, "ada@example.com", _NEW_PASSWORD)
        await expect_devices(page, "Chrome on Windows")


async def test_an_unconfirmed_email_address_gets_new_links(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    expired = await link_in_email(service, email, "verify-email")
    await service.sql.execute("update gatepost.links set expires_at = now()")
    page = await visitors.open(service, expired)
    await button(page, "Confirm email address").click()
    await expect(page.get_by_role("alert")).to_contain_text("expired")
    await page.get_by_role("link", name="Sign in to get a new link").click()
    await sign_in(page, email)

    banner = page.get_by_role("region", name="Confirm your email address")
    await expect(banner).to_contain_text(f"open the link in our email to {email}.")
    await banner.get_by_role("button", name="Send a new link").press("Enter")
    await expect(banner.get_by_role("status")).to_be_focused()
    await expect(banner.get_by_role("status")).to_contain_text(f"We sent a new link to {email}.")

    # The expired link again, now that the user is signed in: the page itself sends a new one.
    await page.goto(expired)
    await button(page, "Confirm email address").click()
    await button(page, "Send a new link").click()
    await expect(page.get_by_role("status").filter(has_text="We sent a new link")).to_be_focused()

    query = (
        "select count(*) from gatepost.emails where template = 'verify-email' and status = 'sent' and recipient = $1"
    )
    async with asyncio.timeout(15):
        while await service.sql.fetchval(query, email) < 3:
            await asyncio.sleep(0.02)
    await page.goto(await link_in_email(service, email, "verify-email"))
    await button(page, "Confirm email address").click()
    # This browser is not the one that registered.
    await set_new_password(page, _NEW_PASSWORD)
    await page.get_by_role("link", name="Sign in").click()
    await sign_in(page, email, _NEW_PASSWORD)
    await expect_devices(page, "Chrome on Windows")
    await expect(banner).to_have_count(0)


async def test_a_link_that_does_not_work_says_why_and_what_to_do(service: Service, visitors: Visitors) -> None:
    _, _, link = await sign_in_as_attacker(service)
    page = await visitors.open(service, None)
    alert = page.get_by_role("main").get_by_role("alert")

    await service.sql.execute("update gatepost.links set expires_at = now()")
    await page.goto(link)
    await button(page, "Sign out every device").click()
    await expect(alert).to_contain_text("expired")
    await service.sql.execute("update gatepost.links set expires_at = now() + interval '1 hour', used_at = now()")
    await page.goto("/login")
    await page.goto(link)
    await button(page, "Sign out every device").click()
    await expect(alert).to_contain_text("already used")
    await page.get_by_role("link", name="Set a new password").click()
    await expect(page.get_by_role("heading", name="Forgot your password?")).to_be_visible()

    await page.goto("/reset-password#token=cut-off")
    await set_new_password(page, _NEW_PASSWORD)
    await expect(alert).to_contain_text("incomplete or invalid")
    await page.get_by_role("link", name="Request a new link").click()
    await expect(button(page, "Send link")).to_be_visible()


async def test_a_link_can_be_used_again_after_the_network_failed(service: Service, visitors: Visitors) -> None:
    _, attacker, link = await sign_in_as_attacker(service)
    page = await visitors.open(service, link)
    await expect(button(page, "Sign out every device")).to_be_visible()
    await page.context.set_offline(True)
    await button(page, "Sign out every device").click()
    await expect(page.get_by_role("alert")).to_have_text("The service cannot be reached. Check your connection.")
    assert (await attacker.get("/v1/me")).status_code == 200
    await page.context.set_offline(False)
    await button(page, "Sign out every device").click()
    await expect(page.get_by_text("2 devices were signed out.")).to_be_visible()
