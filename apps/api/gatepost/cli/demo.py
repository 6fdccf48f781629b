"""`gatepost seed`: the demo data."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from uuid import UUID, uuid4

import typer

from gatepost.accounts import store as accounts
from gatepost.cli import demo_mail
from gatepost.cli.database import chosen_database
from gatepost.db.migrations import migrate, pending
from gatepost.db.pool import Connection, Database
from gatepost.errors import ConfigurationError
from gatepost.geoip import Places
from gatepost.security import crypto as vault
from gatepost.security.passwords import Passwords
from gatepost.security.refresh_tokens import RefreshTokens, digest
from gatepost.sessions import store as sessions
from gatepost.sessions.device import parse_device
from gatepost.settings import Settings

ADMIN = ("admin@example.com", "gatepost-admin")
PERSON = ("demo@example.com", "gatepost-demo")
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
    """Make the demo data: an admin, a person signed in on two devices, and mail. What is there already stays."""
    settings = Settings()
    _demand_no_production(settings)
    with chosen_database(settings) as url:
        if settings.database_url is None:
            asyncio.run(migrate(url))
        seed_database(settings, url)


def seed_database(settings: Settings, url: str) -> None:
    """Make the demo data in a database and say how to sign in.

    Raises:
        ConfigurationError: this is production, or the database lacks migrations.
    """
    _demand_no_production(settings)
    asyncio.run(_seed(settings, url))
    typer.echo(f"Demo sign-in: {PERSON[0]} / {PERSON[1]}")
    typer.echo(f"Admin sign-in: {ADMIN[0]} / {ADMIN[1]}")


def _demand_no_production(settings: Settings) -> None:
    if settings.environment == "production":
        raise ConfigurationError("GATEPOST_ENVIRONMENT: is production; demo accounts have passwords that anybody knows")


async def _seed(settings: Settings, url: str) -> None:
    database = await Database.open(url, size=1)
    passwords = Passwords()
    try:
        admin_hash, person_hash = await passwords.hash(ADMIN[1]), await passwords.hash(PERSON[1])
        async with database.transaction() as connection:
            if await pending(connection):
                raise ConfigurationError("the database lacks migrations: run `gatepost migrate` first")
            await accounts.create_person(connection, ADMIN[0], admin_hash, "admin", confirmed=True)
            person = await accounts.create_person(connection, PERSON[0], person_hash, confirmed=True)
            if person is not None:
                await _sign_in(connection, settings, person.id)
            # Nobody reads what is sent to these addresses: a real way out would take offence.
            if settings.mail_transport == ["capture"]:
                await demo_mail.seed(connection, PERSON[0], ADMIN[0])
    finally:
        passwords.close()
        await database.close()


async def _sign_in(connection: Connection, settings: Settings, user_id: UUID) -> None:
    tokens = RefreshTokens(vault.secret_key(settings))
    for user_agent, address in _DEVICES:
        session_id = uuid4()
        await sessions.open_session(
            connection,
            settings,
            Places(),
            session_id=session_id,
            user_id=user_id,
            token_hash=digest(tokens.mint(session_id)),
            name=None,
            device=parse_device(user_agent),
            ip=ip_address(address),
        )
