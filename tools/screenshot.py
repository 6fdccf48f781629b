"""Take the screenshots of the README: a real service with the demo data, in a real browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chromium import FLAGS, chromium
from playwright.sync_api import Browser, Page, sync_playwright

from gatepost.cli.demo import ADMIN, USER

DOCS = Path(__file__).resolve().parents[1] / "docs"


def main() -> None:
    """Start the service and the browser, and write the screenshots."""
    with demo_service() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        devices(browser, url, DOCS / "devices.png")
        editor(browser, url, DOCS / "editor.png")
        browser.close()


@contextmanager
def demo_service() -> Iterator[str]:
    """Run a service with the demo data, in a data directory of its own, for the length of a block. Yields its URL."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        environment = {"PATH": os.environ["PATH"], "GATEPOST_DATA_DIR": f"{directory}/data"}
        command = [str(Path(sys.executable).with_name("gatepost")), "serve", "--demo", "--port", "0"]
        with subprocess.Popen(  # noqa: S603
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as service:
            try:
                yield url_of(service)
            finally:
                service.terminate()


def url_of(service: subprocess.Popen[str]) -> str:
    """Return the URL that the service prints when it is ready.

    Raises:
        RuntimeError: It ended without printing one.
    """
    for line in service.stdout or ():
        if url := re.search(r"http://\S+", line):
            return url[0]
    raise RuntimeError("The service did not start. Run `make run` to see why.")


def sign_in(page: Page, url: str) -> None:
    """Sign in as the demo user and wait for the Devices page."""
    open_signed_in(page, f"{url}/devices", USER)
    page.get_by_text("This device", exact=True).wait_for()


def open_signed_in(page: Page, url: str, account: tuple[str, str]) -> None:
    """Open a page that requires a sign-in, and sign in with this email address and password."""
    page.goto(url)
    page.locator("input[type=email]").fill(account[0])
    page.get_by_label("Password", exact=True).fill(account[1])
    page.get_by_role("button", name="Sign in", exact=True).click()


def devices(browser: Browser, url: str, target: Path) -> None:
    """Take a screenshot of the Devices page."""
    page = browser.new_page(viewport={"width": 960, "height": 620}, device_scale_factor=2)
    sign_in(page, url)
    screenshot(page, target)


def editor(browser: Browser, url: str, target: Path) -> None:
    """Take a screenshot of the template editor."""
    page = browser.new_page(viewport={"width": 1280, "height": 860}, device_scale_factor=2)
    open_signed_in(page, f"{url}/settings/email-templates/new-invoice", ADMIN)
    page.frame_locator("iframe:visible").get_by_role("heading", name="Invoice").first.wait_for()
    screenshot(page, target)


def screenshot(page: Page, target: Path) -> None:
    """Write a screenshot, with the pointer moved out of the way, and close the page."""
    page.mouse.move(0, 0)
    page.screenshot(path=target)
    page.close()
    print(f"Wrote {target.name}")


if __name__ == "__main__":
    main()
