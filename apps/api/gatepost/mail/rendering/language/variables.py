"""The variables of a template: how they are declared, and what a caller may give for them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from gatepost.mail.rendering.types import Diagnostic

Type = Literal["string", "number", "boolean", "date", "url", "list"]

ALWAYS_THERE = ("locale", "product_name")
MAX_VARIABLES = 100
MAX_STRING = 20_000
MAX_NUMBER = 1e15
MAX_ITEMS = 1000
MAX_FIELDS = 50
MAX_URL = 2000

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
# Words of the language, and names that the compiler gives a meaning of its own.
_TAKEN = frozenset(
    {"and", "or", "not", "in", "is", "if", "elif", "else", "endif", "for", "endfor", "true", "false", "none", "loop"}
    | {"self", "super", "caller", "varargs", "kwargs", "recursive"}
)
_DATE = re.compile(r"[0-9]{4}[0-9TZW:+. -]{3,36}", re.ASCII)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_NOTHING_GIVEN: dict[str, Any] = {"boolean": False, "list": ()}


@dataclass(frozen=True, slots=True)
class Variable:
    """A declared variable; `example` is a JSON value of its type, or None."""

    name: str
    type: Type = "string"
    required: bool = True
    example: Any = None
    description: str = ""


class ValuesRefused(Exception):
    """Values that do not fit the declarations; `errors` holds (name, sentence) pairs."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {msg}" for name, msg in errors))
        self.errors = errors


def nearest(name: str, known: Sequence[str]) -> str:
    """Return ` Did you mean "x"?` with the known name most like this one, or nothing."""
    close = get_close_matches(name[:60], known, n=1, cutoff=0.6)
    return f' Did you mean "{close[0]}"?' if close else ""


def check_declarations(declared: Sequence[Variable]) -> list[Diagnostic]:
    """Find what is wrong with the declarations themselves.

    Rules: `too-many-variables`, `bad-name`, `reserved-name`, `duplicate-name`, `bad-type`, `bad-example`.
    """
    if len(declared) > MAX_VARIABLES:
        return [_found(1, "too-many-variables", f"A template has at most {MAX_VARIABLES} variables; declare fewer.")]
    found: list[Diagnostic] = []
    seen: set[str] = set()
    for line, variable in enumerate(declared, 1):
        problem = _problem(variable, seen)
        if problem is not None:
            found.append(_found(line, *problem))
        if isinstance(variable.name, str):
            seen.add(variable.name)
    return found


def check_values(
    declared: Sequence[Variable], given: Mapping[str, Any], *, locale: str, product_name: str
) -> dict[str, Any]:
    """Return the whole context of a rendering: every declared name, `locale` and `product_name`.

    An optional variable that is not given, or given as null, is "", a boolean False, a list []. Dates and addresses
    stay the strings they are.

    Raises:
        ValuesRefused: something required is missing, something given is unknown or of another type.
    """
    known = {variable.name: variable for variable in declared}
    errors = [
        (str(name)[:60], f"No variable has this name.{nearest(str(name), list(known))}")
        for name in given
        if name not in known
    ]
    context: dict[str, Any] = {}
    for name, variable in known.items():
        value = given.get(name)
        if value is None or (value == "" and not variable.required and variable.type in {"date", "url"}):
            if variable.required:
                errors.append((name, "This variable is required; give it a value."))
            context[name] = _nothing(variable.type)
        elif (msg := _CHECKS[variable.type](value)) is not None:
            errors.append((name, msg))
        else:
            context[name] = value
    if errors:
        raise ValuesRefused(errors)
    return {**context, "locale": locale, "product_name": product_name}


def _nothing(kind: str) -> Any:
    nothing = _NOTHING_GIVEN.get(kind, "")
    return [] if nothing == () else nothing


def _found(line: int, rule: str, msg: str) -> Diagnostic:
    return Diagnostic("variables", rule, "error", line, 1, msg)


def _problem(variable: Variable, seen: set[str]) -> tuple[str, str] | None:
    name = variable.name
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "bad-name", "A name begins with a letter a-z and goes on with a-z, 0-9 and _, 50 characters at most."
    if name in ALWAYS_THERE or name in _TAKEN:
        return "reserved-name", f'"{name}" has a meaning of its own in templates; choose another name.'
    if name in seen:
        return "duplicate-name", f'"{name}" is declared twice; keep one.'
    if variable.type not in get_args(Type):
        return "bad-type", f'The type of "{name}" must be one of {", ".join(get_args(Type))}.'
    if variable.example is not None and (msg := _CHECKS[variable.type](variable.example)) is not None:
        return "bad-example", f'The example of "{name}" does not fit its type. {msg}'
    return None


def _string(value: Any) -> str | None:
    if not isinstance(value, str):
        return "Give a string."
    return None if len(value) <= MAX_STRING else f"Give at most {MAX_STRING} characters."


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "Give a number."
    # An integer too large for a float is compared as it is.
    fits = abs(value) < MAX_NUMBER if isinstance(value, int) else math.isfinite(value) and abs(value) < MAX_NUMBER
    return None if fits else "Give a number between -1e15 and 1e15."


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else "Give true or false."


def _date(value: Any) -> str | None:
    wrong = "Give a date such as 2026-01-31, or a time such as 2026-01-31T18:30:00Z."
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return wrong
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return wrong
    return None


def _url(value: Any) -> str | None:
    wrong = "Give an absolute address that begins with https://, http:// or mailto:."
    if not isinstance(value, str) or len(value) > MAX_URL:
        return f"Give an address of at most {MAX_URL} characters."
    if not value.isprintable() or any(sign in value for sign in ' \\<>"`{}|^'):
        return 'Give an address without spaces, control characters and any of \\ < > " ` { } | ^.'
    try:
        parts = urlsplit(value)
        plain = bool(parts.hostname) and "@" not in parts.netloc and (parts.port is None or parts.port > 0)
    except ValueError:
        return wrong
    if parts.scheme == "mailto":
        folded = value.lower()
        broken = "%0a" in folded or "%0d" in folded or not _ADDRESS.fullmatch(parts.path) or parts.netloc
        return wrong if broken else None
    return None if parts.scheme in {"http", "https"} and plain else wrong


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
        return f"has more than {MAX_FIELDS} fields."
    for key, inner in value.items():
        if not isinstance(key, str) or not 0 < len(key) <= 100:
            return "has a field whose name is empty or too long."
        if (msg := _scalar(inner)) is not None:
            return f"has a field that does not fit. {msg}"
    return None


def _list(value: Any) -> str | None:
    if not isinstance(value, list):
        return "Give a list."
    if len(value) > MAX_ITEMS:
        return f"Give at most {MAX_ITEMS} items."
    for at, item in enumerate(value, 1):
        if (msg := _item(item)) is not None:
            return f"Give strings, numbers, booleans or flat objects of these as items; item {at}: {msg}"
    return None


_CHECKS: dict[str, Callable[[Any], str | None]] = {
    "string": _string,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "url": _url,
    "list": _list,
}
