"""Request bodies: bounded in bytes, in nesting and in the number of values, and parsed without holding the event loop.

No step keeps the event loop, or the interpreter's lock, for longer than a few milliseconds. The parser is one call that
keeps the lock, so what makes it slow is counted first, in pieces: values, escapes, and digits. The counting and the
validation of a large body run in a thread, one body at a time, so that the loop competes with one thread at most.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.requests import Request
from starlette.types import Message, Receive

from gatepost.errors import FieldError, PayloadTooLarge, ValidationFailed, field_errors
from gatepost.http.dependencies import find_runtime

# Where nothing large belongs, which is nearly everywhere.
MAX_BODY_BYTES = 16 * 1024
# A body up to this size is parsed at once.
_SMALL_BYTES = 16 * 1024
_MAX_DEPTH = 32
_MAX_VALUES = 50_000
_MAX_ESCAPES = 1_000_000
# Structure, numbers and white space: everything outside of strings.
_MAX_BYTES_OUTSIDE_STRINGS = 1024 * 1024
_MAX_ERRORS = 100
_PIECE = 64 * 1024

_BRACKET = re.compile(rb"[][{}]")

T = TypeVar("T")


class BoundedBody:
    """The body of a request, up to a number of bytes; what follows is not read."""

    def __init__(self, receive: Receive, max_bytes: int) -> None:
        self._receive = receive
        self._remaining = max_bytes

    async def receive(self) -> Message:
        """Return the next part.

        Raises:
            PayloadTooLarge: the body exceeds the limit.
        """
        message = await self._receive()
        self._remaining -= len(message.get("body", b""))
        if self._remaining < 0:
            raise PayloadTooLarge
        return message


class BodyParsing:
    """Parses bodies; large ones in a thread, one after another."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def parse(self, raw: bytes, parse: Callable[[bytes], T]) -> T:
        """Return what a function makes of a body."""
        if len(raw) <= _SMALL_BYTES:
            return parse(raw)
        async with self._turn:
            return await asyncio.to_thread(parse, raw)


async def parse_body(request: Request, raw: bytes, parse: Callable[[bytes], T]) -> T:
    """Return what a function makes of the body of a request, without holding the event loop."""
    parsing: BodyParsing = find_runtime(request).body_parsing
    return await parsing.parse(raw, parse)


def parse_json(adapter: TypeAdapter[T], raw: bytes) -> T:
    """Return the valid value in a JSON body (RFC 8259: UTF-8, no lone surrogates, no NaN).

    Raises:
        ValidationFailed: it is not JSON, too deeply nested, has too many values, or does not match the type.
    """
    return validate(adapter, load_json(raw))


def load_json(raw: bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValidationFailed: it is not JSON, too deeply nested, or has too many values.
    """
    if reason := _find_excess(raw):
        raise ValidationFailed(errors=[FieldError(loc=["body"], msg=reason, type="json_too_complex")])
    try:
        return from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        found = FieldError(loc=["body"], msg=f"is not valid JSON: {error}", type="json_invalid")
        raise ValidationFailed(errors=[found]) from None


def validate(adapter: TypeAdapter[T], value: Any) -> T:
    """Return a value of a type.

    Raises:
        ValidationFailed: it does not match the type; with each error, unless there are very many.
    """
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        if error.error_count() > _MAX_ERRORS:
            found = [FieldError(loc=["body"], msg=f"has more than {_MAX_ERRORS} errors", type="too_many_errors")]
        else:
            found = field_errors(error.errors(include_url=False, include_input=False, include_context=False))
        raise ValidationFailed(
            errors=[each.model_copy(update={"loc": ["body", *each.loc]}) for each in found]
        ) from None


def _find_excess(raw: bytes) -> str | None:
    """Return what makes a JSON text too expensive to parse, or None. What is not JSON is left to the parser."""
    escapes = 0
    for start in range(0, len(raw), _PIECE):
        escapes += raw.count(b"\\", start, start + _PIECE)
        if escapes > _MAX_ESCAPES:
            return f"has more than {_MAX_ESCAPES} escapes in strings"
    structure = _Structure()
    position = 0
    while position < len(raw) and structure.excess is None:
        quote = raw.find(b'"', position)
        end = len(raw) if quote < 0 else quote
        for start in range(position, end, _PIECE):
            structure.count(raw, start, min(start + _PIECE, end))
        structure.values += 1
        position = len(raw) if quote < 0 else _end_of_string(raw, quote + 1)
    return structure.excess


class _Structure:
    """What was found outside of strings so far; `excess` says which limit that exceeds, if any."""

    def __init__(self) -> None:
        self.values = self._bytes = self._depth = self._deepest = 0

    @property
    def excess(self) -> str | None:
        if self._deepest > _MAX_DEPTH:
            return f"is nested more than {_MAX_DEPTH} levels deep"
        if self.values > _MAX_VALUES:
            return f"has more than {_MAX_VALUES} values"
        if self._bytes > _MAX_BYTES_OUTSIDE_STRINGS:
            return f"has more than {_MAX_BYTES_OUTSIDE_STRINGS} bytes outside of strings"
        return None

    def count(self, raw: bytes, start: int, stop: int) -> None:
        if self.excess is not None:
            return
        self._bytes += stop - start
        self.values += raw.count(b",", start, stop)
        for bracket in _BRACKET.finditer(raw, start, stop):
            self.values += 1
            self._depth += 1 if bracket[0] in b"[{" else -1
            self._deepest = max(self._deepest, self._depth)


def _end_of_string(raw: bytes, position: int) -> int:
    """Return the position after the quote that ends a string. The quote after an odd number of backslashes does not."""
    while True:
        quote = raw.find(b'"', position)
        if quote < 0:
            return len(raw)
        first = quote
        while first > position and raw[first - 1] == 0x5C:
            first -= 1
        if (quote - first) % 2 == 0:
            return quote + 1
        position = quote + 1
