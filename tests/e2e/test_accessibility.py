"""axe on every page and state, light and dark, on a wide and on the narrowest screen (WCAG 2.2 AA)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, ViewportSize, expect

from tests.e2e.outage import Cable
from tests.e2e.pages import (
    FIREFOX_ON_LINUX,
    Visitors,
    button,
    expect_rows,
    menu_item,
    password_field,
    sign_in,
    sign_in_quietly,
    someone,
    toast,
)
from tests.e2e.test_links import choose_password, disturbed
from tests.e2e.test_mailbox import admin, mails, tab, write
from tests.e2e.test_suppressions import suppress
from tests.e2e.test_template_list import compose
from tests.support import SAFARI_ON_IPHONE, Service, running_service

_AXE = Path(__file__).parents[2] / "apps/web/node_modules/axe-core/axe.min.js"
_EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
_SETTLE = """async () => {
  for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
  await Promise.allSettled(document.getAnimations().map(animation => animation.finished));
}"""
# Base UI's focus guards pass the focus on as soon as they get it; axe cannot know that.
_RUN = """async runOnly => {
  const context = { include: document, exclude: "[data-base-ui-focus-guard]" };
  const { violations } = await axe.run(context, { iframes: false, runOnly });
  return violations.map(({ id, nodes }) => [id, ...nodes.map(node => node.html + " " + node.failureSummary)]);
}"""
_SCREENS: list[ViewportSize] = [{"width": 1280, "height": 900}, {"width": 320, "height": 640}]
_LONG = "Donaudampfschifffahrtsgesellschaft" * 2


@pytest.fixture(scope="session")
def axe() -> str:
    return _AXE.read_text(encoding="utf-8")


@pytest_asyncio.fixture(loop_scope="session")
async def service(cable: Cable) -> AsyncIterator[Service]:
    """The service, on a database that can go away."""
    async with running_service(cable.url) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="session")
async def page(service: Service, visitors: Visitors, axe: str) -> Page:
    """A page that axe can look at; it moves nothing, so that no colour is halfway."""
    page = await visitors.open(service, None, reduced_motion="reduce")
    await page.context.add_init_script(axe)
    return page


async def look(page: Page) -> None:
    """Look at what is shown, in both themes and on both screens."""
    found: list[Any] = []
    for screen in _SCREENS:
        await page.set_viewport_size(screen)
        await page.evaluate(_SETTLE)
        overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{overflow} px too wide for {screen['width']}"
        # Another theme has other colours, and everything else as it was.
        for theme, rules in (("light", _EVERYTHING), ("dark", _COLOURS)):
            await page.emulate_media(color_scheme="light" if theme == "light" else "dark")
            await page.evaluate(_SETTLE)
            found += [(theme, screen["width"], *violation) for violation in await page.evaluate(_RUN, rules)]
    assert found == []


async def show_devices(service: Service, page: Page) -> str:
    """Show three devices, one of them with a long name."""
    email = await someone(service)
    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    await service.login(email, user_agent=FIREFOX_ON_LINUX, device_name=_LONG)
    await sign_in_quietly(service, page, email)
    await page.goto("/devices")
    await expect_rows(page, "Chrome on Windows", _LONG, "Safari on iPhone")
    return email


async def test_signing_in_and_registering(page: Page) -> None:
    await page.goto("/login?reason=session_revoked&end_reason=signed_out_elsewhere&redirect=%2Fdevices")
    await sign_in(page, "nobody@example.com")
    await expect(page.get_by_role("alert")).to_have_count(2)
    await look(page)

    await page.goto("/register")
    await page.get_by_label("E-mail address").fill("nobody@example")
    await password_field(page).fill("long enough, surely")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    await look(page)


async def test_the_devices_with_everything_open(service: Service, page: Page) -> None:
    email = await show_devices(service, page)
    await look(page)

    await page.get_by_text("Signed out devices").click()
    await button(page, "Rename Chrome on Windows").click()
    await expect(page.get_by_label("Name of this device")).to_be_focused()
    await button(page, f"Sign out {_LONG}").click()
    await expect(page.get_by_text("Signed out from another device")).to_be_visible()
    await expect(toast(page, f"Signed out {_LONG}")).to_be_visible()
    await look(page)

    await button(page, f"Account: {email}").click()
    await expect(menu_item(page, "Sign out")).to_be_visible()
    await look(page)


async def test_the_dialogs(service: Service, page: Page) -> None:
    await show_devices(service, page)
    await service.sql.execute("update gatepost.sessions set authenticated_at = now() - interval '20 minutes'")
    await button(page, "Sign out 2 other devices").click()
    question = page.get_by_role("dialog", name="Sign out 2 other devices?")
    await expect(question).to_be_visible()
    await look(page)

    await question.get_by_role("button", name="Sign out 2 other devices").click()
    question = page.get_by_role("dialog", name="Confirm that it is you")
    await question.get_by_label("Password", exact=True).fill("not the password")
    await page.keyboard.press("Enter")
    await expect(question).to_contain_text("That is not your password.")
    await look(page)


async def test_the_pages_of_nothing_and_of_trouble(
    service: Service, cable: Cable, page: Page, visitors: Visitors
) -> None:
    await page.goto("/nowhere")
    await expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    await look(page)

    await sign_in_quietly(service, page, await someone(service))
    await cable.cut()
    await page.goto("/devices")
    await expect(page.get_by_role("heading", name="This page could not be shown")).to_be_visible()
    await look(page)
    assert "cannot reach its database" in visitors.complaints.pop()


async def test_the_pages_that_links_lead_to(service: Service, page: Page) -> None:
    _, _, link = await disturbed(service)  # from tests.e2e.test_links
    await page.goto("/not-me#token=cut-off")
    await expect(button(page, "Sign out every device")).to_be_visible()
    await look(page)
    await button(page, "Sign out every device").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await look(page)
    await page.goto(link)
    await button(page, "Sign out every device").click()
    await expect(page.get_by_label("New password", exact=True)).to_be_visible()
    await look(page)
    await choose_password(page, "a different horse entirely")
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    await look(page)
    for path, name in (("/verify-email#token=cut-off", "Confirm this address"), ("/forgot-password", "Send a link")):
        await page.goto(path)
        await expect(button(page, name)).to_be_visible()
        await look(page)


async def test_notifications_and_the_mailbox(service: Service, page: Page) -> None:
    boss = await admin(service)  # admin, write, mails, tab: from tests.e2e.test_mailbox
    await write(service, f"{_LONG[:60]}@example.com")
    await sign_in_quietly(service, page, boss)
    await page.goto("/settings/notifications")
    await page.get_by_role("switch", name="Welcome").click()
    await look(page)
    await page.goto("/mailbox")
    await expect(mails(page).first).to_be_visible()
    await look(page)
    await page.set_viewport_size({"width": 1280, "height": 900})
    await mails(page).first.click()
    for name in ("HTML", "Text", "Source", "Headers"):
        await tab(page, name).click()
        await look(page)


async def test_the_templates_and_their_dialogs(service: Service, page: Page) -> None:
    boss = await admin(service)
    key = "x" * 63
    await compose(service, key)  # from tests.e2e.test_template_list
    await compose(service, "welcome")
    await sign_in_quietly(service, page, boss)
    await page.goto("/settings/email-templates")
    await expect(button(page, f"Delete {key}")).to_be_visible()
    await look(page)
    for name in (f"Delete {key}", "New template"):
        await button(page, name).click()
        await look(page)
        await page.keyboard.press("Escape")
    await page.get_by_role("searchbox").fill("nothing like it")
    await expect(button(page, "Show all templates")).to_be_visible()
    await look(page)

    # The menu, where nothing can be pressed below it: of what lies on top axe knows nothing.
    await page.route("**/v1/settings/email-templates*", lambda route: route.fulfill(status=400))
    await page.reload()
    await expect(button(page, "Try again")).to_be_visible()
    await button(page, "Mail").click()
    await expect(menu_item(page, "Suppressions")).to_be_visible()
    await look(page)


async def test_the_email_log_and_a_message(service: Service, page: Page) -> None:
    boss = await admin(service)
    await write(service, f"{_LONG[:60]}@example.com")
    await sign_in_quietly(service, page, boss)
    await page.goto("/settings/emails")
    await expect(page.get_by_role("table")).to_be_visible()
    await look(page)
    await page.get_by_role("link", name=_LONG[:60]).click()
    drawer = page.get_by_role("dialog")
    await expect(drawer.get_by_role("heading", name="What happened")).to_be_visible()
    await look(page)
    await tab(page, "Text").click()
    await look(page)
    await drawer.get_by_role("button", name="Send again").click()
    await expect(page.get_by_role("dialog", name="Send this message again?")).to_be_visible()
    await look(page)


async def test_the_suppressions_and_their_dialogs(service: Service, page: Page) -> None:
    boss = await admin(service)
    address = f"{_LONG[:60]}@example.com".lower()
    await suppress(service, address, "complaint")  # from tests.e2e.test_suppressions
    await sign_in_quietly(service, page, boss)
    await page.goto("/settings/suppressions")
    await expect(page.get_by_role("table")).to_be_visible()
    await look(page)
    for name in (f"Take off {address}", "Suppress an address"):
        await button(page, name).click()
        await look(page)
        await page.keyboard.press("Escape")
