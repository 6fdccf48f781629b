"""Measure typing in the template editor: a small and a 100 KB draft, on the page of a real service, in a real browser.

From a keystroke to the end of the frame that shows it, without waiting for the next screen refresh. The baseline is a
plain textarea with the same text, the fastest that this browser can be.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

from chromium import FLAGS, chromium
from screenshot import demo_service

from gatepost.cli.demo import ADMIN

_TEMPLATE = "new-invoice"
_SIZE = 100_000
_STROKE_BUDGET = 16.0
_PREVIEW_BUDGET = 600.0
_ROUNDS = 7
_SECTION = """<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
  <tr>
    <td style="padding: 24px 32px 8px; font-family: Helvetica, Arial, sans-serif; font-size: 16px; line-height: 24px">
      <h2 style="margin: 0 0 12px; font-size: 20px; line-height: 28px">What is new in your account</h2>
      <p style="margin: 0 0 12px">Hello {{ client_name }}, here is what has changed since your last invoice: you can pay
        by card, by transfer and by direct debit, and every invoice shows which of them was used.</p>
      <p style="margin: 0 0 24px"><a href="https://www.acme.com/news/payments" style="color: #0f5c4d">Read more</a></p>
    </td>
  </tr>
</table>
"""
_ROW = "<tr><td>{{ client_name }}</td><td>{{ amount_due }}</td></tr>\n"
_SENTENCE = "The quick brown fox jumps over the lazy dog, and the dog sleeps on. "
_MARKER = "Write here:"
# Frames are painted as soon as they are ready. Otherwise every figure would include up to 16 ms of waiting.
_UNPACED = ("--disable-frame-rate-limit", "--disable-gpu-vsync")

# A task queued in the callback of a frame runs after that frame is painted.
_OBSERVE = """
window.strokes = [];
document.addEventListener("load", ({ target }) => {
  if (target.tagName === "IFRAME") shown = performance.now();
}, true);
addEventListener("keydown", (event) => { pressed = event.timeStamp; }, { capture: true });
addEventListener("keydown", (event) => {
  if (event.key.length > 1) return;
  const began = event.timeStamp;
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => strokes.push(performance.now() - began);
    port2.postMessage(null);
  });
}, { capture: true });
"""


def newsletter() -> str:
    """Return the HTML of a long newsletter, with a marker in the middle where the typing starts."""
    half = _SECTION * (_SIZE // len(_SECTION) // 2 + 1)
    return f"{half}<p>{_MARKER} </p>\n{half}"


def save_draft(page: Page, url: str, html: str | None) -> None:
    """Sign in as the admin and save a draft: this HTML, or else the built-in template with a marker at its end."""
    headers = {"Origin": url}
    credentials = {"email": ADMIN[0], "password": ADMIN[1], "transport": "cookie"}
    page.request.post(f"{url}/v1/auth/login", data=credentials, headers=headers)
    template = f"{url}/v1/settings/email-templates/{_TEMPLATE}"
    source = page.request.get(template).json()["default"]
    source["html"] = html or f"{source['html']}<p>{_MARKER} </p>\n"
    content = {part: source[part] for part in ("subject", "preheader", "html", "text")}
    headers |= {"If-Match": "*"}
    response = page.request.put(f"{template}/draft", data=content, headers=headers)
    if not response.ok:
        raise RuntimeError(response.text())


def type_text(page: Page) -> list[float]:
    """Type at the caret and return the milliseconds of each keystroke."""
    page.keyboard.press("ArrowRight")
    page.keyboard.type(_SENTENCE, delay=60)
    page.evaluate("strokes.length = 0")
    page.keyboard.type(_SENTENCE * 2, delay=60)
    page.wait_for_function("(count) => strokes.length >= count", arg=len(_SENTENCE) * 2)
    return list(page.evaluate("strokes"))


def type_for_preview(page: Page) -> list[float]:
    """Type a word several times and return the milliseconds from its last key to the new preview."""
    waits = []
    for _ in range(_ROUNDS):
        page.evaluate("window.shown = 0")
        page.keyboard.type("Word ", delay=60)
        page.wait_for_function("() => window.shown > window.pressed")
        waits.append(page.evaluate("window.shown - window.pressed"))
    return waits


def measure_editor(browser: Browser, url: str, html: str | None) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each keystroke in the editor, and of each preview."""
    page = new_page(browser)
    save_draft(page, url, html)
    page.goto(f"{url}/settings/email-templates/{_TEMPLATE}")
    page.get_by_role("textbox", name="HTML").focus()
    page.keyboard.press("Control+f")
    page.keyboard.type(f"{_MARKER}\n")
    page.keyboard.press("Escape")
    strokes = type_text(page)
    waits = type_for_preview(page)
    page.context.close()
    return strokes, waits


def measure_textarea(browser: Browser, url: str) -> list[float]:
    """Return the milliseconds of each keystroke in a textarea."""
    page = new_page(browser)
    page.goto(f"{url}/login")
    page.evaluate(
        """([text, marker]) => {
            document.body.innerHTML = '<textarea aria-label="Plain" rows="30" cols="100"></textarea>';
            const field = document.querySelector('textarea');
            field.value = text;
            field.focus();
            field.setSelectionRange(text.indexOf(marker), text.indexOf(marker) + marker.length);
        }""",
        [newsletter(), _MARKER],
    )
    strokes = type_text(page)
    page.context.close()
    return strokes


def new_page(browser: Browser) -> Page:
    """Return a page in a new browser context that records keystrokes."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.add_init_script(_OBSERVE)
    return page


def main() -> None:
    """Measure and print the figures beside their budgets. A budget that is exceeded is no failure."""
    with demo_service() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, *_UNPACED])
        measured = {"a textarea": measure_textarea(browser, url)}
        waits = {}
        for name, html in (("an invoice", None), (f"{_SIZE // 1000} KB", newsletter())):
            measured[name], waits[name] = measure_editor(browser, url, html)
        browser.close()
    print(f"keystroke to paint, budget {_STROKE_BUDGET:.0f} ms\n")
    baseline = median(measured["a textarea"])
    for name, strokes in measured.items():
        over = sum(stroke > _STROKE_BUDGET for stroke in strokes) / len(strokes)
        print(
            f"{name:10} median {median(strokes):6.1f} ms   p95 {quantiles(strokes, n=20)[-1]:6.1f} ms"
            f"   {over:4.0%} over budget   {median(strokes) / baseline:.1f} times the textarea"
        )
    print(f"\nlast key to the new preview, budget {_PREVIEW_BUDGET:.0f} ms\n")
    for name, each in waits.items():
        print(f"{name:10} median {median(each):6.0f} ms   {min(each):.0f}-{max(each):.0f}")


if __name__ == "__main__":
    main()
