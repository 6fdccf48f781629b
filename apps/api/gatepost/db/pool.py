"""The database: a pool, a transaction, and what its errors mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Self

import asyncpg

from gatepost.errors import BY_SQLSTATE, ConfigurationError, Refusal, ServiceUnavailable

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

# Seconds: to get a connection, to wait for one statement.
_ACQUIRE_TIMEOUT = 5.0
_COMMAND_TIMEOUT = 15.0

# Classes of SQLSTATE (PostgreSQL, appendix A) that tell of the server rather than of the statement: lost connection,
# out of resources, an operator's shutdown, an I/O error. 25006: a standby took over and only reads.
_UNAVAILABLE_CLASSES = ("08", "53", "57", "58")
# 40001, 40P01: in one another's way.
_UNAVAILABLE_STATES = ("25006", "40001", "40P01")


def refusal_for(error: BaseException) -> Refusal | None:
    """Return the refusal that a database error means: that of a SQLSTATE of ours, 503 for a lost database, or None."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        if state in BY_SQLSTATE:
            # What is nonsense, SQL says in words that begin with an argument's name.
            return BY_SQLSTATE[state](str(error).removeprefix("p_") if state == "GP422" else None)
        lost = state.startswith(_UNAVAILABLE_CLASSES) or state in _UNAVAILABLE_STATES
        return ServiceUnavailable() if lost else None
    if isinstance(error, asyncpg.DataError):  # an InterfaceError too, but the statement's fault
        return None
    lost_connection = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    return ServiceUnavailable() if isinstance(error, lost_connection) else None


@contextmanager
def refusals() -> Iterator[None]:
    """Turn the database's errors into refusals."""
    try:
        yield
    except Exception as error:
        if refusal := refusal_for(error):
            raise refusal from error
        raise


class Database:
    """A pool of connections to the one database that all processes share."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str, *, size: int = 10) -> Self:
        """Open a pool of up to `size` connections.

        Raises:
            ConfigurationError: the database cannot be reached or refuses us.
        """
        return cls(await _open_pool(url, size))

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    def size(self) -> int:
        """Return how many connections are open."""
        return self._pool.get_size()

    def idle(self) -> int:
        """Return how many of them nobody uses."""
        return self._pool.get_idle_size()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection outside a transaction.

        Raises:
            ServiceUnavailable: the database cannot be reached.
        """
        with refusals():
            async with self._pool.acquire(timeout=_ACQUIRE_TIMEOUT) as connection:
                yield connection  # type: ignore[misc]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction, which commits at the end of the block and rolls back on any error.

        Raises:
            ServiceUnavailable: the database cannot be reached.
        """
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def execute(self, query: str, *arguments: Any) -> None:
        """Run one statement on a connection of its own.

        Raises:
            ServiceUnavailable: the database cannot be reached.
        """
        with refusals():
            await self._pool.execute(query, *arguments)


class Reader:
    """Connections for the guard's one statement, kept in hand between uses.

    A pool's round (a timer, a task, the reset query) costs more than the statement. Nothing but single reads runs here,
    so there is nothing to reset.
    """

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], size: int) -> None:
        self._pool = pool
        self._slots = asyncio.Semaphore(size)
        self._idle: list[PoolConnectionProxy[asyncpg.Record]] = []
        self._closed = False

    @classmethod
    async def open(cls, url: str, *, size: int = 10) -> Self:
        """Open up to `size` connections.

        Raises:
            ConfigurationError: the database cannot be reached or refuses us.
        """
        return cls(await _open_pool(url, size), size)

    async def close(self) -> None:
        """Close every connection."""
        self._closed = True
        while self._idle:
            await self._pool.release(self._idle.pop())
        await self._pool.close()

    def size(self) -> int:
        """Return how many connections are open."""
        return self._pool.get_size()

    def idle(self) -> int:
        """Return how many of them nobody uses, those kept in hand included."""
        return self._pool.get_idle_size() + len(self._idle)

    async def fetchrow(self, query: str, *arguments: Any) -> asyncpg.Record | None:
        """Run one reading statement and return its first row.

        Raises:
            ServiceUnavailable: the database cannot be reached.
        """
        try:
            if self._slots.locked():
                async with asyncio.timeout(_ACQUIRE_TIMEOUT):
                    await self._slots.acquire()
            else:
                await self._slots.acquire()
            try:
                return await self._fetchrow(query, arguments)
            finally:
                self._slots.release()
        except Exception as error:
            if refusal := refusal_for(error):
                raise refusal from error
            raise

    async def _fetchrow(self, query: str, arguments: tuple[Any, ...]) -> asyncpg.Record | None:
        connection = await self._take()
        try:
            row = await connection.fetchrow(query, *arguments)
        except BaseException:
            # Whatever was cut short, the pool cleans up after it.
            await self._pool.release(connection)
            raise
        if self._closed:
            await self._pool.release(connection)
        else:
            self._idle.append(connection)
        return row

    async def _take(self) -> PoolConnectionProxy[asyncpg.Record]:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            await self._pool.release(connection)
        return await self._pool.acquire(timeout=_ACQUIRE_TIMEOUT)


async def _open_pool(url: str, size: int) -> asyncpg.Pool[asyncpg.Record]:
    try:
        return await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            max_cached_statement_lifetime=0,
            command_timeout=_COMMAND_TIMEOUT,
            timeout=_ACQUIRE_TIMEOUT,
            server_settings={"application_name": "gatepost"},
        )
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise unreachable(error) from None


def unreachable(error: BaseException) -> ConfigurationError:
    """Return the one line for a database that cannot be reached; it never holds the address's password."""
    cause = str(error).splitlines()[0] if str(error) else type(error).__name__
    return ConfigurationError(f"GATEPOST_DATABASE_URL: cannot open the database: {cause}")
