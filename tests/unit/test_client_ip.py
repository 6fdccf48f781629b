"""The client's IP address: forwarded headers count only where a trusted proxy sent them."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.http.client_ip import resolve_client_ip

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
def test_the_client_ip_is_the_last_address_that_is_not_a_trusted_proxy(
    peer: str | None, forwarded: list[str], expected: str
) -> None:
    assert str(resolve_client_ip(peer, forwarded, TRUSTED)) == expected


@given(st.lists(st.text(max_size=80), max_size=5))
def test_headers_of_an_untrusted_peer_are_ignored(forwarded: list[str]) -> None:
    assert str(resolve_client_ip("192.0.2.1", forwarded, TRUSTED)) == "192.0.2.1"


@given(st.lists(st.text(max_size=80), max_size=5))
def test_malformed_headers_never_raise(forwarded: list[str]) -> None:
    assert resolve_client_ip("10.0.0.1", forwarded, TRUSTED) is not None
