"""Device names and kinds, parsed from user agents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.sessions.device import parse_device

MOZILLA = "Mozilla/5.0 "
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko) "
APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "


@pytest.mark.parametrize(
    ("user_agent", "label", "kind"),
    [
        (
            f"{MOZILLA}(Windows NT 10.0; Win64; x64) {WEBKIT}Chrome/141.0.0.0 Safari/537.36",
            "Chrome on Windows",
            "desktop",
        ),
        (
            f"{MOZILLA}(Windows NT 10.0; Win64; x64) {WEBKIT}Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
            "Edge on Windows",
            "desktop",
        ),
        (f"{MOZILLA}(Macintosh; Intel Mac OS X 10_15_7) {APPLE}Safari/605.1.15", "Safari on macOS", "desktop"),
        (f"{MOZILLA}(X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox on Linux", "desktop"),
        (
            f"{MOZILLA}(X11; CrOS x86_64 14541.0.0) {WEBKIT}Chrome/141.0.0.0 Safari/537.36",
            "Chrome on ChromeOS",
            "desktop",
        ),
        (
            f"{MOZILLA}(iPhone; CPU iPhone OS 18_5 like Mac OS X) {APPLE}Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
            "mobile",
        ),
        (f"{MOZILLA}(iPad; CPU OS 17_5 like Mac OS X) {APPLE}Mobile/15E148 Safari/604.1", "Safari on iPad", "tablet"),
        (
            f"{MOZILLA}(Linux; Android 10; K) {WEBKIT}Chrome/141.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
            "mobile",
        ),
        (f"{MOZILLA}(Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0", "Firefox on Android", "mobile"),
        (f"{MOZILLA}(compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot", "bot"),
        ("curl/8.5.0", "curl", "unknown"),
        ("nonsense", "Unknown device", "unknown"),
        ("", "Unknown device", "unknown"),
        (None, "Unknown device", "unknown"),
    ],
)
def test_user_agents_become_a_label_and_a_kind(user_agent: str | None, label: str, kind: str) -> None:
    device = parse_device(user_agent)
    assert device.label == label
    assert device.kind == kind


@given(st.text(max_size=600) | st.binary(max_size=600).map(lambda raw: raw.decode("latin-1")))
def test_any_user_agent_has_a_label(user_agent: str) -> None:
    assert parse_device(user_agent).label


def test_only_the_first_512_characters_are_parsed() -> None:
    assert parse_device(" " * 5 + "x" * 512 + " Chrome/141.0.0.0").browser is None
