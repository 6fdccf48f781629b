"""How typing feels in the template editor: a 100 KB draft on the page of a real service, in a real browser.

From a keystroke to the end of the frame that shows it, without the wait for the screen's next refresh; beside it the
same in a plain textarea with the same words, which is the least that this browser can do.
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
_STROKE = 16.0
_PREVIEW = 600.0
_ROUNDS = 7
_SECTION = """<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
  <tr>
    <td style="padding: 24px 32px 8px; font-family: Helvetica, Arial, sans-serif; font-size: 16px; line-height: 24px">
      <h2 style="margin: 0 0 12px; font-size: 20px; line-height: 28px">What is new in your account</h2>
      <p style="margin: 0 0 12px">Hello {{ client_name }}, here is what has changed since your last invoice: you can pay
        by card, by transfer and by direct debit, and every invoice tells which of them was used.</p>
      <p style="margin: 0 0 24px"><a href="https://www.acme.com/news/payments" style="color: #0f5c4d">Read more</a></p>
    </td>
  </tr>
</table>
"""
_ROW = "<tr><td>{{ client_name }}</td><td>{{ amount_due }}</td></tr>\n"
_WORDS = "The quick brown fox jumps over the lazy dog, and the dog sleeps on. "
_PLACE = "Write here:"
# Frames come when they are ready: else every figure would hold up to 16 ms of waiting for the screen.
_UNPACED = ("--disable-frame-rate-limit", "--disable-gpu-vsync")

# A task that is queued in a frame's callback runs after the frame is painted.
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


def big() -> str:
    """Return HTML of the wanted size like that of a newsletter, with a place to write in the middle."""
    half = _SECTION * (_SIZE // len(_SECTION) // 2 + 1)
    return f"{half}<p>{_PLACE} </p>\n{half}"


def drafted(page: Page, address: str, html: str | None) -> None:
    """Sign the admin in and save a draft: this HTML, else the built-in words with a place to write."""
    headers = {"Origin": address}
    who = {"email": ADMIN[0], "password": ADMIN[1], "transport": "cookie"}
    page.request.post(f"{address}/v1/auth/login", data=who, headers=headers)
    template = f"{address}/v1/settings/email-templates/{_TEMPLATE}"
    stands = page.request.get(template).json()
    source = stands["default"]
    source["html"] = html or f"{source['html']}<p>{_PLACE} </p>\n"
    words = {part: source[part] for part in ("subject", "preheader", "html", "text")}
    headers |= {"If-Match": "*"}
    answer = page.request.put(f"{template}/draft", data=words, headers=headers)
    if not answer.ok:
        raise RuntimeError(answer.text())


def typed(page: Page) -> list[float]:
    """Type where the focus is; return each keystroke's milliseconds."""
    page.keyboard.press("ArrowRight")
    page.keyboard.type(_WORDS, delay=60)
    page.evaluate("strokes.length = 0")
    page.keyboard.type(_WORDS * 2, delay=60)
    page.wait_for_function("(most) => strokes.length >= most", arg=len(_WORDS) * 2)
    return list(page.evaluate("strokes"))


def previewed(page: Page) -> list[float]:
    """Type a word several times; return the milliseconds from its last key until a frame shows the new preview."""
    waits = []
    for _ in range(_ROUNDS):
        page.evaluate("window.shown = 0")
        page.keyboard.type("Word ", delay=60)
        page.wait_for_function("() => window.shown > window.pressed")
        waits.append(page.evaluate("window.shown - window.pressed"))
    return waits


def editing(browser: Browser, address: str, html: str | None) -> tuple[list[float], list[float]]:
    """Return the strokes in the editor, and the waits for the preview."""
    page = opened(browser)
    drafted(page, address, html)
    page.goto(f"{address}/settings/email-templates/{_TEMPLATE}")
    page.get_by_role("textbox", name="HTML").focus()
    page.keyboard.press("Control+f")
    page.keyboard.type(f"{_PLACE}\n")
    page.keyboard.press("Escape")
    strokes = typed(page)
    waits = previewed(page)
    page.context.close()
    return strokes, waits


def plain(browser: Browser, address: str) -> list[float]:
    """Return the strokes in a textarea."""
    page = opened(browser)
    page.goto(f"{address}/login")
    page.evaluate(
        """([words, place]) => {
            document.body.innerHTML = '<textarea aria-label="Plain" rows="30" cols="100"></textarea>';
            const field = document.querySelector('textarea');
            field.value = words;
            field.focus();
            field.setSelectionRange(words.indexOf(place), words.indexOf(place) + place.length);
        }""",
        [big(), _PLACE],
    )
    strokes = typed(page)
    page.context.close()
    return strokes


def opened(browser: Browser) -> Page:
    """Return a page of a fresh profile that takes the time."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.add_init_script(_OBSERVE)
    return page


def main() -> None:
    """Measure and print; the budgets stand beside the figures, and nothing fails."""
    with demo_service() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, *_UNPACED])
        measured = {"a textarea": plain(browser, address)}
        waits = {}
        for name, html in (("an invoice", None), (f"{_SIZE // 1000} KB", big())):
            measured[name], waits[name] = editing(browser, address, html)
        browser.close()
    print(f"keystroke to paint; budget {_STROKE:.0f} ms\n")
    least = median(measured["a textarea"])
    for name, strokes in measured.items():
        over = sum(stroke > _STROKE for stroke in strokes) / len(strokes)
        print(
            f"{name:10} median {median(strokes):6.1f} ms   p95 {quantiles(strokes, n=20)[-1]:6.1f} ms"
            f"   {over:4.0%} over the budget   {median(strokes) / least:.1f} times as long as there"
        )
    print(f"\nlast key to the new preview; budget {_PREVIEW:.0f} ms\n")
    for name, each in waits.items():
        print(f"{name:10} median {median(each):6.0f} ms   {min(each):.0f}-{max(each):.0f}")


if __name__ == "__main__":
    main()
