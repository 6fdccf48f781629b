"""Uvicorn's own handling of `X-Forwarded-For`, which comes before ours and trusts others than `TRUSTED_PROXIES`.

With `proxy_headers`, its default, uvicorn replaces the client of a request by what the header says if the connection
comes from `FORWARDED_ALLOW_IPS`, by default 127.0.0.1. The peer is lost then. What uvicorn wrote is believed only if
every proxy that it trusts is one of `TRUSTED_PROXIES`; otherwise the client's IP address is unknown.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from gatepost import log
from gatepost.types import IPNetwork

if TYPE_CHECKING:
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_MAX_HEADERS = 32
_MAX_CHARACTERS = 4096

logger = log.get_logger()


class ForwardingServer:
    """The server's own handling of forwarded headers."""

    def __init__(self, middleware: ProxyHeadersMiddleware, trusted_proxies: Sequence[IPNetwork]) -> None:
        self._trusted = middleware.trusted_hosts
        everybody = [ip_network("0.0.0.0/0"), ip_network("::/0")]
        peers: Iterable[IPNetwork] = (
            everybody
            if self._trusted.always_trust
            else (*map(ip_network, self._trusted.trusted_hosts), *self._trusted.trusted_networks)
        )
        self.more_trusting_than_us = sorted(
            str(peer) for peer in peers if not any(_contains(network, peer) for network in trusted_proxies)
        )

    def has_replaced_client(self, connection: HTTPConnection, forwarded_for: Sequence[str]) -> bool:
        """Return whether the client of a request is what the server read from the header."""
        if not forwarded_for or connection.client is None:
            return False
        if len(forwarded_for) > _MAX_HEADERS or any(len(each) > _MAX_CHARACTERS for each in forwarded_for):
            # Too long to compare: it is not from a proxy, and nothing in it is believed.
            return True
        return self._trusted.get_trusted_client_address(", ".join(forwarded_for)) == tuple(connection.client)


def find_forwarding_server(trusted_proxies: Sequence[IPNetwork]) -> ForwardingServer | None:
    """Return the server's handling of forwarded headers, or None if it has none; log if it trusts others than we do.

    To be called while the app starts: the middleware of uvicorn is then one of the callers.
    """
    # Not imported: where another server runs, there is nothing to find.
    uvicorn = sys.modules.get("uvicorn.middleware.proxy_headers")
    if uvicorn is None:
        return None
    frame = sys._getframe()  # noqa: SLF001 - the server offers no other way to ask
    while frame := frame.f_back:  # type: ignore[assignment]
        middleware = frame.f_locals.get("self") if frame.f_code.co_name == "__call__" else None
        if isinstance(middleware, uvicorn.ProxyHeadersMiddleware):
            server = ForwardingServer(middleware, trusted_proxies)
            if server.more_trusting_than_us:
                logger.warning(
                    "uvicorn trusts X-Forwarded-For from others than GATEPOST_TRUSTED_PROXIES: IP addresses from it "
                    "are not used. Start uvicorn with --no-proxy-headers, or set both to the same proxies",
                    uvicorn=server.more_trusting_than_us,
                    trusted_proxies=[str(network) for network in trusted_proxies],
                )
            return server
    return None


def _contains(network: IPNetwork, peer: IPNetwork) -> bool:
    return network.version == peer.version and peer.subnet_of(network)  # type: ignore[arg-type]
