"""Values of template variables, given on the command line as `--set NAME=VALUE` or in a JSON file."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gatepost.cli import output
from gatepost.mail.templates import TemplateVariable

Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        parser=output.parser_of(str),
        metavar="NAME=VALUE",
        help="Value of a template variable: plain text, or JSON for lists, numbers and booleans. "
        "Repeat it for several variables",
    ),
]

# A variable of these types takes the value as it is given; it needs no JSON quotes.
_TEXT_TYPES = ("string", "date", "url", "link")


def split(assignments: Sequence[str] | None) -> list[tuple[str, str]]:
    """Return the names and values of assignments NAME=VALUE."""
    parts = [each.partition("=") for each in assignments or ()]
    for name, equals, _ in parts:
        if not equals:
            raise typer.BadParameter(f"must be NAME=VALUE, not {name}", param_hint="--set")
    return [(name, value) for name, _, value in parts]


def parse(assigned: Sequence[tuple[str, str]], declared: Sequence[TemplateVariable]) -> dict[str, Any]:
    """Return the values by name: text for a variable that is declared as text, JSON for all others."""
    texts = {each.name for each in declared if each.type in _TEXT_TYPES}
    return {name: _parse_value(value, name in texts) for name, value in assigned}


def read_file(file: Path | None) -> dict[str, Any]:
    """Return the values in a file that holds a JSON object; `-` is standard input."""
    if file is None:
        return {}
    try:
        values = _parse_json(sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not valid JSON"
        raise typer.BadParameter(f"cannot read {file}: {cause}", param_hint="--values") from None
    if not isinstance(values, dict):
        raise typer.BadParameter(f'{file} must contain a JSON object such as {{"name": "Ada"}}', param_hint="--values")
    return values


def _parse_value(value: str, is_text: bool) -> Any:
    try:
        parsed = _parse_json(value)
    except (ValueError, RecursionError):
        return value
    return value if is_text and not isinstance(parsed, str) else parsed


def _parse_json(text: str) -> Any:
    parsed = json.loads(text, parse_constant=_reject_number, parse_float=_parse_float)
    # JSON allows half a surrogate pair, which cannot be encoded.
    json.dumps(parsed, ensure_ascii=False).encode()
    return parsed


def _parse_float(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _reject_number(text)


def _reject_number(text: str) -> float:
    raise ValueError(f"{text} is not a finite number")
