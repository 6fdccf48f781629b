"""`gatepost serve`."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from ipaddress import ip_address
from types import FrameType
from typing import Annotated

import typer
import uvicorn
from pydantic import SecretStr

from gatepost import log, runtime
from gatepost.app import create_app
from gatepost.cli.database import chosen_database
from gatepost.cli.demo import seed_database
from gatepost.db.migrations import migrate
from gatepost.errors import ConfigurationError
from gatepost.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on  [GATEPOST_HOST, 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one  [GATEPOST_PORT, 8000]")] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="First make the demo data; for the embedded database alone")
    ] = False,
) -> None:
    """Run the service until it is stopped (Ctrl+C, SIGTERM)."""
    given = {"host": host, "port": port}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    log.configure()
    with _listening(settings.host, settings.port) as listener, chosen_database(settings) as url:
        if settings.database_url is None:
            asyncio.run(migrate(url))
        if demo:
            _demand_private(settings, listener)
            seed_database(settings, url)
        address, actual_port = listener.getsockname()[:2]
        # Links in mails lead to where we really listen.
        settings = settings.model_copy(update={"database_url": SecretStr(url), "port": actual_port})
        asyncio.run(_rehearse(settings))
        typer.echo(f"Gatepost listens on http://{f'[{address}]' if ':' in address else address}:{actual_port}")
        config = uvicorn.Config(
            create_app(settings),
            log_config=None,
            access_log=False,
            # The client's address is ours to find out (TRUSTED_PROXIES).
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
        server = _Server(config)
        # Also before uvicorn listens for them, and after: it gives back what it found, and raises the signal again.
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, server.handle_exit)
        server.run(sockets=[listener])


def _demand_private(settings: Settings, listener: socket.socket) -> None:
    """Refuse demo accounts, whose passwords anybody knows, where anybody could use them."""
    if settings.database_url is not None:
        raise ConfigurationError("--demo is for the embedded database: leave it out, or unset GATEPOST_DATABASE_URL")
    if not ip_address(listener.getsockname()[0]).is_loopback:
        raise ConfigurationError(
            "GATEPOST_HOST: --demo is for this machine alone: leave it out, or listen on 127.0.0.1"
        )


class _Server(uvicorn.Server):
    """Stops in good order, within ten seconds, however often it is told to; uvicorn's own would break off."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take the first signal; those that follow change nothing."""
        if not self.should_exit:
            super().handle_exit(sig, frame)


async def _rehearse(settings: Settings) -> None:
    # What is wrong with the setting up is one line here; from within uvicorn it would be a traceback.
    async with runtime.opened(settings):
        pass


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Whoever reads our line may connect at once; they wait until the service is up.
        listener.listen()
    except OSError as error:
        at_fault = "GATEPOST_PORT" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "GATEPOST_HOST"
        raise ConfigurationError(f"{at_fault}: cannot listen on {host} port {port}: {error.strerror}") from None
    except UnicodeError:
        raise ConfigurationError(f"GATEPOST_HOST: {host} is no host name") from None
    return listener
