"""The client's address, believed only as far as the proxies on the way are."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAX_HOPS = 32


def client_address(peer: str | None, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> Address | None:
    """Return where a request comes from, or None when that cannot be known (a Unix socket, say).

    `forwarded_for` holds the `X-Forwarded-For` headers in their order. Each proxy appends whom it heard from, so the
    list is read from its end, as long as the one who wrote the entry is trusted; what stands before is hearsay.
    """
    address = _parse(peer)
    hops = [hop for header in forwarded_for for hop in header.split(",")]
    for hop in reversed(hops[-_MAX_HOPS:]):
        if address is None or not _is_trusted(address, trusted):
            break
        named = _parse(hop)
        if named is None:
            break
        address = named
    return address


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


def _parse(text: str | None) -> Address | None:
    if not text:
        return None
    host = text.strip()
    if host.startswith("["):  # [2001:db8::1]:4711
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:  # 192.0.2.1:4711
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
