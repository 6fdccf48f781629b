"""`gatepost audit`: verify, export and drop."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress

from gatepost.audit import retention
from gatepost.audit.chain import Anchor, Tampering
from gatepost.audit.export import export_lines
from gatepost.audit.service import Verified, verify_lines, verify_log
from gatepost.cli.database import on_database
from gatepost.db.pool import Database
from gatepost.errors import ConfigurationError

app = typer.Typer(
    help="The audit log. Exit status: 0 all is in order, 1 the log was tampered with, 2 a setting is wrong.",
    no_args_is_help=True,
)

T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object")]
Report = Callable[[int, int], None]


@app.command()
def verify(
    file: Annotated[Path | None, typer.Option(help="Check an export instead, without a database")] = None,
    anchor: Annotated[
        str | None, typer.Option(metavar="POSITION:HASH", help="What `verify` printed before: finds a cut-off end too")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the first row that was altered, removed or slipped in, and print the anchor to keep elsewhere."""
    known = _anchor(anchor)
    with _told(as_json):
        if file is not None:
            found = _verify_file(file, known)
        else:
            with _progress("Verifying", as_json) as report:
                found = _run(lambda database: verify_log(database, known, report))
        _tell(found, as_json)


@app.command()
def export(file: Annotated[Path | None, typer.Argument(help="A new file; without it, standard output")] = None) -> None:
    """Write the sealed rows as JSON Lines, each with its position, its hash and the one before."""
    with _told(False):
        if file is None:
            _run(lambda database: _write(database, sys.stdout.buffer, lambda done, total: None))
            return
        with _made(file) as out, _progress("Exporting", False) as report:
            rows = _run(lambda database: _write(database, out, report))
        typer.echo(f"{rows} rows in {file}")


@app.command()
def drop(
    before: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Rows older than this, in UTC")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    as_json: AsJson = False,
) -> None:
    """Verify the log, and delete its beginning up to a day; the last seal of it is kept."""
    with _told(as_json):
        _run(lambda database: _drop(database, before.replace(tzinfo=UTC), yes, as_json))


async def _drop(database: Database, before: datetime, yes: bool, as_json: bool) -> None:
    with _progress("Verifying", as_json) as report:
        going = await retention.droppable(database, before, report)
    if going and not yes:
        _confirm(f"{going.rows} rows before {before.isoformat()}")
    with _progress("Dropping", as_json) as report:
        await retention.drop(database, going, before, report)
    rows = going.rows if going else 0
    told = {"dropped": rows, "position": going.last.position if going else None}
    typer.echo(json.dumps(told) if as_json else f"{rows} rows dropped.")


def _confirm(what: str) -> None:
    if not sys.stdin.isatty():
        raise ConfigurationError(f"--yes: is needed to delete {what}")
    if not typer.confirm(f"Delete {what} for good?"):
        raise ConfigurationError("nothing was dropped")


async def _write(database: Database, out: BinaryIO, report: Report) -> int:
    rows = 0
    async with aclosing(export_lines(database, report)) as lines:
        async for line in lines:
            out.write(line)
            rows += 1
    out.flush()
    return rows


@contextmanager
def _made(file: Path) -> Iterator[BinaryIO]:
    """Have a new file for the length of a block; one that does not get whole is removed."""
    try:
        out = file.open("xb")
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be written: {error.strerror}") from None
    with out:
        try:
            yield out
        except BaseException:
            file.unlink(missing_ok=True)
            raise


def _verify_file(file: Path, anchor: Anchor | None) -> Verified:
    try:
        with file.open("rb") as lines:
            return verify_lines(lines, anchor)
    except OSError as error:
        raise ConfigurationError(f"--file: {file} cannot be read: {error.strerror}") from None


def _anchor(text: str | None) -> Anchor | None:
    try:
        return Anchor.parse(text) if text is not None else None
    except ValueError as error:
        raise ConfigurationError(f"--anchor: {error}") from None


def _tell(found: Verified, as_json: bool) -> None:
    if found.cut_line is not None:
        typer.echo(f"line {found.cut_line} was cut short: the log is in order up to there", err=True)
    if found.first > 1:
        typer.echo(f"it begins at position {found.first}: what was before is not here", err=True)
    if as_json:
        told = {"ok": True, "first": found.first, "rows": found.rows, "anchor": str(found.head)}
        typer.echo(json.dumps(told | {"cut_line": found.cut_line}))
        return
    typer.echo(f"{found.rows} rows are in order.")
    typer.echo(f"anchor {found.head}")


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    """Turn tampering into its line on standard error, for scripts on standard output, and exit status 1."""
    try:
        yield
    except Tampering as error:
        if as_json:
            told = {"ok": False, "what": str(error), "position": error.position, "row": error.row, "line": error.line}
            typer.echo(json.dumps(told))
        typer.echo(f"gatepost: the audit log was tampered with: {error}", err=True)
        raise typer.Exit(1) from None


@contextmanager
def _progress(what: str, as_json: bool) -> Iterator[Report]:
    if as_json or not sys.stdout.isatty():
        yield lambda done, total: None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _run(act: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    return on_database(lambda database, _: act(database))
