"""The composition root: builds what the rooms need, and takes it down again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import Any

from gatepost import log
from gatepost import package_files as assets
from gatepost.accounts import store as accounts
from gatepost.audit.sealer import seal
from gatepost.db.embedded import EmbeddedPostgres
from gatepost.db.lease_worker import Carrier
from gatepost.db.listener import Listener
from gatepost.db.migrations import migrate, pending
from gatepost.db.pool import Database, Reader
from gatepost.errors import ConfigurationError
from gatepost.geoip import Places
from gatepost.mail.delivery.payloads import Composer
from gatepost.mail.delivery.worker import Worker
from gatepost.mail.mailbox.service import Mailbox
from gatepost.mail.notifications.service import Notices
from gatepost.mail.outbox import events
from gatepost.mail.outbox.service import Emails
from gatepost.mail.templates.files import read_templates
from gatepost.mail.templates.published import Published
from gatepost.mail.templates.renderer import Renderer
from gatepost.mail.templates.service import Templates
from gatepost.mail.transports.factory import open_transports
from gatepost.metrics import Metrics
from gatepost.security import crypto as vault
from gatepost.security.access_tokens import AccessTokens
from gatepost.security.cookies import Cookies, Origins
from gatepost.security.known_devices import KnownDevices
from gatepost.security.link_tokens import LinkTokens
from gatepost.security.passwords import Passwords
from gatepost.security.rate_limits import Throttle
from gatepost.security.refresh_tokens import RefreshTokens
from gatepost.security.signing_keys import KeyRing
from gatepost.sessions import store as sessions
from gatepost.sessions.events import CHANNEL, Hook, SessionEnds
from gatepost.settings import Settings
from gatepost.webhooks import store as webhooks
from gatepost.webhooks.worker import Courier

# Seconds between two rounds of upkeep: how long a retired signing key still counts.
_UPKEEP = 30.0

logger = log.get_logger()


class Runtime:
    """One mounted Gatepost, opened and closed by the lifespan of its router."""

    def __init__(
        self, settings: Settings, url: str, database: Database, reader: Reader, renderer: Renderer, places: Places
    ) -> None:
        secret = vault.secret_key(settings)
        self.settings = settings
        self.database = database
        self.reader = reader
        self.places = places
        self.passwords = Passwords()
        self.keys = KeyRing(database, secret)
        self.access_tokens = AccessTokens(self.keys, settings.issuer, settings.access_token_ttl)
        self.refresh_tokens = RefreshTokens(secret)
        self.cookies = Cookies(settings)
        self.origins = Origins(settings)
        self.throttle = Throttle(settings)
        self.known_devices = KnownDevices(secret, settings)
        self.links = LinkTokens(secret)
        builtins = read_templates(assets.emails())
        self.templates = Templates(database, builtins, renderer)
        self.published = Published(database, builtins, renderer)
        self.emails = Emails(database, self.published, self.templates, renderer)
        notices = Notices(settings, self.links, places)
        self._sender = settings.sender
        self.mailbox = Mailbox(database, notices, self._sender)
        self._composer = Composer(database, self.published, renderer, notices)
        self._url = url
        self.metrics = Metrics()
        self.metrics.watch_pool("requests", database.size, database.idle)
        self.metrics.watch_pool("guard", reader.size, reader.idle)

    async def make_admin(self) -> None:
        """Make the admin of `ADMIN_EMAIL`, unless the address has an account."""
        email, password = self.settings.admin_email, self.settings.admin_password
        if email is None or password is None:
            return
        password_hash = await self.passwords.hash(password.get_secret_value())
        async with self.database.transaction() as connection:
            if await accounts.create_person(connection, email.lower(), password_hash, "admin", confirmed=True):
                logger.info("made the first admin")
                return
            found = await accounts.find_person(connection, email)
        if found and found[0].role != "admin":
            logger.warning("GATEPOST_ADMIN_EMAIL belongs to somebody who is no admin: nothing was changed")

    @asynccontextmanager
    async def carrying_mail(self) -> AsyncIterator[None]:
        """Have a mail worker for the length of a block; at its end it finishes, or puts down, what it has in hand."""
        async with AsyncExitStack() as stack:
            transports = open_transports(self.settings)
            for transport in transports:
                stack.push_async_callback(transport.close)
            worker = Worker(self.database, self._composer, transports, self._sender, self.metrics)
            async with self._working(worker, "gatepost_emails"):
                yield

    @asynccontextmanager
    async def carrying_webhooks(self) -> AsyncIterator[None]:
        """Have the URL of the settings told of every session that ends; where none is set, keep nothing for any."""
        await webhooks.register(self.database, self.settings.session_webhook_url)
        courier = Courier.of(self.settings, self.database, self.places)
        if courier is None:
            yield
            return
        async with aclosing(courier), self._working(courier, CHANNEL):
            yield

    @asynccontextmanager
    async def _working(self, carrier: Carrier[Any], channel: str) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            listening = asyncio.create_task(Listener(self._url, {channel: carrier.wake}).run())
            stack.push_async_callback(_cancelled, listening)
            working = asyncio.create_task(carrier.run())
            try:
                yield
            finally:
                carrier.stop()
                await working

    @asynccontextmanager
    async def telling(self, hook: Hook | None) -> AsyncIterator[None]:
        """Have a host's hook called for the length of a block whenever a session ends."""
        if hook is None:
            yield
            return
        ends = SessionEnds(self.database, self.settings, self.places, hook)
        async with AsyncExitStack() as stack:
            for work in (ends.run(), Listener(self._url, {CHANNEL: ends.hear}).run()):
                stack.push_async_callback(_cancelled, asyncio.create_task(work))
            yield

    async def keep_up(self) -> None:
        """Do, every half a minute, what no request should wait for."""
        while True:
            await asyncio.sleep(_UPKEEP * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret
            try:
                await self.keys.reload()
                await sessions.erase_successors(self.database)
                await seal(self.database)
                await events.match(self.database)
            except Exception as error:
                logger.error("upkeep failed", exc_info=error)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Runtime]:
    """Have a runtime for the length of a block: its database, keys and threads.

    Raises:
        ConfigurationError: a database cannot be opened or lacks migrations, or a secret does not fit.
    """
    async with AsyncExitStack() as stack:
        places = Places(settings.geoip_database)
        stack.callback(places.close)
        url = await _database_url(stack, settings)
        database = await Database.open(url)
        stack.push_async_callback(database.close)
        await _demand_schema(database)
        reader = await Reader.open(url)
        stack.push_async_callback(reader.close)
        renderer = Renderer(settings, assets.emails())
        stack.push_async_callback(renderer.close)
        runtime = Runtime(settings, url, database, reader, renderer, places)
        stack.callback(runtime.passwords.close)
        await runtime.published.register()
        await runtime.keys.reload()
        await runtime.make_admin()
        upkeep = asyncio.create_task(runtime.keep_up())
        stack.push_async_callback(_cancelled, upkeep)
        yield runtime


async def _database_url(stack: AsyncExitStack, settings: Settings) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    embedded = await asyncio.to_thread(EmbeddedPostgres.start, settings.data_dir)
    stack.push_async_callback(asyncio.to_thread, embedded.stop)
    logger.info("embedded database", data=str(embedded.data))
    await migrate(embedded.url)
    return embedded.url


async def _demand_schema(database: Database) -> None:
    async with database.connection() as connection:
        missing = await pending(connection)
    if missing:
        raise ConfigurationError(f"the database lacks {len(missing)} migrations: run `gatepost migrate` first")


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
