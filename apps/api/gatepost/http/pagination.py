"""Cursors: where the next page of a list begins."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol, TypeVar
from uuid import UUID

from fastapi import Query

from gatepost.errors import FieldError, ValidationFailed
from gatepost.types import from_microseconds, to_microseconds

Limit = Annotated[int, Query(ge=1, le=100, description="How many items at most")]
RawCursor = Annotated[
    str | None,
    Query(max_length=1000, description="`next_cursor` of the page before", json_schema_extra={"format": "cursor"}),
]

# What a cursor holds: the place of a list's last item in the list's order.
Part = int | str | UUID

_INT64 = 2**63


class Dated(Protocol):
    """What a list by moments holds."""

    id: UUID
    created_at: datetime


Item = TypeVar("Item", bound=Dated)


def encode(*place: Part) -> str:
    """Return the opaque cursor of a place."""
    parts = [part.hex if isinstance(part, UUID) else part for part in place]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode(cursor: str | None, *kinds: type[Part]) -> tuple[Any, ...] | None:
    """Return the place of a cursor, its parts of these kinds, or None for the first page.

    Raises:
        ValidationFailed: it is not a cursor of this list.
    """
    if cursor is None:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return tuple(_part(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ValidationFailed(
            errors=[FieldError(loc=["query", "cursor"], msg="is not a cursor that this list gave", type="cursor")]
        ) from None


def decode_moment(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    """Return the place of a cursor in a list by moments, the newest first; twice None for the first page.

    Raises:
        ValidationFailed: it is not a cursor of this list.
    """
    place = decode(cursor, int, UUID)
    return (from_microseconds(place[0]), place[1]) if place else (None, None)


def cut(found: Sequence[Item], limit: int) -> tuple[list[Item], str | None]:
    """Return a page of a list by moments, and the cursor of the next one where more was found than fits."""
    page = list(found[:limit])
    if len(found) <= limit:
        return page, None
    return page, encode(to_microseconds(page[-1].created_at), page[-1].id)


def _part(value: Any, kind: type[Part]) -> Part:
    if kind is UUID:
        return UUID(value)
    if kind is int and type(value) is int and -_INT64 <= value < _INT64:
        return value
    if kind is str and type(value) is str and "\0" not in value:
        return value
    raise ValueError
