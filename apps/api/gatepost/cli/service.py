"""`gatepost serve`."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from contextlib import suppress
from typing import Annotated

import typer
import uvicorn
from pydantic import SecretStr

from gatepost import log
from gatepost.app import create_app
from gatepost.cli.database import chosen_database
from gatepost.errors import ConfigurationError
from gatepost.migrate import migrate
from gatepost.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on  [GATEPOST_HOST, 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one  [GATEPOST_PORT, 8000]")] = None,
) -> None:
    """Run the service until it is stopped (Ctrl+C, SIGTERM)."""
    given = {"host": host, "port": port}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    log.configure()
    _unwind_on_signals()
    with _listening(settings.host, settings.port) as listener, chosen_database(settings) as url:
        if settings.database_url is None:
            asyncio.run(migrate(url))
        address, actual_port = listener.getsockname()[:2]
        typer.echo(f"Gatepost listens on http://{f'[{address}]' if ':' in address else address}:{actual_port}")
        config = uvicorn.Config(
            create_app(settings.model_copy(update={"database_url": SecretStr(url)})),
            log_config=None,
            access_log=False,
            # The client's address is ours to find out (TRUSTED_PROXIES).
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _unwind_on_signals() -> None:
    # uvicorn stops in good order and then raises the signal again: that must not skip stopping the database.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Whoever reads our line may connect at once; they wait until the service is up.
        listener.listen()
    except OSError as error:
        raise ConfigurationError(f"GATEPOST_PORT: cannot listen on {host} port {port}: {error.strerror}") from None
    return listener
