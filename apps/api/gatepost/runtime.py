"""The composition root: builds the services of one mounted Gatepost, and runs its background work.

Services are built when they are first used, so that a command of the CLI imports and starts only what it needs.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gatepost import accounts, admin, audit, log, package_files, security, sessions, webhooks
from gatepost.db import (
    Database,
    EmbeddedPostgres,
    LeaseWorker,
    Listener,
    Reader,
    can_erase_audit,
    migrate_embedded,
    pending,
)
from gatepost.errors import ConfigurationError
from gatepost.geoip import GeoIp
from gatepost.http import BodyParsing, ForwardingServer
from gatepost.mail import delivery, mailbox, notifications, outbox, templates, transports
from gatepost.metrics import Metrics
from gatepost.settings import Settings

if TYPE_CHECKING:
    from gatepost.mail.templates import PublishedTemplates, TemplateFiles
    from gatepost.sessions import SessionEndHook

# Seconds between two rounds of maintenance. A retired signing key is accepted for up to this long.
_MAINTENANCE_SECONDS = 30.0
_ANCHOR_SECONDS = 3600.0
_EMAIL_CHANNEL = "gatepost_emails"

logger = log.get_logger()


class Runtime:
    """The services of one mounted Gatepost. `reader` is the guard's own connection pool."""

    def __init__(self, settings: Settings, url: str, database: Database, reader: Reader, geoip: GeoIp) -> None:
        self.settings = settings
        self.database = database
        self.reader = reader
        self.geoip = geoip
        self.forwarding_server: ForwardingServer | None = None
        self.metrics = Metrics()
        self.metrics.watch_pool("requests", database.size, database.idle)
        self.metrics.watch_pool("guard", reader.size, reader.idle)
        self._url = url
        self._anchor_logged_at = -_ANCHOR_SECONDS
        self._secrets = security.secret_keys(settings)

    @cached_property
    def seal_keys(self) -> audit.SealKeys:
        """The keys of the audit log's seals."""
        return audit.SealKeys(self._secrets)

    @cached_property
    def body_parsing(self) -> BodyParsing:
        """Parses request bodies."""
        return BodyParsing()

    @cached_property
    def passwords(self) -> security.Passwords:
        """Hashes and verifies passwords."""
        return security.Passwords()

    @cached_property
    def password_rules(self) -> security.PasswordRules:
        """Rejects new passwords that are easy to guess."""
        return security.PasswordRules(self.settings)

    @cached_property
    def signing_keys(self) -> security.SigningKeys:
        """The keys that sign access tokens; loaded by `start`."""
        return security.SigningKeys(self.database, self._secrets)

    @cached_property
    def access_tokens(self) -> security.AccessTokens:
        """Issues and verifies access tokens."""
        return security.AccessTokens(self.signing_keys, self.settings.issuer, self.settings.access_token_ttl)

    @cached_property
    def refresh_tokens(self) -> security.RefreshTokens:
        """Creates and verifies refresh tokens."""
        return security.RefreshTokens(self._secrets)

    @cached_property
    def link_tokens(self) -> security.LinkTokens:
        """Creates and verifies the tokens of links in emails."""
        return security.LinkTokens(self._secrets)

    @cached_property
    def cookies(self) -> security.Cookies:
        """The token cookies."""
        return security.Cookies(self.settings)

    @cached_property
    def origins(self) -> security.Origins:
        """The origins whose pages may use cookies."""
        return security.Origins(self.settings)

    @cached_property
    def hosts(self) -> security.Hosts:
        """The hosts that the service answers for."""
        return security.Hosts(self.settings)

    @cached_property
    def known_devices(self) -> security.KnownDevices:
        """Marks browsers as known to a user."""
        return security.KnownDevices(self._secrets, self.settings)

    @cached_property
    def rate_limiter(self) -> security.RateLimiter:
        """Limits password attempts, registrations and links."""
        return security.RateLimiter(self.settings, self.database, self._secrets)

    @cached_property
    def sessions(self) -> sessions.SessionService:
        """Opens, refreshes, lists and revokes sessions."""
        return sessions.SessionService(self.settings, self.refresh_tokens)

    @cached_property
    def accounts(self) -> accounts.AccountService:
        """Creates users and checks passwords."""
        return accounts.AccountService(self.database, self.passwords, self.rate_limiter)

    @cached_property
    def admin(self) -> admin.AdminService:
        """The actions of admins."""
        return admin.AdminService(self.database, self.geoip, self.settings.idle_timeout)

    @cached_property
    def renderer(self) -> templates.Renderer:
        """Checks and renders templates in sandbox processes, which start with the first template."""
        return templates.Renderer(self.settings, package_files.emails())

    @cached_property
    def templates(self) -> templates.TemplateService:
        """Drafts, previews and publishes templates."""
        return templates.TemplateService(self.database, self._builtin_templates, self.renderer)

    @cached_property
    def published_templates(self) -> PublishedTemplates:
        """The published versions that emails are rendered from."""
        return templates.PublishedTemplates(self.database, self._builtin_templates, self.renderer)

    @cached_property
    def emails(self) -> outbox.EmailService:
        """Queues, resends and cancels emails."""
        return outbox.EmailService(self.database, self.published_templates, self.templates, self.renderer)

    @cached_property
    def notification_content(self) -> notifications.NotificationContent:
        """The content of notifications."""
        return notifications.NotificationContent(self.settings, self.link_tokens, self.geoip)

    @cached_property
    def notifications(self) -> notifications.NotificationService:
        """Turns the kinds of email that users receive on and off."""
        return notifications.NotificationService(self.templates)

    @cached_property
    def mailbox(self) -> mailbox.Mailbox:
        """Emails that were captured instead of sent."""
        return mailbox.Mailbox(self.database, self.notification_content, self.settings.sender)

    @cached_property
    def _builtin_templates(self) -> Mapping[str, TemplateFiles]:
        return templates.read_templates(package_files.emails())

    async def close(self) -> None:
        """Stop the threads and processes that were started, and close connections."""
        if "renderer" in self.__dict__:
            await self.renderer.close()
        if "passwords" in self.__dict__:
            self.passwords.close()
        if "rate_limiter" in self.__dict__:
            await self.rate_limiter.close()
        if "password_rules" in self.__dict__:
            await self.password_rules.close()

    @asynccontextmanager
    async def serving(self, on_session_ended: SessionEndHook | None = None) -> AsyncIterator[None]:
        """Prepare to serve requests, and run all background work until the block ends.

        Raises:
            ConfigurationError: the secret key does not fit the database.
        """
        await self.signing_keys.reload()
        await self._create_admin()
        maintenance = asyncio.create_task(self._maintain())
        following = asyncio.create_task(self.signing_keys.follow())
        try:
            channels = {security.SIGNING_KEYS_CHANNEL: self.signing_keys.wake}
            async with self.working(on_session_ended, channels):
                yield
        finally:
            await _cancel(following)
            await _cancel(maintenance)

    @asynccontextmanager
    async def working(
        self,
        on_session_ended: SessionEndHook | None = None,
        channels: Mapping[str, Callable[[str], None]] | None = None,
    ) -> AsyncIterator[None]:
        """Run the email worker, the webhook worker and the host's hook until the block ends, on one LISTEN connection.

        `channels` are further channels of the connection, with what they call back. At the end the workers finish their
        jobs or release them.
        """
        await self._check_role()
        await self.published_templates.register()
        async with AsyncExitStack() as stack:
            listener = Listener(self._url)
            for channel, callback in (channels or {}).items():
                listener.subscribe(channel, callback)
            await self._start(stack, await self._email_worker(stack), listener, _EMAIL_CHANNEL)
            if worker := await self._webhook_worker(stack):
                await self._start(stack, worker, listener, sessions.SESSION_END_CHANNEL)
            if on_session_ended is not None:
                hook = sessions.SessionEndListener(self.database, self.sessions, self.geoip, on_session_ended)
                listener.subscribe(sessions.SESSION_END_CHANNEL, hook.receive)
                stack.push_async_callback(_cancel, asyncio.create_task(hook.run()))
            stack.push_async_callback(_cancel, asyncio.create_task(listener.run()))
            yield

    async def _email_worker(self, stack: AsyncExitStack) -> delivery.EmailWorker:
        opened = transports.create_transports(self.settings)
        for transport in opened:
            stack.push_async_callback(transport.close)
        payloads = delivery.PayloadBuilder(
            self.database, self.published_templates, self.renderer, self.notification_content
        )
        return delivery.EmailWorker(self.database, payloads, opened, self.settings.sender, self.metrics)

    async def _webhook_worker(self, stack: AsyncExitStack) -> webhooks.WebhookWorker | None:
        await webhooks.set_url(self.database, self.settings.session_webhook_url)
        if self.settings.session_webhook_url is None:
            return None
        worker = webhooks.WebhookWorker.from_settings(self.settings, self.database, self.geoip)
        return await stack.enter_async_context(aclosing(worker)) if worker else None

    async def _start(self, stack: AsyncExitStack, worker: LeaseWorker[Any], listener: Listener, channel: str) -> None:
        listener.subscribe(channel, worker.wake)
        running = asyncio.create_task(worker.run())

        async def stop() -> None:
            worker.stop()
            await running

        stack.push_async_callback(stop)

    async def _check_role(self) -> None:
        async with self.database.connection() as connection:
            if await can_erase_audit(connection):
                logger.warning(
                    "GATEPOST_DATABASE_URL: its role can change and delete audit rows, so only "
                    "`gatepost audit verify` protects them: give it another role than GATEPOST_MIGRATION_DATABASE_URL"
                )

    async def _create_admin(self) -> None:
        """Create the admin of `ADMIN_EMAIL`, unless the email address has an account.

        Raises:
            ConfigurationError: the password is too easy to guess.
        """
        email, password = self.settings.admin_email, self.settings.admin_password
        if email is None or password is None:
            return
        async with self.database.connection() as connection:
            found = await accounts.find_user(connection, email)
        if found is None:
            if problem := await self.password_rules.find_problem(password.get_secret_value(), email):
                raise ConfigurationError(f"GATEPOST_ADMIN_PASSWORD: {problem[1]}")
            password_hash = await self.passwords.hash(password.get_secret_value())
            async with self.database.transaction() as connection:
                if await accounts.create_user(connection, email.lower(), password_hash, "admin", confirmed=True):
                    logger.info("created the admin of GATEPOST_ADMIN_EMAIL")
                    return
                found = await accounts.find_user(connection, email)
        if found and found.user.role != "admin":
            logger.warning("GATEPOST_ADMIN_EMAIL is the account of a user who is not an admin: nothing was changed")

    async def _maintain(self) -> None:
        """Do periodically what no request should wait for."""
        sealer = audit.Sealer(self.database, self.seal_keys)
        while True:
            await asyncio.sleep(_MAINTENANCE_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret
            try:
                await self.signing_keys.reload()
                await self.sessions.erase_successors(self.database)
                await self.rate_limiter.delete_empty()
                self._log_anchor(await sealer.seal())
                await outbox.match_provider_events(self.database)
            except Exception as error:
                logger.error("maintenance failed", exc_info=error)

    def _log_anchor(self, anchor: audit.Anchor) -> None:
        """Log the audit log's anchor once an hour: a copy outside of the database."""
        if time.monotonic() - self._anchor_logged_at >= _ANCHOR_SECONDS:
            self._anchor_logged_at = time.monotonic()
            logger.info("audit anchor", anchor=str(anchor))


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Open the database and have a runtime until the block ends. Nothing runs in the background yet.

    Raises:
        ConfigurationError: the database cannot be opened, or migrations are pending.
    """
    async with AsyncExitStack() as stack:
        geoip = GeoIp(settings.geoip_database)
        stack.callback(geoip.close)
        url = await _database_url(stack, settings)
        database = await Database.open(url)
        stack.push_async_callback(database.close)
        await _require_migrations(database)
        reader = await Reader.open(url)
        stack.push_async_callback(reader.close)
        runtime = Runtime(settings, url, database, reader, geoip)
        stack.push_async_callback(runtime.close)
        yield runtime


async def _database_url(stack: AsyncExitStack, settings: Settings) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    embedded = await asyncio.to_thread(EmbeddedPostgres.start, settings.data_dir)
    stack.push_async_callback(asyncio.to_thread, embedded.stop)
    logger.info("embedded database", data=str(embedded.data))
    await migrate_embedded(embedded)
    return embedded.application_url


async def _require_migrations(database: Database) -> None:
    async with database.connection() as connection:
        missing = await pending(connection)
    if missing:
        raise ConfigurationError(f"migrations are pending ({len(missing)}): run `gatepost migrate`")


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
