"""The database: a pool, a transaction, and what its errors mean."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Self

import asyncpg

from gatepost.errors import ConfigurationError, NotFound, Refusal, ServiceUnavailable

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

# Seconds: to get a connection, to wait for one statement.
_ACQUIRE_TIMEOUT = 5.0
_COMMAND_TIMEOUT = 15.0

_REFUSALS: dict[str, type[Refusal]] = {"GP404": NotFound}

# Classes of SQLSTATE (PostgreSQL, appendix A) that tell of the server rather than of the statement: lost connection,
# out of resources, an operator's shutdown, an I/O error. 25006: a standby took over and only reads.
_UNAVAILABLE_CLASSES = ("08", "53", "57", "58")
_UNAVAILABLE_STATES = ("25006",)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn the database's errors into ours: a SQLSTATE of ours into its refusal, a lost database into 503."""
    try:
        yield
    except asyncpg.PostgresError as error:
        state = error.sqlstate or ""
        if state in _REFUSALS:
            raise _REFUSALS[state] from None
        if state.startswith(_UNAVAILABLE_CLASSES) or state in _UNAVAILABLE_STATES:
            raise ServiceUnavailable from error
        raise
    except asyncpg.DataError:  # an InterfaceError too, but the statement's fault
        raise
    except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise ServiceUnavailable from error


async def _keep(_: Any) -> None:
    """Stand in for the pool's reset query: whoever uses such a pool leaves nothing behind on its connections."""


class Database:
    """A pool of connections to the one database that all processes share."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str, *, size: int = 10, reset: bool = True) -> Self:
        """Open a pool of up to `size` connections; with `reset=False` without the reset query between uses.

        Raises:
            ConfigurationError: the database cannot be reached or refuses us.
        """
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=size,
                max_inactive_connection_lifetime=300,
                max_cached_statement_lifetime=0,
                command_timeout=_COMMAND_TIMEOUT,
                timeout=_ACQUIRE_TIMEOUT,
                reset=None if reset else _keep,
                server_settings={"application_name": "gatepost"},
            )
        except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise unreachable(error) from None
        return cls(pool)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

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

    async def fetchrow(self, query: str, *arguments: Any) -> asyncpg.Record | None:
        """Run one statement on a connection of its own and return its first row.

        Raises:
            ServiceUnavailable: the database cannot be reached.
        """
        with refusals():
            return await self._pool.fetchrow(query, *arguments)

    async def execute(self, query: str, *arguments: Any) -> None:
        """Run one statement on a connection of its own.

        Raises:
            ServiceUnavailable: the database cannot be reached.
        """
        with refusals():
            await self._pool.execute(query, *arguments)


def unreachable(error: BaseException) -> ConfigurationError:
    """Return the one line for a database that cannot be reached; it never holds the address's password."""
    cause = str(error).splitlines()[0] if str(error) else type(error).__name__
    return ConfigurationError(f"GATEPOST_DATABASE_URL: cannot open the database: {cause}")
