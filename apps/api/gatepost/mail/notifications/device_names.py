"""The names of browsers and operating systems that emails may contain.

A User-Agent header can contain any text, and its parser takes some names from it as they are. A name that is not listed
here is "unknown" in an email, so that nobody can write to a user by signing in with a made-up browser.
"""

from __future__ import annotations

_BROWSERS = frozenset(
    {
        "Android", "Apache-HttpClient", "Brave", "Chrome", "Chromium", "DuckDuckGo", "DuckDuckGo Mobile", "Edge",
        "Firefox", "Go-http-client", "IE", "Opera", "Opera Mini", "Python Requests", "QQ Browser", "Safari",
        "Samsung Internet", "UC Browser", "Vivaldi", "Whale", "Yandex Browser", "curl", "okhttp",
    }
)  # fmt: skip
_SYSTEMS = frozenset(
    {
        "Android", "ChromeOS", "Chromecast", "Debian", "Fedora", "FreeBSD", "HarmonyOS", "Linux", "NetBSD", "OpenBSD",
        "Tizen", "Ubuntu", "Windows", "iOS", "iPad", "iPhone", "iPod", "macOS", "tvOS", "watchOS", "webOS",
    }
)  # fmt: skip


def browser_name(parsed: str | None) -> str | None:
    """Return the name of a browser if it is a known one, else None."""
    return parsed if parsed in _BROWSERS else None


def system_name(parsed: str | None) -> str | None:
    """Return the name of an operating system if it is a known one, else None."""
    return parsed if parsed in _SYSTEMS else None
