"""The log: one JSON object a line on the standard logger `gatepost`, so that a host's own configuration decides.

No token, password, cookie or query string is ever given to it.
"""

from __future__ import annotations

import logging
import sys
from typing import cast

import structlog


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
                structlog.processors.JSONRenderer(default=str),
            ],
            wrapper_class=structlog.stdlib.BoundLogger,
            cache_logger_on_first_use=True,
        ),
    )


def configure(level: int = logging.INFO) -> None:
    """Write the log to standard error: for our own process, never for a host's."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("gatepost").setLevel(level)
