"""The forms that lead in: what is wrong is said where it is, and they lead nowhere else."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from playwright.async_api import expect

from tests.e2e.pages import Visitors, button, expect_rows, password_field, sign_in, someone, toast
from tests.support import CHROME_ON_WINDOWS, PASSWORD, SAFARI_ON_IPHONE, Service


async def test_a_wrong_password_is_said_inline_and_its_field_has_the_focus(
    service: Service, visitors: Visitors
) -> None:
    email = await someone(service)
    page = await visitors.open(service, "/login")
    await sign_in(page, email, "not the password")
    await expect(page.get_by_role("main").get_by_role("alert")).to_have_text(
        "The e-mail address or the password is wrong."
    )
    await expect(password_field(page)).to_be_focused()
    await expect(page.get_by_label("E-mail address")).to_have_value(email)
    await password_field(page).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect_rows(page, "Chrome on Windows")


async def test_an_account_is_made_once_and_with_a_long_enough_password(service: Service, visitors: Visitors) -> None:
    email = await someone(service)
    page = await visitors.open(service, "/login")
    await page.get_by_role("link", name="Create one").click()
    address = page.get_by_label("E-mail address")
    await button(page, "Create account").click()
    await expect(address).to_be_focused()
    await expect(address).to_have_accessible_description("This cannot be empty.")
    await address.fill("newcomer@example")
    await expect(address).to_have_accessible_description("")
    await password_field(page).press_sequentially("short")
    await page.keyboard.press("Enter")
    await expect(password_field(page)).to_be_focused()
    await expect(password_field(page)).to_have_accessible_description("At least 8 characters are needed.")

    await password_field(page).fill(PASSWORD)
    await expect(password_field(page)).not_to_have_attribute("aria-invalid", "true")
    await page.keyboard.press("Enter")
    await expect(address).to_be_focused()
    await expect(address).to_have_attribute("aria-invalid", "true")
    await expect(address).to_have_accessible_description(re.compile("not a valid email address"))

    await address.fill(email)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main").get_by_role("alert")).to_have_text(
        "This e-mail address has an account already."
    )
    await address.fill("newcomer@example.com")
    await page.keyboard.press("Enter")
    await expect_rows(page, "Chrome on Windows")


async def test_a_password_can_be_looked_at(service: Service, visitors: Visitors) -> None:
    page = await visitors.open(service, "/login")
    await password_field(page).fill("a secret")
    await expect(password_field(page)).to_have_attribute("type", "password")
    await button(page, "Show password").click()
    await expect(password_field(page)).to_have_attribute("type", "text")
    await expect(password_field(page)).to_have_value("a secret")
    await button(page, "Hide password").click()
    await expect(password_field(page)).to_have_attribute("type", "password")


async def test_password_managers_find_the_fields(service: Service, visitors: Visitors) -> None:
    page = await visitors.open(service, "/login")
    for path, kind in (("/login", "current-password"), ("/register", "new-password")):
        await page.goto(path)
        await expect(page.get_by_label("E-mail address")).to_have_attribute("autocomplete", "username")
        await expect(page.get_by_label("E-mail address")).to_have_attribute("type", "email")
        await expect(password_field(page)).to_have_attribute("autocomplete", kind)


async def test_no_sign_in_leads_to_another_site(service: Service, visitors: Visitors) -> None:
    email = await someone(service)
    page = await visitors.open(service, None)
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "/.//evil.example"):
        await page.goto(f"/login?redirect={quote(target, safe='')}")
        await sign_in(page, email)
        await expect_rows(page, "Chrome on Windows")
        assert urlsplit(page.url)[:3] == (*urlsplit(str(service.http.base_url))[:2], "/devices"), target


async def test_the_sixth_sign_in_says_which_device_made_room(service: Service, visitors: Visitors) -> None:
    email = await someone(service)
    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    for _ in range(4):
        await service.login(email, user_agent=CHROME_ON_WINDOWS)
    page = await visitors.open(service, "/login")
    await sign_in(page, email)
    await expect(toast(page, "Signed out Safari on iPhone, to make room for this device")).to_be_visible()
    await expect_rows(page, *["Chrome on Windows"] * 5)
