"""What people do in a browser, in their words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, WebError, expect

from tests.support import CHROME_ON_WINDOWS, PASSWORD, Service

FIREFOX_ON_LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
EDGE_ON_WINDOWS = CHROME_ON_WINDOWS + " Edg/141.0.0.0"


@dataclass
class Visitors:
    """Opens browsers for people, and keeps what their pages complained about."""

    browser: Browser
    complaints: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    async def open(
        self, service: Service, path: str | None, *, user_agent: str = CHROME_ON_WINDOWS, **options: Any
    ) -> Page:
        """Open a page in a browser of its own; without a path, a blank one."""
        address = str(service.http.base_url)
        context = await self.browser.new_context(base_url=address, user_agent=user_agent, **options)
        self._contexts.append(context)
        context.on("console", self._hear)
        context.on("weberror", self._note)
        page = await context.new_page()
        if path is not None:
            await page.goto(path)
        return page

    async def signed_in(self, service: Service, email: str, path: str | None = "/devices", **options: Any) -> Page:
        """The same, with a person signed in already."""
        page = await self.open(service, None, **options)
        await sign_in_quietly(service, page, email)
        if path is not None:
            await page.goto(path)
        return page

    async def leave(self) -> None:
        for context in self._contexts:
            await context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        # The browser reports each refused request as an error too; those are the stories' own.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"console: {message.text}")

    def _note(self, error: WebError) -> None:
        self.complaints.append(f"uncaught: {error.error}")


async def someone(service: Service) -> str:
    """Make an account that is signed in nowhere, and was nowhere; return its address."""
    person = await service.register()
    await service.sql.execute("delete from gatepost.sessions where user_id = $1", person.user_id)
    return person.email


async def sign_in_quietly(service: Service, page: Page, email: str) -> None:
    """Sign a browser in without its pages."""
    answer = await page.request.post(
        "/v1/auth/login",
        data={"email": email, "password": PASSWORD, "transport": "cookie"},
        headers={"Origin": str(service.http.base_url).rstrip("/")},
    )
    assert answer.status == 200, await answer.text()


async def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill in the form that is shown, and send it."""
    await page.get_by_label("E-mail address").fill(email)
    await password_field(page).fill(password)
    await page.get_by_role("button", name="Sign in").click()


def password_field(page: Page) -> Locator:
    return page.get_by_label("Password", exact=True)


def devices(page: Page) -> Locator:
    """The rows of the devices one is signed in on."""
    return page.get_by_role("list", name="Your devices").get_by_role("listitem")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def menu_item(page: Page, name: str) -> Locator:
    return page.get_by_role("menuitem", name=name, exact=True)


def toast(page: Page, text: str) -> Locator:
    return page.get_by_role("region", name="Notifications").get_by_text(text, exact=True)


async def expect_rows(page: Page, *names: str) -> None:
    """Check which devices are listed, these alone and in this order."""
    await expect(devices(page)).to_have_count(len(names))
    await expect(devices(page)).to_contain_text(list(names))


async def expect_login(page: Page, alert: str | None = None) -> None:
    """Check that the login page is shown, and what it says about why."""
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    alerts = page.get_by_role("alert")
    await expect(alerts).to_have_text([alert] if alert else [])
