"""What the commands share: options, tables and JSON, confirmation, errors, and the audit record of a command."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn, Protocol, TypeVar
from uuid import UUID

import typer
from pydantic import BaseModel, TypeAdapter, ValidationError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from gatepost import audit
from gatepost.admin import Reason as AuditReason
from gatepost.audit import Actor
from gatepost.db import Connection
from gatepost.errors import ApiError, FieldError

ACTOR = Actor("cli")

# Whitespace that is printed although it is not printable; the last one is the no-break space.
_WHITESPACE = "\n\t\N{NO-BREAK SPACE}"

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


def parser_of(kind: Any) -> Callable[[str], Any]:
    """Return a parser that validates a command-line value as a type, for wrong usage to be reported as such."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def parse(text: str) -> Any:
        try:
            # Python decodes invalid UTF-8 in arguments to surrogates, which cannot be encoded again.
            text.encode()
            return adapter.validate_python(text)
        except UnicodeEncodeError:
            raise typer.BadParameter("must be UTF-8 text") from None
        except ValidationError as error:
            raise typer.BadParameter(first_message(error)) from None

    return parse


def first_message(error: ValidationError) -> str:
    """Return the message of the first error."""
    return str(error.errors()[0]["msg"]).removeprefix("Value error, ")


def _parse_time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        message = f"must be a date or time such as 2026-11-21 or 2026-11-21T10:30:00Z, not {text}"
        raise typer.BadParameter(message) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def time_option(description: str) -> Any:
    """Return an option that takes a date or time in ISO 8601. Without an offset it is in UTC."""
    return typer.Option(parser=_parse_time, metavar="TIME", help=f"{description} (ISO 8601, UTC by default)")


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, as the API returns it")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of results")]
Cursor = Annotated[str | None, typer.Option(help="Continue after this cursor: the next_cursor that --json printed")]
_REASON = typer.Option(parser=parser_of(AuditReason), metavar="TEXT", help="Reason, recorded in the audit log")
Reason = Annotated[str, _REASON]
OptionalReason = Annotated[str | None, _REASON]


def fail(message: str) -> NoReturn:
    """Print an error and exit with status 1: nothing was found, or the command failed."""
    print(f"gatepost: {_printable(message)}", file=sys.stderr)  # noqa: T201
    raise typer.Exit(1)


def fail_validation(error: ApiError) -> NoReturn:
    """Print an error and exit with status 1. Each invalid value is on a line of its own before it."""
    for each in error.errors or []:
        if isinstance(each, FieldError) and each.msg not in error.detail:
            print(_field_error(each), file=sys.stderr)  # noqa: T201
    fail(error.detail)


def error_line(error: Exception) -> str:
    """Return an error in one line: its field errors, or else its message."""
    fields = [_field_error(each) for each in getattr(error, "errors", None) or [] if isinstance(each, FieldError)]
    return "; ".join(fields) or _printable(error)


def _field_error(error: FieldError) -> str:
    return f"{_printable(error.loc[-1])}: {_printable(error.msg)}"


def require_terminal() -> None:
    """Exit with status 1 if there is no terminal, and therefore no way to ask for confirmation."""
    if not sys.stdin.isatty():
        fail("This command asks for confirmation, which needs a terminal. Use --yes to confirm.")


def confirm(yes: bool, question: str) -> None:
    """Ask for confirmation, unless `--yes` was given; exit with status 1 if the answer is no."""
    if yes:
        return
    require_terminal()
    if not typer.confirm(_printable(question), err=True):
        fail("Canceled. Nothing was changed.")


# The headings of a table's columns, and how to get their values from an item.
Columns = Mapping[str, Callable[[T], object]]


class Page(Protocol[T_co]):
    """A page of a list, as the services return it."""

    @property
    def items(self) -> Sequence[T_co]:
        """What is on the page."""
        ...

    @property
    def next_cursor(self) -> str | None:
        """The cursor of the next page, or None."""
        ...

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """Return the page as JSON."""
        ...


def print_page(page: Page[T], columns: Columns[T], as_json: bool, *, none_found: str) -> None:
    """Print a page as a table, or as JSON; exit with status 1 if it is empty."""
    if as_json:
        typer.echo(page.model_dump_json(indent=2))
    elif page.items:
        _print_table(list(columns), [[value(item) for value in columns.values()] for item in page.items])
        if page.next_cursor:
            print("There are more results. Raise --limit, or narrow the search.", file=sys.stderr)  # noqa: T201
    if not page.items:
        fail(none_found)


def print_json(model: BaseModel) -> None:
    """Print a model as JSON."""
    typer.echo(model.model_dump_json(indent=2))


def print_fields(fields: Sequence[tuple[str, object]]) -> None:
    """Print names and values, one per line."""
    width = max(len(name) for name, _ in fields)
    for name, value in fields:
        typer.echo(f"{name:{width}}  {_printable(value)}".rstrip())


def print_text(text: str) -> None:
    """Print text unchanged; on a terminal, without characters that would control it."""
    if sys.stdout.isatty():
        text = "".join(character if character in _WHITESPACE else _printable(character) for character in text)
    # With color=False, click would remove what looks like color codes.
    typer.echo(text, nl=not text.endswith("\n"), color=True)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 session", "2 sessions"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@contextmanager
def progress(description: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on a terminal; the block calls the yielded function with the steps done and their total."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


async def record_command(
    connection: Connection, command: str, target: str | None, reason: str | None, **detail: Any
) -> None:
    """Record in the audit log which command ran, and which user of the operating system ran it."""
    detail = {"command": command, "system_user": _system_user(), **detail}
    await audit.record(connection, ACTOR, "cli.command", target, reason=reason, detail=detail)


def _system_user() -> str:
    # Not from the environment, which the user can change.
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _print_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    cells = [[_printable(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        # In a pipe, one line per row with whole values; a table would cut or wrap them.
        for line in (headings, *cells):
            typer.echo("\t".join(line))
        return
    table = Table(box=None, pad_edge=False)
    for heading, value in zip(headings, rows[0], strict=True):
        is_id = isinstance(value, UUID)
        table.add_column(heading, overflow="fold", min_width=36 if is_id else None, no_wrap=is_id)
    for line in cells:
        table.add_row(*map(Text, line))
    Console().print(table)


def _printable(value: object) -> str:
    """Return a value as text, without characters that would control the terminal."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(value))
