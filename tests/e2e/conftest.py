"""One browser for the whole run; a fresh service and fresh visitors for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from gatepost import package_files
from tests.support import Service, running_service
from tests.support.browser.axe import SCRIPT
from tests.support.browser.database_proxy import DatabaseProxy, running_proxy
from tests.support.browser.pages import Visitors

# The headless shell is the fastest.
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
    """Run these tests in the event loop of the browser."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The path of Chromium."""
    if given := os.environ.get("CHROMIUM_PATH"):
        found: str | None = given
    else:
        found = next(filter(None, map(shutil.which, _NAMES)), None)
    path = Path(found) if found else _FALLBACK
    if not path.is_file():
        pytest.fail("Chromium was not found: install chromium-headless-shell, or set CHROMIUM_PATH", pytrace=False)
    return path


@pytest.fixture(scope="session")
def built_pages() -> None:
    """Require the built pages."""
    if package_files.pages() is None:
        pytest.fail("The pages are not built: run npm --prefix apps/web run build", pytrace=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: Path, built_pages: None) -> AsyncIterator[Browser]:
    """The browser; each visitor has a context of their own."""
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*_ARGUMENTS, *as_root])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visitors(browser: Browser) -> AsyncIterator[Visitors]:
    """Opens pages in browsers of their own. Errors in these pages fail the test."""
    visitors = Visitors(browser)
    yield visitors
    await visitors.close()
    assert visitors.errors == []


@pytest_asyncio.fixture(loop_scope="session")
async def service(database_url: str) -> AsyncIterator[Service]:
    """The standalone service with the default settings, on a fresh database and in the browser's event loop."""
    async with running_service(database_url) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="session")
async def database_proxy(database_url: str) -> AsyncIterator[DatabaseProxy]:
    """The way to a fresh database, which a test can interrupt."""
    async with running_proxy(database_url) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe, for `add_init_script`."""
    return SCRIPT.read_text(encoding="utf-8")
