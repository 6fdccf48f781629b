"""`/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gatepost import log, metrics
from gatepost.db.migrations import pending
from gatepost.errors import ConfigurationError, ServiceUnavailable
from gatepost.http.dependencies import CurrentRuntime
from gatepost.http.problems import ContractRoute, refuses
from gatepost.mail.outbox import store

logger = log.get_logger()

router = APIRouter(tags=["operations"], route_class=ContractRoute)


class _Exposition(Response):
    media_type = "text/plain"


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class MailTrouble(BaseModel):
    """What keeps a transport from sending, in words that say what to do.

    `clock_off` is by how many seconds our clock is ahead of the provider's, where it is more than a minute.
    """

    transport: str
    code: str | None
    words: str | None
    since: datetime | None
    clock_off: float | None


class Readiness(BaseModel):
    """The database answers and has our schema. Mail that has to wait is a detail: requests can be served."""

    status: Literal["ok"]
    database: Literal["ok"]
    migrations: Literal["ok"]
    mail: Literal["ok", "trouble"]
    mail_trouble: list[MailTrouble]


@router.get("/healthz", responses=refuses())
async def read_health() -> Health:
    """Say that the process is alive, whatever else is not."""
    return Health(status="ok")


@router.get("/readyz", responses=refuses())
async def read_readiness(runtime: CurrentRuntime) -> Readiness:
    """Say whether requests can be served: the database answers and lacks no migration."""
    async with runtime.database.connection() as connection:
        try:
            missing = await pending(connection)
            trouble = [MailTrouble(**each) for each in await store.list_trouble(connection)] if not missing else []
        except ConfigurationError as error:
            logger.error("not ready", error=str(error))
            raise ServiceUnavailable("The database's schema is not the one of this version.") from None
    if missing:
        raise ServiceUnavailable(f"The database lacks {len(missing)} migrations: run `gatepost migrate`.")
    return Readiness(
        status="ok", database="ok", migrations="ok", mail="trouble" if trouble else "ok", mail_trouble=trouble
    )


@router.get("/metrics", status_code=200, response_class=_Exposition, responses=refuses())
async def read_metrics(runtime: CurrentRuntime) -> Response:
    """Count what this process does, for Prometheus. It holds no personal data: no address, id, path or token."""
    return _Exposition(runtime.metrics.exposition(), headers={"Content-Type": metrics.CONTENT_TYPE})
