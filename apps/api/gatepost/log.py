"""The log: structured events on the standard logger `gatepost`.

In a host's app Gatepost configures nothing: the host's handlers and levels decide. Each record's message is an `Event`,
a dict whose text is one JSON object, so a plain handler prints JSON and a structured one can read the fields.
`gatepost serve` and `gatepost work` write to standard error, as JSON or as text: `configure`.

No token, password, cookie or query string is ever logged.
"""

from __future__ import annotations

import json
import logging
import sys
import textwrap
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal, cast

import structlog

_REQUEST = "request answered"
_LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARN", "error": "ERROR", "critical": "ERROR"}
# Control characters, so that what is logged cannot rewrite a terminal. Tab and newline stay.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}

_fields = structlog.processors.LogfmtRenderer(bool_as_flag=False)


class Event(dict[str, Any]):
    """What was logged: `timestamp` (RFC 3339, UTC), `level`, `event`, more fields. Its text is one JSON object."""

    def __str__(self) -> str:
        return json.dumps(self, default=str)


def get_logger() -> structlog.stdlib.BoundLogger:
    """Return the logger that every module of Gatepost writes to."""
    return cast(
        structlog.stdlib.BoundLogger,
        structlog.wrap_logger(
            logging.getLogger("gatepost"),
            processors=[
                structlog.stdlib.filter_by_level,
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                _as_message,
            ],
            wrapper_class=structlog.stdlib.BoundLogger,
            cache_logger_on_first_use=True,
        ),
    )


def request(logger: structlog.stdlib.BoundLogger, *, method: str, route: str | None, status: int, ms: float) -> None:
    """Log one answered request.

    Args:
        logger: Where to.
        method: The HTTP method.
        route: The template of its path, never the path itself. None for the files of the web app, which are logged at
            level debug, and where no route matches.
        status: The HTTP status.
        ms: How long it took, in milliseconds.
    """
    write = logger.debug if route is None and status < 400 else logger.info
    write(_REQUEST, method=method, route=route, status=status, ms=ms)


def configure(level: Literal["debug", "info", "warning", "error"], form: Literal["json", "text"]) -> None:
    """Write the log of this process, uvicorn's messages included, to standard error. Not for a host's process.

    Args:
        level: The lowest level that is written. Other libraries are logged from `warning`, uvicorn from `info` where
            the level is `debug`.
        form: `json`: one object per line. `text`: one line each, for people.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(str if form == "json" else _text))
    handler.addFilter(_is_first_report)
    lowest = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(lowest, logging.WARNING), handlers=[handler], force=True)
    logging.getLogger("gatepost").setLevel(lowest)
    logging.getLogger("uvicorn").setLevel(logging.INFO if level == "debug" else logging.NOTSET)


def _is_first_report(record: logging.LogRecord) -> bool:
    """Whether this is no second report of a crash: uvicorn logs what our own exception handler has logged already."""
    return not (record.name == "uvicorn.error" and str(record.msg).startswith("Exception in ASGI application"))


class _Formatter(logging.Formatter):
    def __init__(self, render: Callable[[Event], str]) -> None:
        super().__init__()
        self._render = render

    def format(self, record: logging.LogRecord) -> str:
        return self._render(record.msg if isinstance(record.msg, Event) else self._foreign(record))

    def _foreign(self, record: logging.LogRecord) -> Event:
        """Return what another library logged as an event."""
        event = Event(
            timestamp=datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            level=record.levelname.lower(),
            event=record.getMessage().strip(),
            logger=record.name,
        )
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return event


def _as_message(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> tuple[tuple[Event], dict[str, Any]]:
    """Hand the event to the standard logger as it is: it becomes text where a handler formats it."""
    head = {name: event.pop(name) for name in ("timestamp", "level", "event")}
    return (Event({**head, **event}),), {}


def _text(event: Event) -> str:
    fields = dict(event)
    at = datetime.fromisoformat(fields.pop("timestamp")).astimezone()
    level = _LEVELS.get(fields.pop("level"), "INFO")
    exception = fields.pop("exception", None)
    line = f"{at:%H:%M:%S} {level:5} {_summary(fields)}"
    if fields:
        line += f"  {_fields(None, '', fields)}"
    # What continues a line is indented: no message can pass for another line of the log.
    lines = line.replace("\n", "\n    ")
    if exception:
        lines += "\n" + textwrap.indent(exception, "    ")
    return lines.translate(_CONTROL)


def _summary(fields: dict[str, Any]) -> str:
    """Take what the line begins with out of its fields."""
    event = str(fields.pop("event"))
    if event != _REQUEST:
        return event
    method, route, status, ms = (fields.pop(name) for name in ("method", "route", "status", "ms"))
    return f"{method} {route or '(no route)'} {status} {ms:.{0 if ms >= 10 else 1}f} ms"
