"""Devices: the kind, browser and operating system in a User-Agent header, by the names that users know."""

from __future__ import annotations

from functools import lru_cache

import user_agents
from user_agents.parsers import UserAgent

from gatepost.sessions.models import Device, DeviceKind

_MAX_CHARACTERS = 512
_UNKNOWN = Device(kind="unknown", browser=None, os=None)

_BROWSERS = {
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "Safari",
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Chrome",
    "HeadlessChrome": "Chrome",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Edge Mobile": "Edge",
    "Opera Mobile": "Opera",
}
_SYSTEMS = {"Mac OS X": "macOS", "Chrome OS": "ChromeOS"}
_APPLE_DEVICES = ("iPhone", "iPad", "iPod")


def parse_device(user_agent: str | None) -> Device:
    """Return the device in a User-Agent header. What cannot be recognized is unknown; any text is accepted."""
    text = (user_agent or "")[:_MAX_CHARACTERS].strip()
    return _parse(text) if text else _UNKNOWN


@lru_cache(maxsize=4096)
def _parse(text: str) -> Device:
    parsed = user_agents.parse(text)
    return Device(kind=_kind(parsed), browser=_browser(parsed), os=_system(parsed))


def _kind(parsed: UserAgent) -> DeviceKind:
    if parsed.is_bot:
        return "bot"
    if parsed.is_tablet:
        return "tablet"
    if parsed.is_mobile:
        return "mobile"
    return "desktop" if parsed.is_pc else "unknown"


def _browser(parsed: UserAgent) -> str | None:
    family = parsed.browser.family
    return None if family == "Other" else _BROWSERS.get(family, family)


def _system(parsed: UserAgent) -> str | None:
    if parsed.device.family in _APPLE_DEVICES:
        return str(parsed.device.family)
    family = parsed.os.family
    return None if family == "Other" else _SYSTEMS.get(family, family)
