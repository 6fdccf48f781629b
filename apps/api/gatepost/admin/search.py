"""Searching any user's sessions: each kind of search scans one index in its order, from where the last page ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from uuid import UUID

from asyncpg import Record

from gatepost.admin.models import Status
from gatepost.db import Connection
from gatepost.http import pagination

_COLUMNS = """
select s.*, gatepost.session_end_reason(s, $1) as state, u.email,
       (extract(epoch from s.created_at) * 1000000)::bigint as opened
from gatepost.sessions s
left join gatepost.users u on u.id = s.user_id
where true
"""
# The defaults sort after every row. With "is null or …" a generic plan could not start where the last page ended.
_NEXT = """
  and (s.created_at, s.id)
    < (coalesce($2::timestamptz, 'infinity'), coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
"""
_NEWEST_FIRST = " order by s.created_at desc, s.id desc limit $4"

_STATUS: dict[Status | None, str] = {
    None: "",
    "active": " and s.ended_at is null and gatepost.session_end_reason(s, $1) is null",
    "expired": " and s.end_reason in ('idle', 'expired')",
    "revoked": " and s.ended_at is not null and s.end_reason not in ('idle', 'expired')",
}

BY_TIME = {status: _COLUMNS + _NEXT + where + _NEWEST_FIRST for status, where in _STATUS.items()}
BY_USER = {
    status: _COLUMNS + _NEXT + " and s.user_id = $5" + where + _NEWEST_FIRST for status, where in _STATUS.items()
}
BY_ID = _COLUMNS + " and s.id = $2"
BY_NETWORK = {
    status: _COLUMNS
    + " and s.ip >= $5 and s.ip <= $6"
    + " and ($2::timestamptz is null or (s.ip, s.created_at, s.id) > ($7, $2, $3::uuid))"
    + where
    + " order by s.ip, s.created_at, s.id limit $4"
    for status, where in _STATUS.items()
}

_USERS = """
select s.*, gatepost.session_end_reason(s, $1) as state, u.email,
       (extract(epoch from s.created_at) * 1000000)::bigint as opened, {key} as key
from gatepost.users u
join gatepost.sessions s on s.user_id = u.id
where {key} >= $5 and {key} <= $6 and not ({other})
  and ($2::timestamptz is null or ({key}, u.id) >= ($7, $8))
  and ($2::timestamptz is null or ({key}, u.id) > ($7, $8) or (s.created_at, s.id) > ($2, $3))
"""
_EMAIL, _NAME = 'lower(u.email) collate "C"', 'lower(u.name) collate "C"'
_BY_USER_PREFIX = " order by {key}, u.id, s.created_at, s.id limit $4"
# First the users whose email address matches, then those of whom only the name matches.
BY_USER_PREFIX = [
    {status: (_USERS + where + _BY_USER_PREFIX).format(key=key, other=other) for status, where in _STATUS.items()}
    for key, other in ((_EMAIL, "false"), (_NAME, f"{_EMAIL} >= $5 and {_EMAIL} <= $6"))
]

_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True)
class Search:
    """What to search for: at most one of the first three, and a status."""

    q: str | None = None
    user_id: UUID | None = None
    ip: str | None = None
    status: Status | None = None


@dataclass(frozen=True)
class Found:
    """A page of rows of `gatepost.sessions` with `state` and `email`, and the cursor of the next."""

    rows: list[Record]
    next_cursor: str | None


async def search_sessions(
    connection: Connection, wanted: Search, cursor: str | None, limit: int, *, idle_timeout: timedelta
) -> Found:
    """Return a page of any user's sessions.

    Raises:
        ValidationFailed: the cursor is not one of this search.
    """
    page = _Page(connection, idle_timeout, wanted.status, cursor, limit)
    network = _network(wanted.ip or wanted.q)
    if network is not None:
        return await page.by_network(network)
    identifier = wanted.user_id or _uuid(wanted.q)
    if identifier is not None:
        return await page.by_identifier(identifier, only_users=wanted.user_id is not None)
    if wanted.q:
        return await page.by_user(wanted.q.lower())
    return await page.by_time()


class _Page:
    def __init__(
        self, connection: Connection, idle: timedelta, status: Status | None, cursor: str | None, limit: int
    ) -> None:
        self._connection = connection
        self._idle = idle
        self._status = status
        self._cursor = cursor
        self._limit = limit

    async def by_time(self) -> Found:
        opened, last = self._key(int, UUID)
        rows = await self._fetch(BY_TIME[self._status], pagination.from_microseconds(opened), last)
        return self._found(rows, "opened", "id")

    async def by_identifier(self, identifier: UUID, *, only_users: bool) -> Found:
        if not only_users and (row := await self._connection.fetchrow(BY_ID, self._idle, identifier)):
            return Found([row], None)
        opened, last = self._key(int, UUID)
        rows = await self._fetch(BY_USER[self._status], pagination.from_microseconds(opened), last, identifier)
        return self._found(rows, "opened", "id")

    async def by_network(self, network: IPv4Network | IPv6Network) -> Found:
        ip, opened, last = self._key(str, int, UUID)
        rows = await self._fetch(
            BY_NETWORK[self._status],
            pagination.from_microseconds(opened),
            last,
            network.network_address,
            network.broadcast_address,
            _network_address(ip),
        )
        return self._found(rows, "ip", "opened", "id")

    async def by_user(self, prefix: str) -> Found:
        part, key, user_id, opened, last = self._key(int, str, UUID, int, UUID)
        first = part or 0
        rows: list[Record] = []
        for number in range(first, len(BY_USER_PREFIX)):
            after = (pagination.from_microseconds(opened), last) if number == part else (None, None)
            some = await self._connection.fetch(
                BY_USER_PREFIX[number][self._status],
                self._idle,
                *after,
                self._limit + 1 - len(rows),
                prefix,
                prefix + _LAST_CHARACTER,
                key if number == part else None,
                user_id if number == part else None,
            )
            rows += some
            if len(rows) > self._limit:
                part = number if len(rows) - len(some) < self._limit else number - 1
                shown = rows[: self._limit]
                return Found(shown, pagination.encode(part, *_values(shown[-1], "key", "user_id", "opened", "id")))
        return Found(rows, None)

    async def _fetch(self, query: str, *arguments: Any) -> list[Record]:
        opened, last, *others = arguments
        return await self._connection.fetch(query, self._idle, opened, last, self._limit + 1, *others)

    def _found(self, rows: list[Record], *columns: str) -> Found:
        shown = rows[: self._limit]
        more = len(rows) > self._limit
        return Found(shown, pagination.encode(*_values(shown[-1], *columns)) if more else None)

    def _key(self, *kinds: type[pagination.Part]) -> tuple[Any, ...]:
        return pagination.decode(self._cursor, *kinds) or (None,) * len(kinds)


def _values(row: Record, *columns: str) -> list[Any]:
    return [str(row[column]) if column == "ip" else row[column] for column in columns]


def _network(text: str | None) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False) if text else None
    except ValueError:
        return None


def _network_address(text: str | None) -> Any:
    network = _network(text)
    return network.network_address if network else None


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
