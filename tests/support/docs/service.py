"""The service that the pages talk to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DocsService:
    """A running service, its database, and the environment that finds both."""

    url: str
    database: str
    environment: dict[str, str]
