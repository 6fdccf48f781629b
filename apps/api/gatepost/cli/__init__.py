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

from gatepost.errors import ConfigurationError, Refusal

# Where each command is; a process imports the one that it is asked for, and no other.
_COMMANDS = {
    "serve": ("service", "serve"),
    "work": ("work", "work"),
    "migrate": ("database", "migrate"),
    "migrations": ("database", "migrations"),
    "seed": ("demo", "seed"),
    "audit": ("audit", "app"),
    "sessions": ("sessions", "app"),
    "users": ("people", "app"),
    "keys": ("keys", "app"),
    "templates": ("templates", "app"),
    "emails": ("emails", "app"),
}


class _Commands(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        # Of a name that is none, all: one like it is suggested.
        for name in [cmd_name] if cmd_name in _COMMANDS else _COMMANDS:
            self.commands.setdefault(name, _imported(name))
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    name="gatepost", cls=_Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.callback()
def _gatepost() -> None:
    """Multi-device sessions and transactional e-mail."""


def _imported(name: str) -> Any:
    module, attribute = _COMMANDS[name]
    found: typer.Typer | Callable[..., None] = getattr(import_module(f"gatepost.cli.{module}"), attribute)
    holder = typer.Typer()
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name)
    else:
        holder.command(name)(found)
    return get_group(holder).commands[name]


def main() -> None:
    """Run the command line; what is wrong with the setting up is one line on standard error and exit status 2."""
    _unwind_on_signals()
    try:
        app()
    except (ConfigurationError, Refusal) as error:
        from gatepost.cli import output  # noqa: PLC0415

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
