"""`gatepost audit verify|export|drop`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from gatepost import audit
from gatepost.audit import Anchor, SealKeys, Tampering, Verified
from gatepost.cli import output
from gatepost.cli.database import with_owner, with_runtime
from gatepost.db import Database
from gatepost.errors import ConfigurationError
from gatepost.runtime import Runtime
from gatepost.security import secret_keys
from gatepost.settings import Settings

app = typer.Typer(
    help="Verify and export the audit log, and delete its oldest rows.\n\n"
    "Exit status: 0 if the log is intact, 1 if it was tampered with, 2 for wrong usage or a wrong setting.",
    no_args_is_help=True,
)

Progress = Callable[[int, int], None]

AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object")]


@app.command()
def verify(
    file: Annotated[Path | None, typer.Option(help="Verify an exported file instead of the database")] = None,
    anchor: Annotated[
        str | None,
        typer.Option(
            metavar="POSITION:HASH",
            help="Anchor that an earlier `verify` printed; with it, rows removed from the end are detected too",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the first row of the audit log that was changed, removed or inserted.

    Prints an anchor for the next `verify`. Store it outside the database.
    """
    known = _parse_anchor(anchor)
    with _tampering_reported(as_json):
        if file is not None:
            verified = _verify_file(file, known)
        else:
            with output.progress("Verifying") as progress:
                verified = with_runtime(
                    lambda runtime: audit.verify_log(runtime.database, runtime.seal_keys, known, progress)
                )
        _print_verified(verified, as_json)


@app.command()
def export(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="New file to write; default: standard output")
    ] = None,
) -> None:
    """Export the sealed rows as JSON Lines. Each has its position, its hash and the hash of the row before."""
    with _tampering_reported(as_json=False):
        if file is None:
            with_runtime(lambda runtime: _write(runtime, sys.stdout.buffer, lambda _done, _total: None))
            return
        with _new_file(file) as out, output.progress("Exporting") as progress:
            rows = with_runtime(lambda runtime: _write(runtime, out, progress))
        typer.echo(f"Exported {output.counted(rows, 'row')} to {file}.")


@app.command()
def drop(
    before: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], metavar="TIME", help="Delete rows older than this time, in UTC"
        ),
    ],
    yes: output.Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete the oldest rows of the audit log, after verifying it. The rest can still be verified.

    Uses the role of GATEPOST_MIGRATION_DATABASE_URL, because that of the service cannot delete audit rows.
    """
    with _tampering_reported(as_json):
        with_owner(lambda runtime, owner: _drop(owner, runtime.seal_keys, before.replace(tzinfo=UTC), yes, as_json))


async def _drop(database: Database, keys: SealKeys, before: datetime, yes: bool, as_json: bool) -> None:
    with output.progress("Verifying") as progress:
        droppable = await audit.find_droppable(database, keys, before, progress)
    rows = droppable.rows if droppable else 0
    if rows and not yes:
        _confirm_drop(f"{output.counted(rows, 'row')} from before {before:%Y-%m-%d %H:%M:%S} UTC")
    with output.progress("Deleting") as progress:
        await audit.drop(database, keys, droppable, before, progress)
    if as_json:
        typer.echo(json.dumps({"dropped": rows, "position": droppable.last.position if droppable else None}))
    else:
        typer.echo(f"Deleted {output.counted(rows, 'row')}.")


def _confirm_drop(rows: str) -> None:
    # With exit status 2: status 1 would mean that the log was tampered with.
    if not sys.stdin.isatty():
        raise ConfigurationError(f"--yes: is required without a terminal, to confirm that {rows} are deleted")
    if not typer.confirm(f"Delete {rows}? This cannot be undone.", err=True):
        raise ConfigurationError("Canceled. Nothing was deleted.")


async def _write(runtime: Runtime, out: BinaryIO, progress: Progress) -> int:
    rows = 0
    async with aclosing(audit.export_lines(runtime.database, runtime.seal_keys, progress)) as lines:
        async for line in lines:
            out.write(line)
            rows += 1
    out.flush()
    return rows


@contextmanager
def _new_file(file: Path) -> Iterator[BinaryIO]:
    """Open a new file for the block; remove it if the block fails."""
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
    keys = _known_keys()
    if keys is None:
        typer.echo("Warning: the seals were verified without their key. Set GATEPOST_SECRET_KEY.", err=True)
    try:
        with file.open("rb") as lines:
            return audit.verify_lines(lines, anchor, keys)
    except OSError as error:
        raise ConfigurationError(f"--file: {file} cannot be read: {error.strerror}") from None


def _known_keys() -> SealKeys | None:
    """Return the keys of this installation, or None if there is no secret key: an auditor needs none."""
    settings = Settings()
    if settings.secret_key is None and not (settings.data_dir / "secret_key").exists():
        return None
    return SealKeys(secret_keys(settings))


def _parse_anchor(text: str | None) -> Anchor | None:
    try:
        return Anchor.parse(text) if text is not None else None
    except ValueError as error:
        raise ConfigurationError(f"--anchor: {error}") from None


def _print_verified(verified: Verified, as_json: bool) -> None:
    if verified.cut_line is not None:
        typer.echo(f"Warning: line {verified.cut_line} is incomplete. The lines before it were verified.", err=True)
    if verified.dropped_by is not None:
        dropped = f"Positions 1 to {verified.first - 1} were dropped, as the sealed row {verified.dropped_by} says."
        typer.echo(dropped, err=True)
    elif verified.first > 1:
        typer.echo(f"Warning: the log begins at position {verified.first}. Earlier rows were not verified.", err=True)
    if as_json:
        summary = {"ok": True, "first": verified.first, "rows": verified.rows, "anchor": str(verified.head)}
        typer.echo(json.dumps(summary | {"cut_line": verified.cut_line, "dropped_by": verified.dropped_by}))
        return
    typer.echo(f"{output.counted(verified.rows, 'row')} verified, no tampering found.")
    typer.echo(f"Anchor: {verified.head}")


@contextmanager
def _tampering_reported(as_json: bool) -> Iterator[None]:
    """Report tampering on standard error, with `as_json` also on standard output, and exit with status 1."""
    try:
        yield
    except Tampering as error:
        if as_json:
            position = {"position": error.position, "row": error.row, "line": error.line}
            typer.echo(json.dumps({"ok": False, "error": str(error), **position}))
        typer.echo(f"gatepost: The audit log was tampered with: {error}", err=True)
        raise typer.Exit(1) from None
