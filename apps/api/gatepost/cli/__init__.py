"""The command `gatepost`."""

from __future__ import annotations

import signal
import sys

import typer

from gatepost.cli import audit, database, demo, emails, keys, output, people, service, sessions, templates, work
from gatepost.errors import ConfigurationError, Refusal

app = typer.Typer(
    name="gatepost",
    help="Multi-device sessions and transactional e-mail.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(service.serve)
app.command()(work.work)
app.command()(database.migrate)
app.add_typer(database.migrations, name="migrations")
app.command()(demo.seed)
app.add_typer(audit.app, name="audit")
app.add_typer(sessions.app, name="sessions")
app.add_typer(people.app, name="users")
app.add_typer(keys.app, name="keys")
app.add_typer(templates.app, name="templates")
app.add_typer(emails.app, name="emails")


def main() -> None:
    """Run the command line; what is wrong with the setting up is one line on standard error and exit status 2."""
    _unwind_on_signals()
    try:
        app()
    except (ConfigurationError, Refusal) as error:
        print(f"gatepost: {output.one_line(error)}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    finally:
        # All is done; a signal now would only break into the interpreter's own end.
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)


def _unwind_on_signals() -> None:
    """End as on Ctrl+C, so that an embedded database is stopped. Under `nohup` a hang-up stays ignored."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        # As a SIGTERM, because that one uvicorn knows.
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
