"""Takes the README's pictures anew: a real service with the demo data, a real browser."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chromium import FLAGS, chromium
from playwright.sync_api import Browser, Page, sync_playwright

from gatepost.cli.demo import ADMIN, PERSON

DOCS = Path(__file__).resolve().parents[1] / "docs"


def main() -> None:
    """Start the service, take the pictures, stop the service."""
    with demo_service() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        devices(browser, address, DOCS / "devices.png")
        editor(browser, address, DOCS / "editor.png")
        browser.close()


@contextmanager
def demo_service() -> Iterator[str]:
    """Have a service with the demo data, on data of its own, and give its address."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        environment = {"PATH": os.environ["PATH"], "GATEPOST_DATA_DIR": f"{directory}/data"}
        command = [str(Path(sys.executable).with_name("gatepost")), "serve", "--demo", "--port", "0"]
        with subprocess.Popen(  # noqa: S603
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as service:
            try:
                yield address_of(service)
            finally:
                service.terminate()


def address_of(service: subprocess.Popen[str]) -> str:
    """Return the address that the service prints once it listens."""
    for line in service.stdout or ():
        if "listens on" in line:
            return line.split()[-1]
    raise RuntimeError("the service did not start")


def sign_in(page: Page, address: str) -> None:
    """Sign the demo person in and wait for their devices."""
    enter(page, f"{address}/devices", PERSON)
    page.get_by_text("This device", exact=True).wait_for()


def enter(page: Page, url: str, who: tuple[str, str]) -> None:
    """Go to a page that asks one to sign in first."""
    page.goto(url)
    page.get_by_label("E-mail address").fill(who[0])
    page.get_by_label("Password", exact=True).fill(who[1])
    page.get_by_role("button", name="Sign in", exact=True).click()


def devices(browser: Browser, address: str, target: Path) -> None:
    """Take a picture of the Devices page."""
    page = browser.new_page(viewport={"width": 960, "height": 620}, device_scale_factor=2)
    sign_in(page, address)
    picture(page, target)


def editor(browser: Browser, address: str, target: Path) -> None:
    """Take a picture of a template that is being changed."""
    page = browser.new_page(viewport={"width": 1280, "height": 860}, device_scale_factor=2)
    enter(page, f"{address}/settings/email-templates/new-invoice", ADMIN)
    page.frame_locator("iframe:visible").get_by_role("heading", name="Invoice").first.wait_for()
    picture(page, target)


def picture(page: Page, target: Path) -> None:
    """Take a picture, the pointer out of the way."""
    page.mouse.move(0, 0)
    page.screenshot(path=target)
    page.close()
    print(f"wrote {target.name}")


if __name__ == "__main__":
    main()
