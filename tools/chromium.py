"""Find the browser of the benchmarks, the screenshots and the browser tests: `CHROMIUM_PATH`, else Chromium on PATH."""

from __future__ import annotations

import os
import shutil
import sys

_NAMES = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
FLAGS = (
    *("--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run"),
    # Chromium does not start in its sandbox as root.
    *(("--no-sandbox",) if os.geteuid() == 0 else ()),
)


def chromium() -> str:
    """Return the path of Chromium.

    Raises:
        SystemExit: It is not installed. The message says how to install it.
    """
    if given := os.environ.get("CHROMIUM_PATH"):
        if found := shutil.which(given):
            return found
        sys.exit(f"CHROMIUM_PATH: {given} is not a program. Set it to the path of Chromium.")
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    sys.exit(
        "Chromium was not found. Install it (apt install chromium-headless-shell), or set CHROMIUM_PATH to its path."
    )


if __name__ == "__main__":
    print(chromium())
