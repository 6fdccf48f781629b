"""axe, the accessibility checker, on what a page shows: light and dark, on a wide and on a narrow screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Page, ViewportSize

SCRIPT = Path(__file__).parents[3] / "apps/web/node_modules/axe-core/axe.min.js"
SCREENS: list[ViewportSize] = [{"width": 1280, "height": 900}, {"width": 320, "height": 640}]

_ALL_RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
_COLOR_RULES = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
_SETTLE = """async () => {
  for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
  await Promise.allSettled(document.getAnimations().map(animation => animation.finished));
}"""
# Base UI's focus guards pass the focus on as soon as they get it, which axe cannot know.
_RUN = """async runOnly => {
  const context = { include: document, exclude: "[data-base-ui-focus-guard]" };
  const { violations } = await axe.run(context, { iframes: false, runOnly });
  return violations.map(({ id, nodes }) => [id, ...nodes.map(node => node.html + " " + node.failureSummary)]);
}"""


async def check_accessibility(page: Page) -> None:
    """Expect no violation of WCAG 2.2 AA and no horizontal scrolling, in both themes and on both screens."""
    violations: list[Any] = []
    for screen in SCREENS:
        await page.set_viewport_size(screen)
        await page.evaluate(_SETTLE)
        overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{overflow} px too wide for {screen['width']}"
        # The dark theme differs in its colors only.
        for theme, rules in (("light", _ALL_RULES), ("dark", _COLOR_RULES)):
            await page.emulate_media(color_scheme="light" if theme == "light" else "dark")
            await page.evaluate(_SETTLE)
            found = await page.evaluate(_RUN, rules)
            violations += [(theme, screen["width"], *violation) for violation in found]
    assert violations == []
