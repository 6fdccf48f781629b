"""The language that a browser asks for."""

from __future__ import annotations

import re

_RANGE = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{2}))?(?:-[A-Za-z0-9-]+)?(?:\s*;\s*q=([01](?:\.\d{1,3})?))?")


def preferred_language(accept_language: str | None) -> str | None:
    """Return the preferred language of an Accept-Language header (RFC 9110, 12.5.4), like `de` or `fr-CA`."""
    found: list[tuple[float, str]] = []
    for part in (accept_language or "")[:500].split(","):
        match = _RANGE.fullmatch(part.strip())
        if match and float(match[3] or 1) > 0:
            language = match[1].lower() + (f"-{match[2].upper()}" if match[2] else "")
            found.append((float(match[3] or 1), language))
    return max(found, key=lambda each: each[0])[1] if found else None
