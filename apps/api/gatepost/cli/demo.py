"""`gatepost seed`: the demo data."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from uuid import UUID

import typer

from gatepost.accounts import change_password, create_user, find_user
from gatepost.cli import demo_emails
from gatepost.cli.database import migrated_database
from gatepost.db import Connection
from gatepost.errors import ConfigurationError
from gatepost.runtime import Runtime, open_runtime
from gatepost.settings import Settings

# Email address and password.
ADMIN = ("admin@example.com", "gatepost-admin")
USER = ("demo@example.com", "gatepost-demo")
# User-Agent header and IP address.
_DEVICES = (
    (
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.5 Mobile/15E148 Safari/604.1"
        ),
        "203.0.113.7",
    ),
    (
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/141.0.0.0 Safari/537.36"
        ),
        "198.51.100.23",
    ),
)


def seed() -> None:
    """Create demo data: an admin, a user with two devices, and emails. Existing data is not changed."""
    configured = Settings()
    _reject_production(configured)
    with migrated_database(configured) as settings:
        seed_database(settings)


def seed_database(settings: Settings) -> None:
    """Create the demo data and print how to sign in.

    Raises:
        ConfigurationError: this is production, or the database lacks migrations.
    """
    _reject_production(settings)
    kept = asyncio.run(_seed(settings))
    for label, (email, password) in (("Demo sign-in", USER), ("Admin sign-in", ADMIN)):
        if email == kept:
            typer.echo(f"{label}: {email} / your own password, because this is GATEPOST_ADMIN_EMAIL")
        else:
            typer.echo(f"{label}: {email} / {password}")


async def require_no_demo_accounts(runtime: Runtime) -> None:
    """Require that no account has one of the demo passwords, which are public.

    Raises:
        ConfigurationError: one does, so that anyone who reaches the service could sign in.
    """
    async with runtime.database.connection() as connection:
        found = [(await find_user(connection, email), password) for email, password in (ADMIN, USER)]
    for account, password in found:
        if account is not None and await runtime.passwords.verify(account.password_hash, password):
            raise ConfigurationError(
                f"GATEPOST_HOST: the database has the demo account {account.user.email}, whose password is public: "
                "listen on 127.0.0.1, or delete the account"
            )


def _reject_production(settings: Settings) -> None:
    if settings.environment == "production":
        raise ConfigurationError(
            "GATEPOST_ENVIRONMENT: is production, where no demo data is created: the demo passwords are public"
        )


async def _seed(settings: Settings) -> str | None:
    """Create what is missing; return the demo email address that is the operator's, if one is."""
    async with open_runtime(settings) as runtime:
        kept = await _create_operator(runtime)
        admin_hash, user_hash = await runtime.passwords.hash(ADMIN[1]), await runtime.passwords.hash(USER[1])
        async with runtime.database.transaction() as connection:
            await create_user(connection, ADMIN[0], admin_hash, "admin", confirmed=True)
            user = await create_user(connection, USER[0], user_hash, confirmed=True)
            if user is not None:
                await _open_sessions(runtime, connection, user.id)
            # With a real provider they would bounce: the email addresses do not exist.
            if settings.mail_transport == ["capture"]:
                await runtime.published_templates.register()
                await demo_emails.create(connection, USER[0], ADMIN[0])
        return kept


async def _create_operator(runtime: Runtime) -> str | None:
    """Let the operator's password hold where `ADMIN_EMAIL` is a demo address, even if the demo created it before."""
    email, password = runtime.settings.admin_email, runtime.settings.admin_password
    demo = dict((ADMIN, USER))
    if email is None or password is None or email.lower() not in demo:
        return None
    new_hash = await runtime.passwords.hash(password.get_secret_value())
    async with runtime.database.transaction() as connection:
        if await create_user(connection, email.lower(), new_hash, "admin", confirmed=True) is None:
            found = await find_user(connection, email)
            if found and await runtime.passwords.verify(found.password_hash, demo[email.lower()]):
                await change_password(
                    connection,
                    user_id=found.user.id,
                    session_id=None,
                    old_hash=found.password_hash,
                    new_hash=new_hash,
                    ip=None,
                    idle_timeout=runtime.settings.idle_timeout,
                )
    return email.lower()


async def _open_sessions(runtime: Runtime, connection: Connection, user_id: UUID) -> None:
    for user_agent, ip in _DEVICES:
        await runtime.sessions.open_session(
            connection, user_id=user_id, name=None, user_agent=user_agent, ip=ip_address(ip)
        )
