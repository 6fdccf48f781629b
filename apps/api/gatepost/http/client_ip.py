"""The client's IP address, from the connection and the headers of trusted proxies."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address

from gatepost.types import IPAddress, IPNetwork

_MAX_HOPS = 32


def resolve_client_ip(
    peer: str | None, forwarded_for: Sequence[str], trusted_proxies: Sequence[IPNetwork]
) -> IPAddress | None:
    """Return the IP address that a request comes from, or None if it is unknown (a Unix socket, for example).

    `forwarded_for` holds the `X-Forwarded-For` headers in order. Each proxy appends the IP address that it received
    the request from, so the list is read from its end for as long as the previous hop is a trusted proxy. Everything
    before that can be forged by the client and is ignored.
    """
    client = _parse(peer)
    hops = [hop for header in forwarded_for[-_MAX_HOPS:] for hop in header.rsplit(",", _MAX_HOPS)[-_MAX_HOPS:]]
    for hop in reversed(hops[-_MAX_HOPS:]):
        if client is None or not any(client in network for network in trusted_proxies):
            break
        previous = _parse(hop)
        if previous is None:
            break
        client = previous
    return client


def _parse(text: str | None) -> IPAddress | None:
    if not text:
        return None
    host = text.strip()
    if host.startswith("["):  # [2001:db8::1]:4711
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:  # 192.0.2.1:4711
        host = host.partition(":")[0]
    try:
        ip = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        return ip.ipv4_mapped
    return ip
