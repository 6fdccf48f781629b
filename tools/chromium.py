"""The browser of the benchmarks and the screenshots: Chromium by `CHROMIUM_PATH`, PATH or Debian's package."""

from __future__ import annotations

import os
import shutil
import sys

_NAMES = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
FLAGS = (
    *("--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run"),
    # Chromium refuses its sandbox to root.
    *(("--no-sandbox",) if os.geteuid() == 0 else ()),
)


def chromium() -> str:
    """Return the path of Chromium; without one, end with a line that says how to get it."""
    named = os.environ.get("CHROMIUM_PATH")
    found = named or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        sys.exit("no Chromium: apt install chromium-headless-shell, or set CHROMIUM_PATH")
    return found
