"""`gatepost work`."""

from __future__ import annotations

import asyncio
import signal

import typer
from pydantic import SecretStr

from gatepost import log, runtime
from gatepost.cli.database import chosen_database
from gatepost.db.migrations import migrate
from gatepost.settings import Settings


def work() -> None:
    """Send mail and webhooks, and nothing else, until stopped (Ctrl+C, SIGTERM); any number may run, on any machine."""
    settings = Settings()
    log.configure()
    with chosen_database(settings) as url:
        if settings.database_url is None:
            asyncio.run(migrate(url))
        asyncio.run(_work(settings.model_copy(update={"database_url": SecretStr(url)})))


async def _work(settings: Settings) -> None:
    stopped = asyncio.Event()
    async with runtime.opened(settings) as opened, opened.carrying_mail(), opened.carrying_webhooks():
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, stopped.set)
        typer.echo(f"Gatepost sends mail by {', '.join(settings.mail_transport)}")
        await stopped.wait()
