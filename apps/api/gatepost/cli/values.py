"""Values of a template's variables, as a command line gives them."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gatepost.cli import output
from gatepost.mail.templates.models import TemplateVariable

Given = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        parser=output.checked(str),
        metavar="NAME=VALUE",
        help="The value of a variable: a text, else JSON; as often as wanted",
    ),
]
Pairs = Sequence[tuple[str, str]]

# What the shell hands over is a text already; to quote it once more would be a nuisance.
_TEXTS = ("string", "date", "url")


def pairs(given: Sequence[str] | None) -> Pairs:
    """Return the names and the texts of what was given as NAME=VALUE."""
    split = [each.partition("=") for each in given or ()]
    for name, equals, _ in split:
        if not equals:
            raise typer.BadParameter(f"{name} is not NAME=VALUE", param_hint="--set")
    return [(name, text) for name, _, text in split]


def fitted(given: Pairs, declared: Sequence[TemplateVariable]) -> dict[str, Any]:
    """Return the values by name: of a variable that is a text the text itself, of any other its JSON."""
    texts = {each.name for each in declared if each.type in _TEXTS}
    return {name: _value(text, name in texts) for name, text in given}


def from_file(file: Path | None) -> dict[str, Any]:
    """Return the values that a file holds, `-` for standard input: one JSON object."""
    if file is None:
        return {}
    try:
        found = _parse(sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise typer.BadParameter(f"{file} cannot be read: {cause}", param_hint="--values") from None
    if not isinstance(found, dict):
        raise typer.BadParameter(f'{file} is no JSON object like {{"name": "Ada"}}', param_hint="--values")
    return found


def _value(text: str, is_text: bool) -> Any:
    try:
        found = _parse(text)
    except (ValueError, RecursionError):
        return text
    return text if is_text and not isinstance(found, str) else found


def _parse(text: str) -> Any:
    found = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    # Half a surrogate pair is JSON, and no text.
    json.dumps(found, ensure_ascii=False).encode()
    return found


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")
