"""The variables of a template: their declarations, and the values that match them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from gatepost.mail.rendering.types import Diagnostic

VariableType = Literal["string", "number", "boolean", "date", "url", "link", "list"]

BUILT_IN_VARIABLES = ("locale", "product_name")
MAX_VARIABLES = 100
MAX_STRING = 20_000
MAX_NUMBER = 1e15
MAX_ITEMS = 1000
MAX_FIELDS = 50
MAX_URL = 2000
# Scalars in all lists of one email together, so that checking them takes milliseconds.
MAX_SCALARS = 20_000
# Errors of one set of values that are reported; the rest are counted.
MAX_ERRORS = 20
# Of these, how many say which known name is the most similar: each takes about a millisecond.
_MAX_HINTS = 3

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
# Keywords of the language, and names with a special meaning for Jinja's compiler.
_RESERVED = frozenset(
    {"and", "or", "not", "in", "is", "if", "elif", "else", "endif", "for", "endfor", "true", "false", "none", "loop"}
    | {"self", "super", "caller", "varargs", "kwargs", "recursive"}
)
_DATE = re.compile(r"[0-9]{4}[0-9TZW:+. -]{3,36}", re.ASCII)
_EMAIL_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class Variable:
    """A declared variable; `example` is a JSON value of its type, or None.

    The value of a `link` is a URL that carries a token. Templates can only show it as it is (see `html.links`).
    """

    name: str
    type: VariableType = "string"
    required: bool = True
    example: Any = None
    description: str = ""


class InvalidValues(Exception):
    """Values that do not match the declarations; `errors` are pairs of variable name and message."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {msg}" for name, msg in errors))
        self.errors = errors


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return ` Did you mean "x"?` with the most similar known name, or an empty string."""
    close = get_close_matches(name[:60], known, n=1, cutoff=0.6)
    return f' Did you mean "{close[0]}"?' if close else ""


def link_names(declared: Sequence[Variable]) -> frozenset[str]:
    """Return the names of the variables that are links."""
    return frozenset(variable.name for variable in declared if variable.type == "link")


def check_declarations(declared: Sequence[Variable], reserved_links: Collection[str] = ()) -> list[Diagnostic]:
    """Return the problems of the declarations themselves. The names in `reserved_links` always stand for links.

    Rules: `too-many-variables`, `bad-name`, `reserved-name`, `duplicate-name`, `bad-type`, `link-type`, `bad-example`.
    """
    if len(declared) > MAX_VARIABLES:
        return [
            _found(1, "too-many-variables", f"A template can have at most {MAX_VARIABLES} variables. Declare fewer.")
        ]
    found: list[Diagnostic] = []
    seen: set[str] = set()
    for line, variable in enumerate(declared, 1):
        problem = _problem(variable, seen, reserved_links)
        if problem is not None:
            found.append(_found(line, *problem))
        if isinstance(variable.name, str):
            seen.add(variable.name)
    return found


def check_values(
    declared: Sequence[Variable], given: Mapping[str, Any], *, locale: str, product_name: str
) -> dict[str, Any]:
    """Return the complete context of a rendering: every declared variable, `locale` and `product_name`.

    An optional variable without a value, or with null, becomes "", False for a boolean and [] for a list. Dates and
    URLs stay strings.

    The cost is bounded, whatever the values are: at most `MAX_SCALARS` are looked at.

    Raises:
        InvalidValues: a required value is missing, or a value is unknown or of the wrong type. At most `MAX_ERRORS`
            errors, and how many more there are.
    """
    known = {variable.name: variable for variable in declared}
    if sum(map(_count_scalars, given.values())) > MAX_SCALARS:
        raise InvalidValues([("", f"The lists contain more than {MAX_SCALARS} values in total. Send fewer.")])
    unknown = [str(name)[:60] for name in given if name not in known]
    errors = [
        (name, f"There is no variable with this name.{did_you_mean(name, list(known)) if at < _MAX_HINTS else ''}")
        for at, name in enumerate(unknown[:MAX_ERRORS])
    ]
    context: dict[str, Any] = {}
    for name, variable in known.items():
        value = given.get(name)
        if value is None or (value == "" and not variable.required and variable.type in {"date", "url", "link"}):
            if variable.required:
                errors.append((name, "This variable is required. Provide a value."))
            context[name] = _default(variable.type)
        elif (msg := _CHECKS[variable.type](value)) is not None:
            errors.append((name, msg))
        else:
            context[name] = value
    if errors:
        omitted = len(unknown[MAX_ERRORS:]) + len(errors[MAX_ERRORS:])
        more = [("", f"There are {omitted} more errors.")] if omitted else []
        raise InvalidValues(errors[:MAX_ERRORS] + more)
    return {**context, "locale": locale, "product_name": product_name}


def _default(kind: VariableType) -> Any:
    match kind:
        case "boolean":
            return False
        case "list":
            return []
    return ""


def _found(line: int, rule: str, msg: str) -> Diagnostic:
    return Diagnostic("variables", rule, "error", line, 1, msg)


def _count_scalars(value: Any) -> int:
    """Return how many scalars a list has, its objects' fields included, up to a few more than allowed."""
    if not isinstance(value, list):
        return 0
    if len(value) > MAX_SCALARS:
        return len(value)
    return sum(len(item) if isinstance(item, dict) else 1 for item in value)


def _problem(variable: Variable, seen: set[str], reserved_links: Collection[str]) -> tuple[str, str] | None:
    name = variable.name
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "bad-name", "A variable name starts with a-z and contains only a-z, 0-9 and _, up to 50 characters."
    if name in BUILT_IN_VARIABLES or name in _RESERVED:
        return "reserved-name", f'"{name}" is reserved. Choose another name.'
    if name in seen:
        return "duplicate-name", f'"{name}" is declared more than once. Remove the duplicate.'
    return _problem_of_type(variable, reserved_links)


def _problem_of_type(variable: Variable, reserved_links: Collection[str]) -> tuple[str, str] | None:
    name = variable.name
    if variable.type not in get_args(VariableType):
        return "bad-type", f'The type of "{name}" must be one of {", ".join(get_args(VariableType))}.'
    if variable.type != "link" and name in reserved_links:
        return "link-type", f'"{name}" carries a token. Declare it with the type link.'
    if variable.example is not None and (msg := _CHECKS[variable.type](variable.example)) is not None:
        return "bad-example", f'The example of "{name}" does not match its type. {msg}'
    return None


def _string(value: Any) -> str | None:
    if not isinstance(value, str):
        return "Must be a string."
    return None if len(value) <= MAX_STRING else f"Must have at most {MAX_STRING} characters."


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "Must be a number."
    # An integer that is too large for a float is compared as an integer.
    fits = abs(value) < MAX_NUMBER if isinstance(value, int) else math.isfinite(value) and abs(value) < MAX_NUMBER
    return None if fits else "Must be a number between -1e15 and 1e15."


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else "Must be true or false."


def _date(value: Any) -> str | None:
    wrong = "Must be a date such as 2026-01-31, or a date and time such as 2026-01-31T18:30:00Z."
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return wrong
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return wrong
    return None


def _url(value: Any) -> str | None:
    wrong = "Must be an absolute URL that starts with https://, http:// or mailto:."
    if not isinstance(value, str) or len(value) > MAX_URL:
        return f"Must be a URL of at most {MAX_URL} characters."
    if not value.isprintable() or any(sign in value for sign in ' \\<>"`{}|^'):
        return 'Must be a URL without spaces, control characters or any of \\ < > " ` { } | ^.'
    try:
        parts = urlsplit(value)
        plain = bool(parts.hostname) and "@" not in parts.netloc and (parts.port is None or parts.port > 0)
    except ValueError:
        return wrong
    if parts.scheme == "mailto":
        folded = value.lower()
        broken = "%0a" in folded or "%0d" in folded or not _EMAIL_ADDRESS.fullmatch(parts.path) or parts.netloc
        return wrong if broken else None
    return None if parts.scheme in {"http", "https"} and plain else wrong


def _link(value: Any) -> str | None:
    if isinstance(value, str) and value[:7].lower() == "mailto:":
        return "Must be an absolute URL that starts with https:// or http://."
    return _url(value)


def _scalar(value: Any) -> str | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _number(value)
    return _string(value)


def _item(value: Any) -> str | None:
    if not isinstance(value, dict):
        return _scalar(value)
    if len(value) > MAX_FIELDS:
        return f"Has more than {MAX_FIELDS} fields."
    for key, inner in value.items():
        if not isinstance(key, str) or not 0 < len(key) <= 100:
            return "Has a field whose name is empty or too long."
        if (msg := _scalar(inner)) is not None:
            return f"Has an invalid field. {msg}"
    return None


def _list(value: Any) -> str | None:
    if not isinstance(value, list):
        return "Must be a list."
    if len(value) > MAX_ITEMS:
        return f"Must have at most {MAX_ITEMS} items."
    for number, item in enumerate(value, 1):
        if (msg := _item(item)) is not None:
            return f"Items must be strings, numbers, booleans or flat objects of these. Item {number}: {msg}"
    return None


_CHECKS: dict[str, Callable[[Any], str | None]] = {
    "string": _string,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "url": _url,
    "link": _link,
    "list": _list,
}
