"""Databases for tests, and connections to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from gatepost.db import Connection, migrate
from gatepost.db.embedded import APPLICATION_ROLE

# A migrated database that each test's own is copied from.
TEMPLATE = "gatepost_template"


def database_url(server_url: str, name: str) -> str:
    """Return the URL of a database of a server, from the URL of the server's database `postgres`."""
    return server_url.replace("/postgres?", f"/{name}?")


def application_url(url: str) -> str:
    """Return the URL of a database for the role of the service, from that for the owner of the schema."""
    return url.replace("//gatepost@", f"//{APPLICATION_ROLE}@")


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Connection]:
    """Open a connection that is closed at the end of the block."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def temporary_database(server_url: str, name: str, template: str = TEMPLATE) -> AsyncIterator[str]:
    """Create a database, yield its URL, and drop it."""
    async with connect(server_url) as connection:
        await connection.execute(f"create database {name} template {template}")
        try:
            yield database_url(server_url, name)
        finally:
            await connection.execute(f"drop database {name} with (force)")


async def prepare_server(server_url: str) -> None:
    """Create the template database on a new server, and turn off what only protects data that has to last."""
    async with connect(server_url) as connection:
        for setting in (
            "fsync = off",
            "synchronous_commit = off",
            "full_page_writes = off",
            "max_wal_size = 256",
            "max_connections = 100",
        ):
            await connection.execute(f"alter system set {setting}")
        await connection.execute("select pg_reload_conf()")
        await connection.execute(f"create database {TEMPLATE}")
        await connection.execute(f"create role {APPLICATION_ROLE} login")
    await migrate(database_url(server_url, TEMPLATE), application_role=APPLICATION_ROLE)


def execute(url: str, *statements: str) -> None:
    """Execute statements from a test that is not asynchronous."""

    async def run() -> None:
        async with connect(url) as connection:
            for statement in statements:
                await connection.execute(statement)

    asyncio.run(run())


def fetch(url: str, query: str, *arguments: Any) -> list[dict[str, Any]]:
    """Return the rows of a query to a test that is not asynchronous."""

    async def run() -> list[dict[str, Any]]:
        async with connect(url) as connection:
            return [dict(row) for row in await connection.fetch(query, *arguments)]

    return asyncio.run(run())
