"""`gatepost work`."""

from __future__ import annotations

import asyncio
import signal

import typer

from gatepost import log
from gatepost.cli.database import migrated_database
from gatepost.runtime import open_runtime
from gatepost.settings import Settings


def work() -> None:
    """Run only the email and webhook workers, until stopped (Ctrl+C or SIGTERM).

    Any number of them can run at the same time, on any machine.
    """
    configured = Settings()
    log.configure(configured.log_level, configured.log_format)
    with migrated_database(configured) as settings:
        asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    stopped = asyncio.Event()
    async with open_runtime(settings) as runtime, runtime.working():
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, stopped.set)
        typer.echo(f"Gatepost sends emails with {', '.join(settings.mail_transport)}")
        await stopped.wait()
