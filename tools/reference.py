"""Makes the generated parts of the reference pages, which stand between markers in the Markdown.

docs/reference/api.md   the routes, from the OpenAPI document, and the error codes, from `gatepost.errors`
docs/reference/cli.md   the commands, from the command line's own help
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from typer.main import get_command

from gatepost import Settings, cli, create_app, errors

_DOCS = Path(__file__).resolve().parents[1] / "docs" / "reference"
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def api_reference() -> dict[str, str]:
    """Return the page of routes and error codes, by its path in the repository."""
    document = create_app(Settings(secret_key="x" * 32)).openapi()
    parts: dict[str, str] = {"errors": _table(("Code", "Status", "Detail"), _errors())}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            row = f"| `{method.upper()} {path}` | `{operation['operationId']}` | {_cell(operation['description'])} |\n"
            tag = operation["tags"][0]
            parts[tag] = parts.get(tag, _table(("Request", "Operation", "What it does"), ())) + row
    return _filled("api.md", parts)


def cli_reference() -> dict[str, str]:
    """Return the page of commands, by its path in the repository."""
    commands = (_command(names, command) for names, command in _leaves(["gatepost"], get_command(cli.app)))
    return _filled("cli.md", {"commands": "\n" + "\n".join(commands) + "\n"})


def _filled(name: str, parts: Mapping[str, str]) -> dict[str, str]:
    text = (_DOCS / name).read_text("utf-8")
    marked = {match[2] for match in _PART.finditer(text)}
    if marked != parts.keys():
        raise SystemExit(f"docs/reference/{name}: needs markers for exactly {', '.join(sorted(parts))}")
    return {f"docs/reference/{name}": _PART.sub(lambda match: match[1] + parts[match[2]] + match[3], text)}


def _errors() -> Iterator[tuple[str, ...]]:
    found: list[Any] = [each for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "code")]
    # What has subclasses is a base, which no response has as its code.
    leaves = [each for each in found if not each.__subclasses__()]
    for error in sorted(leaves, key=lambda each: (each.status, each.code)):
        yield f"`{error.code}`", str(int(error.status)), error.__doc__ or ""


def _leaves(names: list[str], command: Any) -> Iterator[tuple[list[str], Any]]:
    if not hasattr(command, "list_commands"):
        yield names, command
        return
    for name in command.list_commands(None):
        yield from _leaves([*names, name], command.get_command(None, name))


def _command(names: list[str], command: Any) -> str:
    parameters = [each for each in command.params if each.name != "help"]
    arguments = [each for each in parameters if each.param_type_name == "argument"]
    options = [each for each in parameters if each.param_type_name == "option"]
    usage = " ".join([*names, *map(_argument, arguments), *(["[OPTIONS]"] if options else [])])
    text = f"## {' '.join(names)}\n\n{_sentence(command.help or '')}\n\n```text\n{usage}\n```\n"
    rows = [(f"`{_argument(each)}`", _sentence(each.help)) for each in arguments if each.help]
    rows += [(", ".join(f"`{_option(name, each)}`" for name in each.opts), _about(each)) for each in options]
    return f"{text}\n{_table(('Parameter', 'What it does'), rows)}" if rows else text


def _option(name: str, option: Any) -> str:
    return f"{name} {option.metavar}" if option.metavar else name


def _about(option: Any) -> str:
    parts = [_sentence(option.help)] if option.help else []
    choices = get_args(option.type_descriptor.annotation)
    if choices and all(isinstance(choice, str) for choice in choices):
        parts.append(f"One of {', '.join(f'`{choice}`' for choice in choices)}.")
    if option.required:
        parts.append("Required.")
    elif not option.is_flag and option.default not in (None, (), []):
        parts.append(f"Default: `{option.default}`.")
    return " ".join(parts)


def _argument(parameter: Any) -> str:
    name = (parameter.metavar or parameter.name).strip("{}[]").upper() + ("..." if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def _table(headings: tuple[str, ...], rows: Any) -> str:
    lines = [headings, ("---",) * len(headings), *(tuple(map(_cell, row)) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", ")", "]")) else text + "."


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
