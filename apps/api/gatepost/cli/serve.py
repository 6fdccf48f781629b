"""`gatepost serve`."""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import socket
from ipaddress import ip_address
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from gatepost import log
from gatepost.app import create_app
from gatepost.cli.database import migrated_database
from gatepost.cli.demo import require_no_demo_accounts, seed_database
from gatepost.errors import ConfigurationError
from gatepost.runtime import open_runtime
from gatepost.settings import Settings


def serve(
    host: Annotated[
        str | None, typer.Option(help="Host name or IP address to listen on; default: GATEPOST_HOST, or 127.0.0.1")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on, 0 for a free one; default: GATEPOST_PORT, or 8000")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Create demo data first; with the embedded database only")
    ] = False,
) -> None:
    """Run the service until stopped (Ctrl+C or SIGTERM)."""
    options = {"host": host, "port": port}
    configured = Settings(**{name: value for name, value in options.items() if value is not None})
    log.configure(configured.log_level, configured.log_format)
    with _listening(configured.host, configured.port) as listener, migrated_database(configured) as migrated:
        if demo:
            _require_demo_allowed(configured, is_local=_is_loopback(listener))
            seed_database(migrated)
        address, actual_port = listener.getsockname()[:2]
        # Links in emails contain the port, which may have been 0.
        settings = migrated.model_copy(update={"port": actual_port})
        is_public = settings.environment == "production" or not _is_loopback(listener)
        asyncio.run(_check(settings, is_public=is_public))
        typer.echo(f"Gatepost listens on http://{f'[{address}]' if ':' in address else address}:{actual_port}")
        config = uvicorn.Config(
            create_app(settings),
            log_config=None,
            access_log=False,
            # Gatepost finds the client's IP address itself, with GATEPOST_TRUSTED_PROXIES.
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
        server = _Server(config)
        # Uvicorn sets handlers of its own and, at its end, restores these and raises the signal again.
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, server.handle_exit)
        server.run(sockets=[listener])


def _is_loopback(listener: socket.socket) -> bool:
    return ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def _require_demo_allowed(settings: Settings, *, is_local: bool) -> None:
    """Allow demo accounts, whose passwords are public, in the embedded database and on this machine only."""
    if settings.database_url is not None:
        raise ConfigurationError("--demo needs the embedded database: omit it, or unset GATEPOST_DATABASE_URL")
    if not is_local:
        raise ConfigurationError("GATEPOST_HOST: --demo works on this machine only: omit it, or listen on 127.0.0.1")


class _Server(uvicorn.Server):
    """A server that shuts down gracefully, within ten seconds. Uvicorn's own would quit at a second signal."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and exempt what stays from garbage collection: going through all modules takes 70 ms."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle the first signal; further ones change nothing."""
        if not self.should_exit:
            super().handle_exit(sig, frame)


async def _check(settings: Settings, *, is_public: bool) -> None:
    # So that a wrong setting is an error of one line; from within uvicorn, it would be a traceback.
    async with open_runtime(settings) as runtime:
        await runtime.signing_keys.reload()
        if is_public:
            await require_no_demo_accounts(runtime)


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # A client that connects early waits until the service is up.
        listener.listen()
    except OSError as error:
        setting = "GATEPOST_PORT" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "GATEPOST_HOST"
        raise ConfigurationError(f"{setting}: cannot listen on {host} port {port}: {error.strerror}") from None
    except UnicodeError:
        raise ConfigurationError(f"GATEPOST_HOST: {host} is not a valid host name") from None
    return listener
