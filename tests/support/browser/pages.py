"""Visitors with browsers of their own, and what the tests do and look for on pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, WebError, expect

from tests.support import CHROME_ON_WINDOWS, PASSWORD, Service

FIREFOX_ON_LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
EDGE_ON_WINDOWS = CHROME_ON_WINDOWS + " Edg/141.0.0.0"


@dataclass
class Visitors:
    """Opens pages in browsers of their own, and collects the errors of these pages."""

    browser: Browser
    errors: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    async def open(
        self, service: Service, path: str | None, *, user_agent: str = CHROME_ON_WINDOWS, **options: Any
    ) -> Page:
        """Open a page in a new browser; without a path, a blank one."""
        context = await self.browser.new_context(base_url=str(service.http.base_url), user_agent=user_agent, **options)
        self._contexts.append(context)
        context.on("console", self._collect_console)
        context.on("weberror", self._collect_uncaught)
        page = await context.new_page()
        if path is not None:
            await page.goto(path)
        return page

    async def signed_in(self, service: Service, email: str, path: str | None = "/devices", **options: Any) -> Page:
        """Open a page in a new browser where a user is signed in."""
        page = await self.open(service, None, **options)
        await sign_in_by_api(service, page, email)
        if path is not None:
            await page.goto(path)
        return page

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()

    def _collect_console(self, message: ConsoleMessage) -> None:
        # The browser logs every failed request; the tests expect some of those.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.errors.append(f"console: {message.text}")

    def _collect_uncaught(self, error: WebError) -> None:
        self.errors.append(f"uncaught: {error.error}")


async def create_user(service: Service) -> str:
    """Create a user without any session, active or ended. Return the email address."""
    device = await service.register()
    await service.sql.execute("delete from gatepost.sessions where user_id = $1", device.user_id)
    return device.email


async def create_admin(service: Service) -> str:
    """Create an admin without any session. Return the email address."""
    email = await create_user(service)
    await service.sql.execute("update gatepost.users set role = 'admin' where email = $1", email)
    return email


async def require_password(service: Service) -> None:
    """Make every sign-in old enough that actions which need a recent password ask for it."""
    await service.sql.execute("update gatepost.sessions set authenticated_at = now() - interval '20 minutes'")


async def sign_in_by_api(service: Service, page: Page, email: str) -> None:
    """Sign a browser in without the login page."""
    response = await page.request.post(
        "/v1/auth/login",
        data={"email": email, "password": PASSWORD, "transport": "cookie"},
        headers={"Origin": str(service.http.base_url).rstrip("/")},
    )
    assert response.status == 200, await response.text()


async def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill in and submit the login form."""
    await page.get_by_label("Email address").fill(email)
    await password_field(page).fill(password)
    await page.get_by_role("button", name="Sign in").click()


def password_field(page: Page) -> Locator:
    return page.get_by_label("Password", exact=True)


def devices(page: Page) -> Locator:
    """The rows of the devices where the user is signed in."""
    return page.get_by_role("list", name="Your devices").get_by_role("listitem")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def menu_item(page: Page, name: str) -> Locator:
    return page.get_by_role("menuitem", name=name, exact=True)


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("tab", name=name, exact=True)


def toasts(page: Page) -> Locator:
    return page.get_by_role("region", name="Notifications")


def toast(page: Page, text: str) -> Locator:
    return toasts(page).get_by_text(text, exact=True)


async def expect_devices(page: Page, *names: str) -> None:
    """Expect exactly these devices, in this order."""
    await expect(devices(page)).to_have_count(len(names))
    await expect(devices(page)).to_contain_text(list(names))


async def expect_login(page: Page, alert: str | None = None) -> None:
    """Expect the login page, with this alert or with none."""
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    alerts = page.get_by_role("alert")
    await expect(alerts).to_have_text([alert] if alert else [])
