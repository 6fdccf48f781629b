"""What the staff commands share: tables for people, JSON for scripts, and asking before something is destroyed."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn
from uuid import UUID

import typer
from pydantic import BaseModel, TypeAdapter, ValidationError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from gatepost.accounts.permissions import Actor
from gatepost.admin import models, store
from gatepost.db.pool import Connection
from gatepost.errors import FieldError, Refusal

SHELL = Actor("shell", None)

# Beside what is printable a text has these; the last is the no-break space.
_BLANKS = "\n\t\N{NO-BREAK SPACE}"


def checked(kind: Any) -> Callable[[str], Any]:
    """Return a parser for an argument: what fits this type is let through, all else is wrong usage."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def parse(text: str) -> Any:
        try:
            # The bytes of an argument need not be a text; what is none comes as halves of surrogate pairs.
            text.encode()
            return adapter.validate_python(text)
        except UnicodeEncodeError:
            raise typer.BadParameter("is not UTF-8") from None
        except ValidationError as error:
            raise typer.BadParameter(words_of(error)) from None

    return parse


def words_of(error: ValidationError) -> str:
    """Return what is wrong first."""
    return str(error.errors()[0]["msg"]).removeprefix("Value error, ")


def moment(text: str) -> datetime:
    """Return the moment of a date or time in ISO 8601, in UTC unless it says otherwise."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is no date or time like 2026-11-21 or 2026-11-21T10:30:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


AsJson = Annotated[bool, typer.Option("--json", help="One JSON document, as the API gives it")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most")]
Cursor = Annotated[str | None, typer.Option(help="`next_cursor` of the page before (--json shows it)")]
_REASON = typer.Option(parser=checked(models.Reason), metavar="TEXT", help="Why; it is kept in the audit log")
Reason = Annotated[str, _REASON]
OptionalReason = Annotated[str | None, _REASON]


def fail(message: str) -> NoReturn:
    """End with one line and exit status 1: nothing was found, or it was refused."""
    print(f"gatepost: {_cell(message)}", file=sys.stderr)  # noqa: T201
    raise typer.Exit(1)


def demand_terminal() -> None:
    """Refuse where nobody can be asked."""
    if not sys.stdin.isatty():
        fail("there is no terminal to ask on: say --yes")


def demand_consent(yes: bool, question: str) -> None:
    """Ask before something is destroyed; where nobody can be asked, `--yes` must have said it."""
    if yes:
        return
    demand_terminal()
    if not typer.confirm(_cell(question), err=True):
        fail("nothing was changed")


def show_page(page: BaseModel, headings: Sequence[str], rows: Sequence[Sequence[object]], as_json: bool) -> None:
    """Print a page of things; an empty one ends with exit status 1."""
    if as_json:
        show_json(page)
    elif rows:
        _print_table(headings, rows)
        if getattr(page, "next_cursor", None):
            print("There are more: raise --limit, or narrow the search.", file=sys.stderr)  # noqa: T201
    if not rows:
        fail("nothing was found")


def show_json(model: BaseModel) -> None:
    """Print one JSON document."""
    typer.echo(model.model_dump_json(indent=2))


def show_one(facts: Sequence[tuple[str, object]]) -> None:
    """Print what is known of one thing, a line each."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        typer.echo(f"{name:{width}}  {_cell(value)}".rstrip())


def show_text(text: str) -> None:
    """Print a text as it is; on a terminal without what would steer it."""
    if sys.stdout.isatty():
        text = "".join(each if each in _BLANKS else _cell(each) for each in text)
    # With colour: without, it would take out what looks like one.
    typer.echo(text, nl=not text.endswith("\n"), color=True)


def tell_refusal(refusal: Refusal) -> NoReturn:
    """Say what is wrong, a line for each value that is, and end with exit status 1."""
    for each in refusal.errors or []:
        if isinstance(each, FieldError):
            print(f"{_cell(each.loc[-1])}: {_cell(each.msg)}", file=sys.stderr)  # noqa: T201
    fail(refusal.detail[:1].lower() + refusal.detail[1:].rstrip("."))


def one_line(error: Exception) -> str:
    """Return what an error says, and of a refusal which part is wrong and why."""
    wrong = [each for each in getattr(error, "errors", None) or [] if isinstance(each, FieldError)]
    return _cell("; ".join(f"{each.loc[-1]}: {each.msg}" for each in wrong) or error)


def _print_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    cells = [[_cell(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        # For a pipe whole values, one line each: a width would cut them or break them over lines.
        for line in (headings, *cells):
            typer.echo("\t".join(line))
        return
    table = Table(box=None, pad_edge=False)
    for number, heading in enumerate(headings):
        is_id = bool(rows) and isinstance(rows[0][number], UUID)
        table.add_column(heading, overflow="fold", min_width=36 if is_id else None, no_wrap=is_id)
    for line in cells:
        table.add_row(*map(Text, line))
    Console().print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    # What people call themselves must not steer the terminal.
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(value))


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far something is, where somebody looks; the block calls what it is given with done and of how many."""
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


async def note(connection: Connection, command: str, target: str | None, reason: str | None, **detail: Any) -> None:
    """Write down, in the transaction at hand, which command was given and by whom on this machine."""
    told = {"command": command, "system_user": _system_user(), **detail}
    await store.note(connection, SHELL.name, "shell.command", target, reason, None, told)


def _system_user() -> str:
    # Not from the environment, which anybody can set.
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
