"""Moments as callers write them and as cursors keep them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _spelt_out(value: Any) -> Any:
    # A bare number would be taken for seconds since 1970.
    if isinstance(value, int | float):
        raise ValueError("must be a time like 2027-01-31T12:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_spelt_out)]


def from_microseconds(microseconds: int | None) -> datetime | None:
    """Return the moment of so many microseconds since 1970."""
    if microseconds is None:
        return None
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def to_microseconds(at: datetime) -> int:
    """Return the microseconds since 1970 of a moment."""
    return (at - _EPOCH) // timedelta(microseconds=1)
