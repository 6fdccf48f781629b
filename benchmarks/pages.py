"""Measure the pages in a real browser, on loopback, with the CPU throttled to a quarter.

LCP and CLS are measured by the browser (web.dev/vitals). "sign-out" is the time from the click on "Sign out" to the
next frame without that device.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

from chromium import FLAGS, chromium
from screenshot import demo_service, sign_in

_SLOWDOWN = 4
_ROUNDS = 5

_OBSERVE = """
window.vitals = { lcp: 0, cls: 0 };
new PerformanceObserver((list) => { for (const e of list.getEntries()) vitals.lcp = e.startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) vitals.cls += e.value; })
  .observe({ type: "layout-shift", buffered: true });
"""

_SIGN_OUT = """
() => new Promise((resolve) => {
  const rows = () => document.querySelectorAll("ul[aria-label='Your devices'] > li").length;
  const before = rows();
  const began = performance.now();
  document.querySelector("ul[aria-label='Your devices'] > li:nth-child(2) [data-sign-out]").click();
  const look = () => rows() < before ? resolve(performance.now() - began) : requestAnimationFrame(look);
  requestAnimationFrame(look);
})
"""


def throttled_page(browser: Browser) -> Page:
    """Return a page in a new browser context with a throttled CPU."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.add_init_script(_OBSERVE)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": _SLOWDOWN})
    return page


def measure(browser: Browser, url: str) -> dict[str, float]:
    """Return the figures of one round: milliseconds, and the layout shift, which has no unit."""
    page = throttled_page(browser)
    page.goto(f"{url}/login")
    page.locator("input[type=email]").wait_for()
    login = page.evaluate("() => new Promise((done) => setTimeout(() => done(vitals.lcp), 300))")
    sign_in(page, url)
    page.goto(f"{url}/devices")
    page.get_by_text("This device", exact=True).wait_for()
    devices = page.evaluate("() => new Promise((done) => setTimeout(() => done(vitals), 300))")
    sign_out = page.evaluate(_SIGN_OUT)
    page.context.close()
    return {"login LCP": login, "devices LCP": devices["lcp"], "devices CLS": devices["cls"], "sign-out": sign_out}


def main() -> None:
    """Measure and print the figures beside their budgets. A budget that is exceeded is no failure."""
    budgets = {"login LCP": 1800, "devices LCP": 1800, "devices CLS": 0.05, "sign-out": 100}
    with demo_service() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        rounds = [measure(browser, url) for _ in range(_ROUNDS)]
        browser.close()
    print(f"pages on loopback, CPU throttled {_SLOWDOWN} times, medians of {_ROUNDS} rounds, min-max\n")
    for name, budget in budgets.items():
        values = sorted(each[name] for each in rounds)
        unit = "" if name.endswith("CLS") else " ms"
        digits = 3 if name.endswith("CLS") else 0
        print(
            f"{name:12} {median(values):8.{digits}f}{unit}   {values[0]:.{digits}f}-{values[-1]:.{digits}f}"
            f"   (budget {budget}{unit})"
        )


if __name__ == "__main__":
    main()
