"""The filters and tests of templates: Jinja's, with limits on their input and output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, Undefined, pass_environment
from jinja2 import filters as jinja
from jinja2.exceptions import SecurityError

MAX_TEXT = 1_000_000
LOOP_PROPERTIES = frozenset({"index", "index0", "first", "last", "length", "revindex"})


class Forbidden(SecurityError):
    """An operation that templates must not do with these values. The message contains no value."""


def as_text(value: Any) -> Any:
    """Return a scalar as the string that is printed for it.

    Raises:
        Forbidden: it is a list or an object.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Undefined):
        return str(value)
    raise Forbidden("This filter takes a string or a number.")


def _integer(value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise Forbidden(f"This filter takes an integer from {low} to {high}.")
    return value


def _upper(value: Any) -> Any:
    return as_text(value).upper()


def _lower(value: Any) -> Any:
    return as_text(value).lower()


def _capitalize(value: Any) -> Any:
    return as_text(value).capitalize()


def _title(value: Any) -> Any:
    return jinja.do_title(as_text(value))


def _trim(value: Any, chars: Any = None) -> Any:
    return as_text(value).strip(None if chars is None else as_text(chars))


def _length(value: Any) -> int:
    if isinstance(value, str | list | dict | Undefined):
        return len(value)
    raise Forbidden("Only strings and lists have a length.")


def _join(value: Any, d: Any = "", attribute: Any = None) -> Any:
    if isinstance(value, Undefined):
        str(value)
    if not isinstance(value, list):
        raise Forbidden("Only a list can be joined.")
    items = [as_text(item if attribute is None else _field(item, attribute)) for item in value]
    separator = as_text(d)
    if sum(map(len, items)) + len(separator) * len(items) > MAX_TEXT:
        raise Forbidden("The joined list is too long. Print fewer items.")
    return separator.join(items)


def _field(item: Any, name: Any) -> Any:
    if type(item) is dict and isinstance(name, str) and name in item:
        return item[name]
    raise Forbidden("Not every item has the field to join.")


@pass_environment
def _first(environment: Environment, value: Any) -> Any:
    return _item(environment, value, 0)


@pass_environment
def _last(environment: Environment, value: Any) -> Any:
    return _item(environment, value, -1)


def _item(environment: Environment, value: Any, index: int) -> Any:
    if isinstance(value, Undefined):
        str(value)
    if not isinstance(value, list | str):
        raise Forbidden("Only strings and lists have a first and a last item.")
    return value[index] if value else environment.undefined(name="first or last item")


def _truncate(value: Any, length: Any = 255, killwords: Any = False, end: Any = "…", leeway: Any = 0) -> Any:
    text, tail = as_text(value), as_text(end)
    size = max(_integer(length, 0, 20_000), len(tail))
    if len(text) <= size + _integer(leeway, 0, 1000):
        return text
    cut = text[: size - len(tail)]
    return (cut if killwords else cut.rsplit(" ", 1)[0]) + tail


def _urlencode(value: Any) -> str:
    return quote(as_text(value).encode("utf-8", "replace"), safe="")


def _round(value: Any, precision: Any = 0, method: Any = "common") -> Any:
    if method not in ("common", "ceil", "floor"):
        raise Forbidden('The rounding method must be "common", "ceil" or "floor".')
    return jinja.do_round(_number(value), _integer(precision, 0, 6), method)


def _abs(value: Any) -> Any:
    return abs(_number(value))


def _number(value: Any) -> Any:
    if isinstance(value, Undefined):
        str(value)
    if type(value) not in (int, float):
        raise Forbidden("This filter takes a number.")
    return value


def _escape(value: Any) -> Any:
    return jinja.FILTERS["escape"](as_text(value))


def _odd(value: Any) -> bool:
    # Jinja's own test also accepts strings, for which % formats a pattern of any width.
    return bool(_number(value) % 2 == 1)


def _even(value: Any) -> bool:
    return bool(_number(value) % 2 == 0)


FILTERS: dict[str, Callable[..., Any]] = {
    "upper": _upper,
    "lower": _lower,
    "title": _title,
    "capitalize": _capitalize,
    "trim": _trim,
    "default": jinja.do_default,
    "length": _length,
    "join": _join,
    "first": _first,
    "last": _last,
    "truncate": _truncate,
    "urlencode": _urlencode,
    "round": _round,
    "abs": _abs,
    "e": _escape,
    "escape": _escape,
}

TESTS: dict[str, Callable[..., bool]] = {
    "defined": lambda value: not isinstance(value, Undefined),
    "none": lambda value: value is None,
    "odd": _odd,
    "even": _even,
}
