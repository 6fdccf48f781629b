"""The command `gatepost`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from gatepost.errors import ApiError, ConfigurationError

# The module of each command and its attribute there. A process imports only the command that it runs.
_COMMANDS = {
    "serve": ("serve", "serve"),
    "work": ("work", "work"),
    "migrate": ("migrations", "migrate"),
    "migrations": ("migrations", "app"),
    "seed": ("demo", "seed"),
    "audit": ("audit", "app"),
    "sessions": ("sessions", "app"),
    "users": ("users", "app"),
    "keys": ("keys", "app"),
    "templates": ("templates", "app"),
    "emails": ("emails", "app"),
}
# One line per paragraph: line breaks within a paragraph would be printed.
_HELP = (
    "Multi-device sessions and transactional email.\n\n"
    "Settings are environment variables, such as GATEPOST_DATABASE_URL. "
    "Without a database URL, the embedded database in the current directory is used.\n\n"
    "Destructive commands ask for confirmation; without a terminal they need --yes.\n\n"
    "Exit status: 0 for success, 1 if nothing was found or the command failed, 2 for wrong usage or a wrong setting."
)


class _Commands(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        # To suggest a similar name for an unknown one, all commands are needed.
        for name in [cmd_name] if cmd_name in _COMMANDS else _COMMANDS:
            self.commands.setdefault(name, _load(name))
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    name="gatepost", cls=_Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.callback(help=_HELP)
def _gatepost() -> None:
    pass


def _load(name: str) -> Any:
    module, attribute = _COMMANDS[name]
    found: typer.Typer | Callable[..., None] = getattr(import_module(f"gatepost.cli.{module}"), attribute)
    parent = typer.Typer()
    if isinstance(found, typer.Typer):
        parent.add_typer(found, name=name)
    else:
        parent.command(name)(found)
    return get_group(parent).commands[name]


def main() -> None:
    """Run the command line. A wrong setting is reported in one line, with exit status 2."""
    _handle_signals()
    try:
        app()
    except (ConfigurationError, ApiError) as error:
        from gatepost.cli import output  # noqa: PLC0415

        print(f"gatepost: {output.error_line(error)}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    finally:
        # From here on, a signal would only interrupt the shutdown of the interpreter.
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)


def _handle_signals() -> None:
    """Handle signals like Ctrl+C, so that the embedded database is stopped. Under `nohup`, SIGHUP stays ignored."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        # Forwarded as SIGTERM, which uvicorn handles too.
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
