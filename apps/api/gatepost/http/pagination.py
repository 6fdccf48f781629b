"""Cursor pagination: `?limit=` and `?cursor=`, and pages with `next_cursor`."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Protocol, TypeVar
from uuid import UUID

from fastapi import Query

from gatepost.errors import FieldError, ValidationFailed

Limit = Annotated[int, Query(ge=1, le=100, description="Maximum number of items to return")]
RawCursor = Annotated[
    str | None,
    Query(max_length=1000, description="`next_cursor` of the previous page", json_schema_extra={"format": "cursor"}),
]

# A cursor holds the sort key of the last item on a page.
Part = int | str | UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT64 = 2**63


class Dated(Protocol):
    """An item of a list that is sorted by creation time."""

    id: UUID
    created_at: datetime


Item = TypeVar("Item", bound=Dated)


def encode(*key: Part) -> str:
    """Return the opaque cursor of a sort key."""
    parts = [part.hex if isinstance(part, UUID) else part for part in key]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode(cursor: str | None, *types: type[Part]) -> tuple[Any, ...] | None:
    """Return the sort key in a cursor, its parts of these types, or None for the first page.

    Raises:
        ValidationFailed: the cursor does not belong to this list.
    """
    if cursor is None:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return tuple(_part(part, type_) for part, type_ in zip(parts, types, strict=True))
    except (ValueError, TypeError, AttributeError, RecursionError):
        error = FieldError(loc=["query", "cursor"], msg="must be the next_cursor of a page of this list", type="cursor")
        raise ValidationFailed(errors=[error]) from None


def decode_created(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    """Return the sort key in a cursor of a newest-first list; (None, None) for the first page.

    Raises:
        ValidationFailed: the cursor does not belong to this list.
    """
    key = decode(cursor, int, UUID)
    return (from_microseconds(key[0]), key[1]) if key else (None, None)


def paginate(found: Sequence[Item], limit: int) -> tuple[list[Item], str | None]:
    """Return a page of a newest-first list, and the cursor of the next page if more items were found than fit."""
    page = list(found[:limit])
    if len(found) <= limit:
        return page, None
    return page, encode(to_microseconds(page[-1].created_at), page[-1].id)


def from_microseconds(microseconds: int | None) -> datetime | None:
    """Return the time that is so many microseconds after 1970 (UTC); None without microseconds."""
    if microseconds is None:
        return None
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def to_microseconds(at: datetime) -> int:
    """Return the microseconds since 1970 (UTC) of a time."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def _part(value: Any, type_: type[Part]) -> Part:
    if type_ is UUID:
        return UUID(value)
    if type_ is int and type(value) is int and -_INT64 <= value < _INT64:
        return value
    if type_ is str and type(value) is str and "\0" not in value:
        # JSON allows half a surrogate pair, which neither UTF-8 nor PostgreSQL can hold.
        value.encode()
        return value
    raise ValueError
