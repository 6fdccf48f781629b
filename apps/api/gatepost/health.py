"""`/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gatepost import log, metrics
from gatepost.db import pending
from gatepost.errors import ConfigurationError, ServiceUnavailable
from gatepost.http import ApiRoute, CurrentRuntime, problems
from gatepost.mail import outbox

_WRONG_SCHEMA = "The database schema does not match this version of Gatepost."

logger = log.get_logger()


class _AnyHost(ApiRoute):
    """A route that is requested by the IP address of one process: a probe, or Prometheus."""

    any_host = True


router = APIRouter(tags=["operations"], route_class=_AnyHost)
metrics_router = APIRouter(tags=["operations"], route_class=_AnyHost)


class _Exposition(Response):
    media_type = "text/plain"


class Health(BaseModel):
    """The process is alive."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """The database is reachable and has every migration.

    `mail` is a detail: requests can be served. `GET /v1/settings/email-transports` says what is wrong, to admins only.
    """

    status: Literal["ok"]
    database: Literal["ok"]
    migrations: Literal["ok"]
    mail: Literal["ok", "degraded"]


@router.get("/healthz", responses=problems())
async def read_health() -> Health:
    """Check that the process is alive."""
    return Health(status="ok")


@router.get("/readyz", responses=problems())
async def read_readiness(runtime: CurrentRuntime) -> Readiness:
    """Check that requests can be served: the database is reachable and has every migration."""
    async with runtime.database.connection() as connection:
        try:
            missing = await pending(connection)
            found = await outbox.list_transport_errors(connection) if not missing else []
        except ConfigurationError as error:
            logger.error("not ready", error=str(error))
            raise ServiceUnavailable(_WRONG_SCHEMA) from None
    if missing:
        logger.error("not ready: run `gatepost migrate`", pending=len(missing))
        raise ServiceUnavailable(_WRONG_SCHEMA)
    return Readiness(status="ok", database="ok", migrations="ok", mail="degraded" if found else "ok")


@metrics_router.get("/metrics", status_code=200, response_class=_Exposition, responses=problems())
async def read_metrics(runtime: CurrentRuntime) -> Response:
    """Return the metrics of this process for Prometheus. They contain no personal data and no secrets."""
    return _Exposition(runtime.metrics.exposition(), headers={"Content-Type": metrics.CONTENT_TYPE})
