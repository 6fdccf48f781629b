"""Connection pools, transactions, and the API errors that database errors become."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Self

import asyncpg

from gatepost.db.errors import api_error_of
from gatepost.errors import ApiError, ConfigurationError, ServiceUnavailable

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

# Seconds to wait for a connection, and for one statement.
_ACQUIRE_TIMEOUT = 5.0
_COMMAND_TIMEOUT = 15.0

# Classes of SQLSTATE (PostgreSQL, appendix A) that the server causes, not the statement: lost connection, insufficient
# resources, operator intervention, system error.
_UNAVAILABLE_CLASSES = ("08", "53", "57", "58")
# Also 25006: a standby took over and is read-only. 40001 and 40P01: serialization failure and deadlock.
_UNAVAILABLE_STATES = ("25006", "40001", "40P01")


def api_error_for(error: BaseException) -> ApiError | None:
    """Return the API error for a database error: that of our own SQLSTATE, 503 for a lost database, or None."""
    if isinstance(error, asyncpg.PostgresError):
        if api_error := api_error_of(error):
            return api_error
        state = error.sqlstate or ""
        lost = state.startswith(_UNAVAILABLE_CLASSES) or state in _UNAVAILABLE_STATES
        return ServiceUnavailable() if lost else None
    if isinstance(error, asyncpg.DataError):  # an InterfaceError too, but the statement's fault
        return None
    lost_connection = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    return ServiceUnavailable() if isinstance(error, lost_connection) else None


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn database errors into API errors."""
    try:
        yield
    except Exception as error:
        if api_error := api_error_for(error):
            raise api_error from error
        raise


class Database:
    """A pool of connections to the one database that all processes share."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str, *, size: int = 10) -> Self:
        """Open a pool of up to `size` connections.

        Raises:
            ConfigurationError: the database cannot be reached or rejects the connection.
        """
        return cls(await _open_pool(url, size))

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    def size(self) -> int:
        """Return how many connections are open."""
        return self._pool.get_size()

    def idle(self) -> int:
        """Return how many open connections are idle."""
        return self._pool.get_idle_size()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection outside a transaction.

        Raises:
            ServiceUnavailable: the database cannot be reached.
        """
        with translated_errors():
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
        with translated_errors():
            await self._pool.execute(query, *arguments)


class _Slots:
    """A semaphore whose waiters give up after a time: in order of arrival, so that one timer serves them all.

    With a timer for each, as of `asyncio.timeout`, waiting costs a tenth of a guarded request.
    """

    def __init__(self, slots: int, timeout: float) -> None:
        self.free = slots
        self._timeout = timeout
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def acquire(self) -> None:
        if self.free:
            self.free -= 1
            return
        loop = asyncio.get_running_loop()
        slot: asyncio.Future[None] = loop.create_future()
        deadline = loop.time() + self._timeout
        self._waiting.append((deadline, slot))
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._expire)
        try:
            await slot
        except asyncio.CancelledError:
            if slot.done() and not slot.cancelled() and slot.exception() is None:
                self.release()
            raise

    def release(self) -> None:
        while self._waiting:
            _, slot = self._waiting.popleft()
            if not slot.done():
                slot.set_result(None)
                return
        self.free += 1

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting and self._waiting[0][0] <= loop.time():
            _, slot = self._waiting.popleft()
            if not slot.done():
                slot.set_exception(TimeoutError())
        self._timer = loop.call_at(self._waiting[0][0], self._expire) if self._waiting else None


class Reader:
    """Connections for the guard's one statement, which stay acquired between requests.

    To acquire a connection from a pool (a timer, a task, the reset query) costs more than the statement itself. Only
    single reads run here, so there is nothing to reset.
    """

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], size: int) -> None:
        self._pool = pool
        self._slots = _Slots(size, _ACQUIRE_TIMEOUT)
        self._idle: list[PoolConnectionProxy[asyncpg.Record]] = []
        self._closed = False

    @classmethod
    async def open(cls, url: str, *, size: int = 10) -> Self:
        """Open up to `size` connections.

        Raises:
            ConfigurationError: the database cannot be reached or rejects the connection.
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
        """Return how many open connections are idle, including those that stay acquired."""
        return self._pool.get_idle_size() + len(self._idle)

    async def fetchrow(self, query: str, *arguments: Any) -> asyncpg.Record | None:
        """Run one statement that only reads, and return its first row.

        Raises:
            ServiceUnavailable: the database cannot be reached.
        """
        try:
            await self._slots.acquire()
            try:
                return await self._fetchrow(query, arguments)
            finally:
                self._slots.release()
        except Exception as error:
            if api_error := api_error_for(error):
                raise api_error from error
            raise

    async def _fetchrow(self, query: str, arguments: tuple[Any, ...]) -> asyncpg.Record | None:
        connection = await self._acquire()
        try:
            row = await connection.fetchrow(query, *arguments)
        except BaseException:
            # The pool cleans up after an interrupted statement.
            await self._pool.release(connection)
            raise
        if self._closed:
            await self._pool.release(connection)
        else:
            self._idle.append(connection)
        return row

    async def _acquire(self) -> PoolConnectionProxy[asyncpg.Record]:
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
        raise connection_error(error) from None


def connection_error(error: BaseException, setting: str = "GATEPOST_DATABASE_URL") -> ConfigurationError:
    """Return the one-line error for a database that cannot be opened; it never contains the password of the URL."""
    cause = str(error).splitlines()[0] if str(error) else type(error).__name__
    return ConfigurationError(f"{setting}: cannot open the database: {cause}")
