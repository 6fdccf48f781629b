"""Applications in the middle of a transaction, each through another database driver."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

WELCOME_ADA: dict[str, Any] = {
    "template": "welcome",
    "to": "ada@acme.com",
    "variables": {"name": "Ada", "login_url": "https://acme.com/"},
}


@dataclass
class Application:
    """An application in the middle of a transaction; `connection` is what it passes to `send_email`."""

    connection: Any
    execute: Callable[[str], Awaitable[Any]]
    commit: Callable[[], Awaitable[None]]
    rollback: Callable[[], Awaitable[None]]


Driver = Callable[[str], AbstractAsyncContextManager[Application]]


@asynccontextmanager
async def by_asyncpg(url: str) -> AsyncIterator[Application]:
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    yield Application(connection, connection.execute, transaction.commit, transaction.rollback)
    await connection.close()


@asynccontextmanager
async def by_asyncpg_pool(url: str) -> AsyncIterator[Application]:
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool, pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        yield Application(connection, connection.execute, transaction.commit, transaction.rollback)


@asynccontextmanager
async def by_psycopg(url: str) -> AsyncIterator[Application]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        yield Application(connection, connection.execute, connection.commit, connection.rollback)


@asynccontextmanager
async def sqlalchemy_engine(url: str, driver: str) -> AsyncIterator[AsyncEngine]:
    connect: Any = {"asyncpg": asyncpg.connect, "psycopg": psycopg.AsyncConnection.connect}[driver]
    engine = create_async_engine(f"postgresql+{driver}://", async_creator=lambda: connect(url))
    yield engine
    await engine.dispose()


def by_sqlalchemy(driver: str) -> Driver:
    @asynccontextmanager
    async def application(url: str) -> AsyncIterator[Application]:
        async with sqlalchemy_engine(url, driver) as engine, engine.connect() as connection:
            yield Application(
                connection, lambda query: connection.execute(text(query)), connection.commit, connection.rollback
            )

    return application


def by_sqlalchemy_session(driver: str) -> Driver:
    @asynccontextmanager
    async def application(url: str) -> AsyncIterator[Application]:
        async with sqlalchemy_engine(url, driver) as engine, AsyncSession(engine) as session:
            yield Application(session, lambda query: session.execute(text(query)), session.commit, session.rollback)

    return application


DRIVERS: dict[str, Driver] = {
    "asyncpg": by_asyncpg,
    "asyncpg pool": by_asyncpg_pool,
    "psycopg": by_psycopg,
    "sqlalchemy asyncpg": by_sqlalchemy("asyncpg"),
    "sqlalchemy psycopg": by_sqlalchemy("psycopg"),
    "session asyncpg": by_sqlalchemy_session("asyncpg"),
    "session psycopg": by_sqlalchemy_session("psycopg"),
}
