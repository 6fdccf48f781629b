"""Links in mails: opened by anybody they do nothing; pressed, they do what they say, once."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Page, expect

from tests.e2e.pages import Visitors, button, expect_rows, password_field, sign_in, someone
from tests.support import PASSWORD, SAFARI_ON_IPHONE, Device, Service, assert_problem

_NEW = "a different horse entirely"
_CHANGED = "Your password is changed. Every device was signed out."
_VISIBLE = "() => JSON.stringify([{...localStorage}, {...sessionStorage}, history.state, location.href])"


async def link_to(service: Service, email: str, template: str) -> str:
    """Wait for the newest mail to somebody, and return where its link leads: the path, and the token behind it."""
    query = """select id from gatepost.emails where recipient = $1 and template = $2 and status in ('sent', 'delivered')
        order by created_at desc limit 1"""
    async with asyncio.timeout(15):
        while (email_id := await service.sql.fetchval(query, email, template)) is None:
            await asyncio.sleep(0.02)
    boss = await service.register()
    await service.sql.execute("update gatepost.users set role = 'admin' where id = $1", boss.user_id)
    mail = (await boss.get(f"/v1/mailbox/{email_id}")).json()
    found = re.search(r"https?://[^/\s]+(/[a-z-]+#token=[\w-]+)", mail["text"])
    assert found, mail["text"]
    return found[1]


async def disturbed(service: Service) -> tuple[Device, Device, str]:
    """Have somebody signed in whose account is then signed in to elsewhere; return both, and the mail's link."""
    person = await service.register()
    attacker = await service.login(person.email, user_agent=SAFARI_ON_IPHONE)
    return person, attacker, await link_to(service, person.email, "new-device")


async def choose_password(page: Page, password: str) -> None:
    await page.get_by_label("New password", exact=True).fill(password)
    await button(page, "Set new password").click()


async def test_a_sign_in_that_was_not_me_ends_with_all_others_and_the_password_is_new(
    service: Service, visitors: Visitors
) -> None:
    person, attacker, link = await disturbed(service)
    page = await visitors.signed_in(service, person.email, link)
    await expect(page.get_by_role("heading", name="This wasn't you?")).to_be_visible()
    assert (await attacker.get("/v1/me")).status_code == 200

    await button(page, "Sign out every device").click()
    done = page.get_by_role("status").filter(has_text="Done: 3 devices were signed out.")
    await expect(done).to_be_focused()
    for device in (attacker, person):
        assert_problem(await device.get("/v1/me"), 401, "session_revoked")

    await page.reload()
    await expect(done).to_be_visible()
    await choose_password(page, _NEW)
    await expect(page.get_by_text(_CHANGED)).to_be_visible()
    await page.get_by_role("link", name="Sign in").click()
    await sign_in(page, person.email, PASSWORD)
    await expect(page.get_by_role("main").get_by_role("alert")).to_be_visible()
    await password_field(page).fill(_NEW)
    await page.keyboard.press("Enter")
    await expect_rows(page, "Chrome on Windows")


async def test_a_token_is_nowhere_to_be_seen_and_lives_until_it_is_used(service: Service, visitors: Visitors) -> None:
    _, _, link = await disturbed(service)
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
    await expect(other_tab.get_by_role("alert")).to_contain_text("the link from our mail")

    await button(page, "Sign out every device").click()
    await choose_password(page, _NEW)
    await expect(page.get_by_text(_CHANGED)).to_be_visible()
    visible = str(await page.evaluate(_VISIBLE))
    assert token not in visible
    assert "gatepost.link" not in visible


async def test_a_link_that_is_opened_where_another_was_replaces_it(service: Service, visitors: Visitors) -> None:
    _, _, link = await disturbed(service)
    page = await visitors.open(service, "/not-me#token=not-a-token")
    await button(page, "Sign out every device").click()
    await expect(page.get_by_role("alert")).to_contain_text("not whole")
    # Only the fragment changes: nothing is loaded anew.
    await page.evaluate("link => { location.href = link }", link)
    await button(page, "Sign out every device").click()
    await expect(page.get_by_text("Done: 2 devices were signed out.")).to_be_visible()


async def test_a_forgotten_password_is_replaced_by_mail(service: Service, visitors: Visitors) -> None:
    email = await someone(service)
    page = await visitors.open(service, "/login")
    for address in ("nobody@example.com", email):
        await page.goto("/login")
        await page.get_by_label("E-mail address").fill(address)
        await page.get_by_role("link", name="Forgot your password?").click()
        await expect(page).to_have_url(re.compile("/forgot-password$"))
        await expect(page.get_by_label("E-mail address")).to_have_value(address)
        await button(page, "Send a link").click()
        await expect(page.get_by_role("main").get_by_role("status")).to_have_text(
            "If there is an account with this address, a mail is on its way."
        )

    await page.goto(await link_to(service, email, "reset-password"))
    field = page.get_by_label("New password", exact=True)
    await expect(field).to_have_attribute("autocomplete", "new-password")
    await field.fill("short")
    await page.keyboard.press("Enter")
    await expect(field).to_have_accessible_description("At least 8 characters are needed.")
    await button(page, "Show password").click()
    await expect(field).to_have_attribute("type", "text")
    await field.fill(_NEW)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(_CHANGED)).to_be_visible()
    await page.get_by_role("link", name="Sign in").click()
    await sign_in(page, email, _NEW)
    await expect_rows(page, "Chrome on Windows")


async def test_an_address_is_confirmed_by_a_press_alone(service: Service, visitors: Visitors) -> None:
    person = await service.register()
    link = await link_to(service, person.email, "verify-email")
    verified = "select email_verified_at from gatepost.users where id = $1"
    page = await visitors.open(service, link)
    await expect(button(page, "Confirm this address")).to_be_visible()
    assert await service.sql.fetchval(verified, person.user_id) is None
    await button(page, "Confirm this address").click()
    await expect(page.get_by_role("status").filter(has_text="Thank you: this address is confirmed.")).to_be_focused()
    assert await service.sql.fetchval(verified, person.user_id) is not None


async def test_a_confirmation_is_asked_for_again_until_it_is_given(service: Service, visitors: Visitors) -> None:
    email = await someone(service)
    old = await link_to(service, email, "verify-email")
    await service.sql.execute("update gatepost.security.link_tokens set expires_at = now()")
    page = await visitors.open(service, old)
    await button(page, "Confirm this address").click()
    await expect(page.get_by_role("alert")).to_contain_text("too old")
    await page.get_by_role("link", name="Sign in for a new link").click()
    await sign_in(page, email)

    banner = page.get_by_role("region", name="Confirm your address")
    await expect(banner).to_contain_text(f"open the link in our mail to {email}.")
    await banner.get_by_role("button", name="Send a new link").press("Enter")
    await expect(banner.get_by_role("status")).to_be_focused()
    await expect(banner.get_by_role("status")).to_contain_text(f"A new link is on its way to {email}.")

    # The old one again, now that one is signed in: the new link is a press away.
    await page.goto(old)
    await button(page, "Confirm this address").click()
    await button(page, "Send a new link").click()
    await expect(page.get_by_role("status").filter(has_text="A new link is on its way")).to_be_focused()

    query = (
        "select count(*) from gatepost.emails where template = 'verify-email' and status = 'sent' and recipient = $1"
    )
    async with asyncio.timeout(15):
        while await service.sql.fetchval(query, email) < 3:
            await asyncio.sleep(0.02)
    await page.goto(await link_to(service, email, "verify-email"))
    await button(page, "Confirm this address").click()
    await page.get_by_role("link", name="Go to your devices").click()
    await expect_rows(page, "Chrome on Windows")
    await expect(banner).to_have_count(0)


async def test_a_link_that_does_nothing_says_why_and_where_to_go(service: Service, visitors: Visitors) -> None:
    _, _, link = await disturbed(service)
    page = await visitors.open(service, None)
    alert = page.get_by_role("main").get_by_role("alert")

    await service.sql.execute("update gatepost.security.link_tokens set expires_at = now()")
    await page.goto(link)
    await button(page, "Sign out every device").click()
    await expect(alert).to_contain_text("too old")
    await service.sql.execute(
        "update gatepost.security.link_tokens set expires_at = now() + interval '1 hour', used_at = now()"
    )
    await page.goto("/login")
    await page.goto(link)
    await button(page, "Sign out every device").click()
    await expect(alert).to_contain_text("used before")
    await page.get_by_role("link", name="Choose a new password").click()
    await expect(page.get_by_role("heading", name="Forgot your password?")).to_be_visible()

    await page.goto("/reset-password#token=cut-off")
    await choose_password(page, _NEW)
    await expect(alert).to_contain_text("not whole")
    await page.get_by_role("link", name="Ask for a new link").click()
    await expect(button(page, "Send a link")).to_be_visible()


async def test_without_a_network_a_link_can_be_pressed_again(service: Service, visitors: Visitors) -> None:
    _, attacker, link = await disturbed(service)
    page = await visitors.open(service, link)
    await expect(button(page, "Sign out every device")).to_be_visible()
    await page.context.set_offline(True)
    await button(page, "Sign out every device").click()
    await expect(page.get_by_role("alert")).to_have_text("The service cannot be reached. Check your connection.")
    assert (await attacker.get("/v1/me")).status_code == 200
    await page.context.set_offline(False)
    await button(page, "Sign out every device").click()
    await expect(page.get_by_text("Done: 2 devices were signed out.")).to_be_visible()
