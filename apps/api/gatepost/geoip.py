"""Places: about where an address is, by a database file that the operator keeps."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import maxminddb

from gatepost import log
from gatepost.errors import ConfigurationError

_ENGLISH = "en"

logger = log.get_logger()


class Places:
    """Says about where addresses are, by a file in the MaxMind DB format (2.0): GeoLite2-City, DB-IP City Lite.

    Without a file it knows no place. The file stays mapped into memory: whoever has a newer one renames it into place
    and starts again.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open the file.

        Raises:
            ConfigurationError: it is missing, unreadable or no such database.
        """
        try:
            self._reader = maxminddb.open_database(path) if path else None
        except OSError as error:
            raise ConfigurationError(f"GATEPOST_GEOIP_DATABASE: cannot read {path}: {error.strerror}") from None
        except (ValueError, maxminddb.InvalidDatabaseError):
            raise ConfigurationError(f"GATEPOST_GEOIP_DATABASE: {path} is no MaxMind DB file") from None

    def __reduce__(self) -> tuple[type[Places], tuple[()]]:
        # A session that a host pickles or copies leaves the open file behind.
        return Places, ()

    def close(self) -> None:
        """Close the file; from now on no place is known."""
        if self._reader:
            self._reader.close()

    def near(self, address: str | None, locale: str = _ENGLISH) -> str | None:
        """Return a place like "Berlin, Germany", or only the country, in a language as far as the file speaks it.

        None: the address is private, or nothing is known of it.
        """
        record = self._find(address)
        if not isinstance(record, dict):
            return None
        names = [_name(record.get(part), locale) for part in ("city", "country")]
        # Singapore is in Singapore.
        return ", ".join(dict.fromkeys(name for name in names if name)) or None

    def _find(self, address: str | None) -> Any:
        if self._reader is None or address is None or not ip_address(address).is_global:
            return None
        try:
            return self._reader.get(address)
        except ValueError:  # an IPv6 address in a file of IPv4, or a file that was closed
            return None
        except maxminddb.InvalidDatabaseError as error:
            logger.warning("the file of GATEPOST_GEOIP_DATABASE is damaged", exc_info=error)
            return None


def _name(part: Any, locale: str) -> str | None:
    names = part.get("names") if isinstance(part, dict) else None
    if not isinstance(names, dict):
        return None
    known = (names.get(each) for each in (locale, locale.partition("-")[0], _ENGLISH))
    return next((name for name in known if name and isinstance(name, str)), None)
