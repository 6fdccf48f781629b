"""`send_email`: queue an email in an application's own transaction, through its own database driver."""

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

from gatepost.db import api_error_of
from gatepost.mail.transports import Attachment

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
_Values = tuple[str | None, ...]
_Execute = Callable[[Any, _Values], Awaitable[str]]


def _statement(placeholder: str) -> str:
    # Every value is passed and returned as text: an application may have changed how its driver converts jsonb or uuid.
    arguments = [
        f"{name} => {placeholder.format(n)}::text::{type_}" for n, (name, type_) in enumerate(_ARGUMENTS.items(), 1)
    ]
    return f"select gatepost.queue_email({', '.join(arguments)})::text"


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
    """Queue an email in the caller's transaction: it is sent if that commits, and never existed if it rolls back.

    This executes one statement on the caller's connection; a worker sends the email after the commit. Outside a
    transaction, the email is queued immediately. After an error of the database, the transaction (or its savepoint) can
    only be rolled back. TypeError and ValueError are raised before the database is reached.

    Args:
        connection: asyncpg's `Connection` (also one of a pool), psycopg's `AsyncConnection`, or SQLAlchemy's
            `AsyncConnection` or `AsyncSession` over either.
        template: The key of a template, as in `GET /v1/settings/email-templates`. The application may send security
            templates, with links of its own, which API keys may not.
        to: One email address, without a display name.
        variables: The values that the template declares: JSON values, also dates, UUIDs and Decimals, which become
            strings. They are checked when the email is rendered; if they do not match, it becomes `failed`.
        locale: The language of the email, such as `de` or `fr-CA`. English is used if the template lacks it.
        reply_to: One email address, or None.
        attachments: Files. Resend accepts 40 MB per email, encoded in Base64.
        send_at: When to send it, with a time zone. None: now.
        expires_at: When it becomes too late to send it, with a time zone.
        idempotency_key: 1 to 300 characters. The same key with the same arguments queues one email, and returns its ID
            each time.
        queued_by: Who queued it, as the email log shows it. Each value has its own idempotency keys.

    Returns:
        The ID of the email.

    Raises:
        NotFound: there is no such template in this language or in English.
        Conflict: the idempotency key was already used for a different email.
        ValidationFailed: an argument is invalid; `errors[0].loc` names it.
        TypeError: the connection is not supported, or a variable is not a JSON value.
        ValueError: a time has no time zone.
        Exception: any other error of the database, as the driver raises it.
    """
    execute = _driver_of(connection)
    if not isinstance(to, str):
        raise TypeError("to must be one email address. Call send_email once for each recipient.")
    values = (
        template,
        to,
        json.dumps(_json_value(variables, "variables")),
        locale,
        reply_to,
        json.dumps([_json_attachment(attachment) for attachment in attachments]),
        _timestamp(send_at, "send_at"),
        _timestamp(expires_at, "expires_at"),
        idempotency_key,
        queued_by,
    )
    try:
        return UUID(await execute(connection, values))
    except Exception as error:
        if api_error := api_error_of(error):
            raise api_error from error
        raise


async def _by_asyncpg(connection: Any, values: _Values) -> str:
    email_id: str = await connection.fetchval(_NUMBERED, *values)
    return email_id


async def _by_psycopg(connection: Any, values: _Values) -> str:
    # The application's own row factory might not return tuples.
    async with connection.cursor(row_factory=lambda _: tuple) as cursor:
        raw = any(kind.__name__ == "AsyncRawCursor" for kind in type(cursor).__mro__)
        await cursor.execute(_NUMBERED if raw else _FORMATTED, values)
        (email_id,) = await cursor.fetchone()
    return str(email_id)


async def _by_sqlalchemy(connection: Any, values: _Values) -> str:
    if not hasattr(connection, "exec_driver_sql"):  # a session
        connection = await connection.connection()
    statement = {"asyncpg": _NUMBERED, "psycopg": _FORMATTED}.get(connection.dialect.driver)
    if statement is None:
        raise _unsupported(f"SQLAlchemy over {connection.dialect.driver}")
    email_id: str = (await connection.exec_driver_sql(statement, values)).scalar_one()
    return email_id


# Drivers are recognized by name, because none is imported here: only asyncpg is certain to be installed.
_DRIVERS: dict[tuple[str, str], _Execute] = {
    ("asyncpg", "Connection"): _by_asyncpg,
    ("asyncpg", "PoolConnectionProxy"): _by_asyncpg,
    ("psycopg", "AsyncConnection"): _by_psycopg,
    ("sqlalchemy", "AsyncConnection"): _by_sqlalchemy,
    ("sqlalchemy", "AsyncSession"): _by_sqlalchemy,
    ("sqlalchemy", "async_scoped_session"): _by_sqlalchemy,
}


def _driver_of(connection: object) -> _Execute:
    for kind in type(connection).__mro__:
        execute = _DRIVERS.get((kind.__module__.partition(".")[0], kind.__name__))
        if execute is not None:
            return execute
    raise _unsupported(f"{type(connection).__module__}.{type(connection).__qualname__}")


def _unsupported(kind: str) -> TypeError:
    return TypeError(
        f"send_email does not support {kind}. Pass a connection of asyncpg, an AsyncConnection of psycopg 3, or an "
        "AsyncConnection or AsyncSession of SQLAlchemy over one of them. With any other driver, run the SQL "
        "`select gatepost.queue_email(...)`."
    )


def _json_value(value: object, path: str) -> object:
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
            return {name: _json_value(item, f"{path}[{name!r}]") for name, item in value.items()}
        case list() | tuple():
            return [_json_value(item, f"{path}[{index}]") for index, item in enumerate(value)]
    raise TypeError(f"{path} is {_describe(value)}, which JSON cannot represent. Convert it first.")


def _describe(value: object) -> str:
    if isinstance(value, float):
        return str(value)
    return "a mapping with keys other than str" if isinstance(value, Mapping) else f"of type {type(value).__name__}"


def _json_attachment(attachment: Attachment) -> dict[str, str]:
    return {
        "filename": attachment.filename,
        "content_type": attachment.content_type,
        "content": base64.b64encode(attachment.content).decode(),
    }


def _timestamp(value: datetime | None, name: str) -> str | None:
    if value is None:
        return None
    if value.utcoffset() is None:
        raise ValueError(f"{name} has no time zone. Use an aware datetime, such as datetime.now(UTC).")
    return value.isoformat()
