"""The approximate location of IP addresses, from a database file that the operator provides."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import maxminddb

from gatepost import log
from gatepost.errors import ConfigurationError

_FALLBACK_LOCALE = "en"

logger = log.get_logger()


class GeoIp:
    """Looks up IP addresses in a file of the MaxMind DB format (2.0), such as GeoLite2-City or DB-IP City Lite."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the file; without one, every location is unknown.

        Raises:
            ConfigurationError: the file is missing, unreadable or not a MaxMind DB file.
        """
        try:
            self._reader = maxminddb.open_database(path) if path else None
        except OSError as error:
            raise ConfigurationError(f"GATEPOST_GEOIP_DATABASE: cannot read {path}: {error.strerror}") from None
        except (ValueError, maxminddb.InvalidDatabaseError):
            raise ConfigurationError(f"GATEPOST_GEOIP_DATABASE: {path} is not a MaxMind DB file") from None

    def close(self) -> None:
        """Close the file; afterwards every location is unknown."""
        if self._reader:
            self._reader.close()

    def locate(self, ip: str | None, locale: str = _FALLBACK_LOCALE) -> str | None:
        """Return a location like "Berlin, Germany", or only the country, in a language as far as the file has it.

        None: the IP address is private, or its location is unknown.
        """
        record = self._find(ip)
        if not isinstance(record, dict):
            return None
        names = [_name(record.get(part), locale) for part in ("city", "country")]
        # The city of Singapore is in the country of Singapore.
        return ", ".join(dict.fromkeys(name for name in names if name)) or None

    def _find(self, ip: str | None) -> Any:
        if self._reader is None or ip is None or not ip_address(ip).is_global:
            return None
        try:
            return self._reader.get(ip)
        except ValueError:  # an IPv6 address in a file of IPv4 addresses, or a file that was closed
            return None
        except maxminddb.InvalidDatabaseError as error:
            logger.warning("the file of GATEPOST_GEOIP_DATABASE is damaged", exc_info=error)
            return None


def _name(part: Any, locale: str) -> str | None:
    names = part.get("names") if isinstance(part, dict) else None
    if not isinstance(names, dict):
        return None
    candidates = (names.get(each) for each in (locale, locale.partition("-")[0], _FALLBACK_LOCALE))
    return next((name for name in candidates if name and isinstance(name, str)), None)
