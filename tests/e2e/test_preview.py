"""The live preview: rendered by the server, in an iframe where the email cannot run, load or send anything."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from playwright.async_api import FrameLocator, Locator, Page, Route, expect

from tests.support import Service, running_service
from tests.support.browser.pages import Visitors, button, create_admin, tab

EDITOR = "/settings/email-templates/welcome?panel=preview"
PREVIEW = "**/v1/settings/email-templates/*/preview**"


def frame(page: Page) -> FrameLocator:
    """The frame that is shown; the one that is loading has no title."""
    return page.frame_locator('iframe[title^="Preview of"]')


def inbox(page: Page) -> Locator:
    return page.get_by_role("region", name="In an inbox")


class Attacker:
    """A server on another origin that records requests."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readline()
        self.requests.append(request.decode(errors="replace").strip())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def attacker() -> AsyncIterator[Attacker]:
    recorder = Attacker()
    server = await asyncio.start_server(recorder.answer, "127.0.0.1", 0)
    recorder.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield recorder


def hostile(url: str) -> str:
    """Return HTML that tries everything an email could try, each with its own URL."""
    mark = "try { parent.marked = true; parent.document.title = 'marked' } catch (e) {}"
    return f"""<!doctype html><meta http-equiv="refresh" content="0; url={url}/refresh">
        <link rel="stylesheet" href="{url}/style"><style>@import url({url}/import); p {{ background: url({url}/css) }}
        @font-face {{ font-family: f; src: url({url}/font) }} p {{ font-family: f }}</style>
        <h1>Hostile</h1><p>text</p>
        <script>{mark} fetch("{url}/script"); top.location = "{url}/top"</script>
        <script src="{url}/external"></script>
        <img src="data:x" onerror="{mark} fetch('{url}/handler')"><svg onload="fetch('{url}/svg')"></svg>
        <iframe src="{url}/iframe"></iframe><object data="{url}/object"></object>
        <video src="{url}/video" autoplay></video>
        <form action="{url}/form" method="post"><button>Send</button></form>
        <a id="script" href="javascript:{mark.replace('"', "'")}fetch('{url}/link')">Run</a>
        <a id="away" href="{url}/away">Away</a> <a id="top" target="_top" href="{url}/link-top">Top</a>
        <a id="new" target="_blank" href="{url}/new">New</a>"""


async def inject_html(page: Page, html: str) -> None:
    """Make the server answer the preview form with that HTML, under its usual headers."""

    async def answer(route: Route) -> None:
        if route.request.is_navigation_request():
            response = await route.fetch()
            await route.fulfill(response=response, body=html)
        else:
            await route.fallback()

    await page.route(PREVIEW, answer)


# The browser's messages about what it blocked.
BLOCKED = (
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


async def test_a_hostile_email_can_do_nothing(service: Service, visitors: Visitors) -> None:
    """Not even if the renderer, which rejects all of it, let it pass."""
    boss = await create_admin(service)
    async with attacker() as server:
        page = await visitors.signed_in(service, boss, None)
        await inject_html(page, hostile(server.url))
        await page.goto(EDITOR)
        hostile_mail = frame(page).get_by_role("heading", name="Hostile")
        await expect(hostile_mail).to_be_visible()
        for name in ("Send", "Run", "Top", "New", "Away"):
            await frame(page).get_by_text(name, exact=True).press("Enter")
        async with asyncio.timeout(15):
            while missing := [each for each in BLOCKED if not was_reported(visitors, each.format(url=server.url))]:
                assert missing
                await page.wait_for_event("console")
        await expect(hostile_mail).to_be_visible()
        assert server.requests == []
        assert await page.evaluate("[window.marked, document.title.includes('marked')]") == [None, False]
        assert page.url.endswith(EDITOR)
        assert len(page.context.pages) == 1
        await page.close()
    visitors.errors.clear()


async def test_hostile_html_is_not_rendered(service: Service, visitors: Visitors) -> None:
    boss = await create_admin(service)
    async with attacker() as server:
        page = await visitors.signed_in(service, boss, None)
        await override_default(page, html=hostile(server.url))
        await page.goto(EDITOR)
        await expect(page.get_by_role("region", name="Preview")).to_contain_text("The template has errors.")
        await expect(page.locator("iframe")).to_have_count(0)
        assert server.requests == []


async def test_the_email_is_shown_in_several_views(service: Service, visitors: Visitors) -> None:
    boss = await create_admin(service)
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


async def test_the_preview_survives_an_expired_token(database_url: str, visitors: Visitors) -> None:
    async with running_service(database_url, access_token_ttl=timedelta(seconds=3)) as service:
        page = await visitors.signed_in(service, await create_admin(service), EDITOR)
        heading = frame(page).get_by_role("heading").first
        await expect(heading).to_be_visible()
        async with asyncio.timeout(15):
            while (await page.request.get("/v1/me")).status == 200:
                await asyncio.sleep(0.05)
        await tab(page, "Gmail dark").click()
        await expect(frame(page).locator("html")).to_have_css("filter", re.compile("invert"))
        await expect(heading).to_be_visible()


async def test_the_preview_stays_while_the_browser_is_offline(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_admin(service), EDITOR)
    heading = frame(page).get_by_role("heading").first
    await expect(heading).to_be_visible()
    # Make the last answer too old for a request without another check.
    await page.evaluate("const { now } = Date; Date.now = () => now() + 10_000")
    await page.context.set_offline(True)
    await tab(page, "Gmail dark").click()
    await expect(page.get_by_text("This view could not be loaded.")).to_be_visible()
    await expect(heading).to_be_visible()
    await page.context.set_offline(False)
    await button(page, "Try again").click()
    await expect(frame(page).locator("html")).to_have_css("filter", re.compile("invert"))


def was_reported(visitors: Visitors, of: str) -> bool:
    return any(of in each for each in visitors.errors)


async def override_default(page: Page, **parts: str) -> None:
    """Replace parts of the built-in template in the server's answers."""

    async def answer(route: Route) -> None:
        response = await route.fetch()
        template = await response.json()
        template["default"] |= parts
        template["current"] |= parts
        await route.fulfill(response=response, json=template)

    await page.route("**/v1/settings/email-templates/welcome?**", answer)
    await page.route("**/v1/settings/email-templates/welcome", answer)
