"""Types of fields and arguments that several packages share."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


def _require_time(value: Any) -> Any:
    # Pydantic would read a bare number as seconds since 1970.
    if isinstance(value, int | float):
        raise ValueError("must be a time like 2027-01-31T12:00:00Z")
    return value


# A time with an offset, as RFC 3339 writes it.
Timestamp = Annotated[AwareDatetime, BeforeValidator(_require_time)]


def without_nul(text: str) -> str:
    """Return a text as PostgreSQL can store and compare it: a space for each NUL character."""
    return text.replace("\0", " ")
