"""A real browser for the whole run; a fresh service, and fresh visitors, for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from gatepost import package_files as assets
from tests.e2e.outage import Cable, laid_cable
from tests.e2e.pages import Visitors
from tests.support import Service, running_service

# The first has no window around its pages, which costs a quarter of the whole.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_FALLBACK = Path("/usr/bin/chromium")
_ARGUMENTS = (
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests in one event loop, which the browser stays in."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Where Chromium is."""
    if given := os.environ.get("CHROMIUM_PATH"):
        found: str | None = given
    else:
        found = next(filter(None, map(shutil.which, _NAMES)), None)
    path = Path(found) if found else _FALLBACK
    if not path.is_file():
        pytest.fail("no Chromium: apt install chromium-headless-shell, or set CHROMIUM_PATH", pytrace=False)
    return path


@pytest.fixture(scope="session")
def built_pages() -> None:
    """Know that there are pages to look at."""
    if assets.pages() is None:
        pytest.fail("the browser tests need the built pages: npm --prefix apps/web run build", pytrace=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: Path, built_pages: None) -> AsyncIterator[Browser]:
    """The one browser; each visitor has a context of their own in it."""
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*_ARGUMENTS, *as_root])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visitors(browser: Browser) -> AsyncIterator[Visitors]:
    """Opens browsers for people; whatever their pages complained about fails the test."""
    visitors = Visitors(browser)
    yield visitors
    await visitors.leave()
    assert visitors.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def service(database_url: str) -> AsyncIterator[Service]:
    """The standalone service with the default settings, on a fresh database and in the browser's event loop."""
    async with running_service(database_url) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="session")
async def cable(database_url: str) -> AsyncIterator[Cable]:
    """The way to a fresh database, which can be cut and mended."""
    async with laid_cable(database_url) as cable:
        yield cable
