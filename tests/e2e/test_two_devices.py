"""Two browsers of one person, of which one signs the other out."""

from __future__ import annotations

from playwright.async_api import expect

from tests.e2e.pages import Visitors, button, devices, expect_login, expect_rows, sign_in, someone, toast
from tests.support import SAFARI_ON_IPHONE, Service

ELSEWHERE = "This device was signed out from another device."


async def test_each_browser_sees_both_devices_with_its_own_first_and_marked(
    service: Service, visitors: Visitors
) -> None:
    email = await someone(service)
    computer = await visitors.open(service, "/login")
    phone = await visitors.open(service, "/login", user_agent=SAFARI_ON_IPHONE)
    await sign_in(computer, email)
    await expect_rows(computer, "Chrome on Windows")
    await sign_in(phone, email)

    await expect_rows(phone, "Safari on iPhone", "Chrome on Windows")
    await computer.reload()
    await expect_rows(computer, "Chrome on Windows", "Safari on iPhone")
    for page in (computer, phone):
        await expect(devices(page).first).to_contain_text("This device")
        await expect(page.get_by_text("This device", exact=True)).to_have_count(1)


async def test_a_device_signed_out_from_another_is_told_so_and_comes_back_where_it_was(
    service: Service, visitors: Visitors
) -> None:
    email = await someone(service)
    computer = await visitors.signed_in(service, email)
    phone = await visitors.signed_in(service, email, "/devices?from=mail", user_agent=SAFARI_ON_IPHONE)
    await expect_rows(phone, "Safari on iPhone", "Chrome on Windows")
    await computer.reload()

    await button(computer, "Sign out Safari on iPhone").click()
    await expect(toast(computer, "Signed out Safari on iPhone")).to_be_visible()
    await expect_rows(computer, "Chrome on Windows")

    await button(phone, "Rename Safari on iPhone").click()
    await phone.get_by_label("Name of this device").fill("My phone")
    await phone.keyboard.press("Enter")
    await expect_login(phone, ELSEWHERE)
    await sign_in(phone, email)
    await expect_rows(phone, "Safari on iPhone", "Chrome on Windows")
    assert phone.url.endswith("/devices?from=mail")
