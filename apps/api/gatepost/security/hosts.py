"""The hosts that the service answers for (protection against DNS rebinding and forged Host headers)."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from gatepost.errors import HostNotAllowed
from gatepost.settings import Settings


class Hosts:
    """The host names and IP addresses of `ALLOWED_HOSTS`, without ports."""

    def __init__(self, settings: Settings) -> None:
        self._allowed = settings.hosts

    def allow(self, connection: HTTPConnection) -> bool:
        """Return whether a request is for one of them: it has one Host header, with one of these names."""
        given = [value for name, value in connection.scope["headers"] if name == b"host"]
        return len(given) == 1 and _without_port(given[0].decode("latin-1")) in self._allowed

    def check(self, connection: HTTPConnection) -> None:
        """Let a request pass only if it is for one of them (RFC 9110, 7.4).

        A page whose name was made to resolve to this machine has an origin of its own, but it can read what it requests
        from it. The name in the Host header shows that.

        Raises:
            HostNotAllowed: it is for another host.
        """
        if not self.allow(connection):
            raise HostNotAllowed


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
