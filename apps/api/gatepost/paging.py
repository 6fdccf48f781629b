"""Cursors: where the next page of a list begins."""

from __future__ import annotations

import base64
import json
from typing import Annotated
from uuid import UUID

from fastapi import Query

from gatepost.errors import FieldError, ValidationFailed

Limit = Annotated[int, Query(ge=1, le=100, description="How many items at most")]
RawCursor = Annotated[
    str | None,
    Query(max_length=200, description="`next_cursor` of the page before", json_schema_extra={"format": "cursor"}),
]

# rank, key (microseconds or another 64-bit number), id: the place of a list's last item in its order
Place = tuple[int, int, UUID]

_INT64 = 2**63


def encode(place: Place) -> str:
    """Return the opaque cursor of a place."""
    rank, key, identifier = place
    return base64.urlsafe_b64encode(json.dumps([rank, key, identifier.hex]).encode()).decode().rstrip("=")


def decode(cursor: str | None) -> Place | None:
    """Return the place of a cursor, or None for the first page.

    Raises:
        ValidationFailed: it is not a cursor of ours.
    """
    if cursor is None:
        return None
    try:
        rank, key, identifier = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if type(rank) is int and type(key) is int and 0 <= rank < 10 and -_INT64 <= key < _INT64:
            return rank, key, UUID(identifier)
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise ValidationFailed(
        errors=[FieldError(loc=["query", "cursor"], msg="is not a cursor that this list gave", type="cursor")]
    )
