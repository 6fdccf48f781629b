"""The forms to sign in and to create an account: errors are at their field, and no redirect leaves the site."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from playwright.async_api import expect

from tests.support import CHROME_ON_WINDOWS, PASSWORD, SAFARI_ON_IPHONE, Service
from tests.support.browser.pages import Visitors, button, create_user, expect_devices, password_field, sign_in, toast


async def test_a_wrong_password_is_reported_and_its_field_focused(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    page = await visitors.open(service, "/login")
    await sign_in(page, email, "not the password")
    await expect(page.get_by_role("main").get_by_role("alert")).to_have_text(
        "The email address or password is incorrect. Check both and try again."
    )
    await expect(password_field(page)).to_be_focused()
    await expect(page.get_by_label("Email address")).to_have_value(email)
    await password_field(page).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect_devices(page, "Chrome on Windows")


async def test_creating_an_account_checks_the_form(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    page = await visitors.open(service, "/login")
    await page.get_by_role("link", name="Create an account").click()
    email_field = page.get_by_label("Email address")
    await button(page, "Create account").click()
    await expect(email_field).to_be_focused()
    await expect(email_field).to_have_accessible_description("This cannot be empty.")
    await email_field.fill("newcomer@example")
    await expect(email_field).to_have_accessible_description("")
    await password_field(page).press_sequentially("short")
    await page.keyboard.press("Enter")
    await expect(password_field(page)).to_be_focused()
    await expect(password_field(page)).to_have_accessible_description("Enter at least 8 characters.")

    await password_field(page).fill(PASSWORD)
    await expect(password_field(page)).not_to_have_attribute("aria-invalid", "true")
    await page.keyboard.press("Enter")
    await expect(email_field).to_be_focused()
    await expect(email_field).to_have_attribute("aria-invalid", "true")
    await expect(email_field).to_have_accessible_description(re.compile("not a valid email address"))

    await email_field.fill(email)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main").get_by_role("alert")).to_have_text(
        "This email address already has an account. Sign in instead."
    )
    await email_field.fill("newcomer@example.com")
    await page.keyboard.press("Enter")
    await expect_devices(page, "Chrome on Windows")


async def test_a_password_can_be_shown(service: Service, visitors: Visitors) -> None:
    page = await visitors.open(service, "/login")
    await password_field(page).fill("a secret")
    await expect(password_field(page)).to_have_attribute("type", "password")
    await button(page, "Show password").click()
    await expect(password_field(page)).to_have_attribute("type", "text")
    await expect(password_field(page)).to_have_value("a secret")
    await button(page, "Hide password").click()
    await expect(password_field(page)).to_have_attribute("type", "password")


async def test_password_managers_recognize_the_fields(service: Service, visitors: Visitors) -> None:
    page = await visitors.open(service, "/login")
    for path, autocomplete in (("/login", "current-password"), ("/register", "new-password")):
        await page.goto(path)
        await expect(page.get_by_label("Email address")).to_have_attribute("autocomplete", "username")
        await expect(page.get_by_label("Email address")).to_have_attribute("type", "email")
        await expect(password_field(page)).to_have_attribute("autocomplete", autocomplete)


async def test_signing_in_never_leads_to_another_site(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    page = await visitors.open(service, None)
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "/.//evil.example"):
        await page.goto(f"/login?redirect={quote(target, safe='')}")
        await sign_in(page, email)
        await expect_devices(page, "Chrome on Windows")
        assert urlsplit(page.url)[:3] == (*urlsplit(str(service.http.base_url))[:2], "/devices"), target


async def test_the_sixth_device_signs_out_the_oldest_and_says_so(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    for _ in range(4):
        await service.login(email, user_agent=CHROME_ON_WINDOWS)
    page = await visitors.open(service, "/login")
    await sign_in(page, email)
    await expect(toast(page, "Signed out Safari on iPhone to make room for this device")).to_be_visible()
    await expect_devices(page, *["Chrome on Windows"] * 5)
