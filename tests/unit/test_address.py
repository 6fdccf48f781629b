"""The client's address: believed only as far as the proxies are."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.http.client_ip import client_address

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["6.6.6.6, nonsense, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("2001:db8::1", ["[2001:470::9]:4711"], "2001:470::9"),
        ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        (None, ["203.0.113.9"], "None"),
        ("testclient", [], "None"),
    ],
)
def test_addresses(peer: str | None, forwarded: list[str], expected: str) -> None:
    assert str(client_address(peer, forwarded, TRUSTED)) == expected


@given(st.lists(st.text(max_size=80), max_size=5))
def test_whatever_is_forwarded_without_trust_changes_nothing(forwarded: list[str]) -> None:
    assert str(client_address("192.0.2.1", forwarded, TRUSTED)) == "192.0.2.1"


@given(st.lists(st.text(max_size=80), max_size=5))
def test_nonsense_is_never_an_error(forwarded: list[str]) -> None:
    assert client_address("10.0.0.1", forwarded, TRUSTED) is not None
