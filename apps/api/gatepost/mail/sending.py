"""Queueing from an application, in the transaction that its own rows are written in."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

from gatepost.errors import BY_SQLSTATE, Refusal
from gatepost.mail.transports.transport import Attachment

_ARGUMENTS = {
    "p_template": "text",
    "p_to": "text",
    "p_variables": "jsonb",
    "p_locale": "text",
    "p_reply_to": "text",
    "p_attachments": "jsonb",
    "p_send_at": "timestamptz",
    "p_expires_at": "timestamptz",
    "p_idempotency_key": "text",
    "p_actor": "text",
}


def _statement(place: str) -> str:
    # All of it crosses as text: an application may have its driver write and read jsonb or uuid in a way of its own.
    given = [f"{name} => {place.format(n)}::text::{type_}" for n, (name, type_) in enumerate(_ARGUMENTS.items(), 1)]
    return f"select gatepost.queue_email({', '.join(given)})::text"


_NUMBERED = _statement("${}")
_FORMATTED = _statement("%s")


async def send_email(
    connection: object,
    *,
    template: str,
    to: str,
    variables: Mapping[str, object] = MappingProxyType({}),
    locale: str = "en",
    reply_to: str | None = None,
    attachments: Sequence[Attachment] = (),
    send_at: datetime | None = None,
    expires_at: datetime | None = None,
    idempotency_key: str | None = None,
    queued_by: str = "application",
) -> UUID:
    """Queue an e-mail in the caller's transaction: it goes out if that commits, and was never there if not.

    One statement on the caller's connection; nothing is sent here, a worker does that after the commit. Outside a
    transaction the message is queued at once. Once the database has refused the statement, the transaction can only be
    rolled back (or its savepoint); what raises TypeError or ValueError has not reached the database.

    Args:
        connection: asyncpg's `Connection` or one of its pool, psycopg's `AsyncConnection`, or SQLAlchemy's
            `AsyncConnection` or `AsyncSession` over either.
        template: The key of a template, as in `GET /v1/settings/email-templates`.
        to: One address, without a name.
        variables: What the template declares: JSON values; dates, UUIDs and Decimals become text. Whether they fit is
            found when the message is rendered: one that they do not fit becomes `failed`.
        locale: The language of the words, like `de` or `fr-CA`; English stands in for one that is not there.
        reply_to: One address, or None.
        attachments: Files; Resend takes 40 MB together, counted in Base64.
        send_at: When it is due, with a time zone; None: now.
        expires_at: After this, with a time zone, it is not sent any more.
        idempotency_key: 1 to 300 characters; the same key with the same arguments queues one message, and returns
            its id each time.
        queued_by: Who queues it, for the record; each has keys of its own.

    Returns:
        The id of the message.

    Raises:
        NotFound: no such template.
        Conflict: the idempotency key stands for another message.
        ValidationFailed: no address, or a message that is over before it is sent.
        TypeError: this kind of connection is not known, or a variable is nothing that JSON can say.
        ValueError: a time without a zone.
        Exception: whatever else goes wrong in the database, as the driver raises it.
    """
    queue = _way_of(connection)
    if not isinstance(to, str):
        raise TypeError("to is one address; for several people queue several messages")
    values = (
        template,
        to,
        json.dumps(_plain(variables, "variables")),
        locale,
        reply_to,
        json.dumps([_attached(one) for one in attachments]),
        _moment(send_at, "send_at"),
        _moment(expires_at, "expires_at"),
        idempotency_key,
        queued_by,
    )
    try:
        return UUID(await queue(connection, values))
    except Exception as error:
        if refusal := _refusal_of(error):
            raise refusal from error
        raise


async def _by_asyncpg(connection: Any, values: tuple[str | None, ...]) -> str:
    email_id: str = await connection.fetchval(_NUMBERED, *values)
    return email_id


async def _by_psycopg(connection: Any, values: tuple[str | None, ...]) -> str:
    # A row factory of the application's would make something else of the row.
    async with connection.cursor(row_factory=lambda _: tuple) as cursor:
        raw = any(kind.__name__ == "AsyncRawCursor" for kind in type(cursor).__mro__)
        await cursor.execute(_NUMBERED if raw else _FORMATTED, values)
        (email_id,) = await cursor.fetchone()
    return str(email_id)


async def _by_sqlalchemy(connection: Any, values: tuple[str | None, ...]) -> str:
    if not hasattr(connection, "exec_driver_sql"):  # a session
        connection = await connection.connection()
    statement = {"asyncpg": _NUMBERED, "psycopg": _FORMATTED}.get(connection.dialect.driver)
    if statement is None:
        raise _unknown(f"SQLAlchemy over {connection.dialect.driver}")
    email_id: str = (await connection.exec_driver_sql(statement, values)).scalar_one()
    return email_id


# By name, for none of them is imported here: only asyncpg is sure to be installed.
_WAYS: dict[tuple[str, str], Callable[[Any, tuple[str | None, ...]], Awaitable[str]]] = {
    ("asyncpg", "Connection"): _by_asyncpg,
    ("asyncpg", "PoolConnectionProxy"): _by_asyncpg,
    ("psycopg", "AsyncConnection"): _by_psycopg,
    ("sqlalchemy", "AsyncConnection"): _by_sqlalchemy,
    ("sqlalchemy", "AsyncSession"): _by_sqlalchemy,
    ("sqlalchemy", "async_scoped_session"): _by_sqlalchemy,
}


def _way_of(connection: object) -> Callable[[Any, tuple[str | None, ...]], Awaitable[str]]:
    for kind in type(connection).__mro__:
        way = _WAYS.get((kind.__module__.partition(".")[0], kind.__name__))
        if way is not None:
            return way
    raise _unknown(f"{type(connection).__module__}.{type(connection).__qualname__}")


def _unknown(what: str) -> TypeError:
    return TypeError(
        "send_email wants a connection of asyncpg, an AsyncConnection of psycopg 3, or an AsyncConnection or "
        f"AsyncSession of SQLAlchemy over one of them, not {what}: with any other, run the SQL "
        "`select gatepost.queue_email(...)`"
    )


def _refusal_of(error: BaseException) -> Refusal | None:
    refusal = None
    cause: BaseException | None = error
    while cause is not None:
        state = getattr(cause, "sqlstate", None) or ""
        if state in BY_SQLSTATE:
            # Our arguments are named as those of the function are, but for the prefix.
            refusal = BY_SQLSTATE[state](str(cause).splitlines()[0].removeprefix("p_"))
        # SQLAlchemy wraps the driver's error, asyncpg's twice: only the innermost has the bare words.
        cause = getattr(cause, "orig", None) or cause.__cause__
    return refusal


def _plain(value: object, where: str) -> object:
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case date():  # a datetime too
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case Mapping() if all(isinstance(name, str) for name in value):
            return {name: _plain(each, f"{where}[{name!r}]") for name, each in value.items()}
        case list() | tuple():
            return [_plain(each, f"{where}[{place}]") for place, each in enumerate(value)]
    raise TypeError(f"{where} is {_told(value)}: JSON cannot say that")


def _told(value: object) -> str:
    if isinstance(value, float):
        return str(value)
    return "a mapping with names that are not str" if isinstance(value, Mapping) else f"of type {type(value).__name__}"


def _attached(attachment: Attachment) -> dict[str, str]:
    return {
        "filename": attachment.filename,
        "content_type": attachment.content_type,
        "content": base64.b64encode(attachment.content).decode(),
    }


def _moment(value: datetime | None, name: str) -> str | None:
    if value is None:
        return None
    if value.utcoffset() is None:
        raise ValueError(f"{name} has no time zone: give one, as in datetime.now(UTC)")
    return value.isoformat()
