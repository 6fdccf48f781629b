"""Two browsers of one user, one of which signs the other out."""

from __future__ import annotations

from playwright.async_api import expect

from tests.support import SAFARI_ON_IPHONE, Service
from tests.support.browser.pages import (
    Visitors,
    button,
    create_user,
    devices,
    expect_devices,
    expect_login,
    sign_in,
    toast,
)

_SIGNED_OUT_ELSEWHERE = "This device was signed out from another device."


async def test_each_browser_lists_both_devices_with_its_own_first_and_marked(
    service: Service, visitors: Visitors
) -> None:
    email = await create_user(service)
    computer = await visitors.open(service, "/login")
    phone = await visitors.open(service, "/login", user_agent=SAFARI_ON_IPHONE)
    await sign_in(computer, email)
    await expect_devices(computer, "Chrome on Windows")
    await sign_in(phone, email)

    await expect_devices(phone, "Safari on iPhone", "Chrome on Windows")
    await computer.reload()
    await expect_devices(computer, "Chrome on Windows", "Safari on iPhone")
    for page in (computer, phone):
        await expect(devices(page).first).to_contain_text("This device")
        await expect(page.get_by_text("This device", exact=True)).to_have_count(1)


async def test_a_device_that_was_signed_out_says_so_and_returns_to_its_page_after_the_sign_in(
    service: Service, visitors: Visitors
) -> None:
    email = await create_user(service)
    computer = await visitors.signed_in(service, email)
    phone = await visitors.signed_in(service, email, "/devices?from=mail", user_agent=SAFARI_ON_IPHONE)
    await expect_devices(phone, "Safari on iPhone", "Chrome on Windows")
    await computer.reload()

    await button(computer, "Sign out Safari on iPhone").click()
    await expect(toast(computer, "Signed out Safari on iPhone")).to_be_visible()
    await expect_devices(computer, "Chrome on Windows")

    await button(phone, "Rename Safari on iPhone").click()
    await phone.get_by_label("Device name").fill("My phone")
    await phone.keyboard.press("Enter")
    await expect_login(phone, _SIGNED_OUT_ELSEWHERE)
    await sign_in(phone, email)
    await expect_devices(phone, "Safari on iPhone", "Chrome on Windows")
    assert phone.url.endswith("/devices?from=mail")
