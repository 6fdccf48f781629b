"""The minimal equivalent of the guard: PyJWT and one read by primary key, with the tokens and rows of Gatepost."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import jwt
from fastapi import Depends, FastAPI, HTTPException, Request

_POOL_SIZE = 10
_READ = "select user_id, ended_at, expires_at from gatepost.sessions where id = $1"


async def _no_reset(_: Any) -> None:
    pass


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
    url = os.environ["GATEPOST_DATABASE_URL"]
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=_POOL_SIZE) as pool,
        asyncpg.create_pool(url, min_size=1, max_size=_POOL_SIZE, reset=_no_reset) as unreset,
    ):
        jwk = await pool.fetchval("select public_jwk::text from gatepost.signing_keys")
        yield {"key": jwt.PyJWK.from_json(jwk).key, "pool": pool, "unreset": unreset}


def _guard(pool: str) -> Callable[[Request], Awaitable[UUID]]:
    async def check(request: Request) -> UUID:
        state = request.scope["state"]
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, state["key"], algorithms=["ES256"], audience="authenticated")
        except jwt.PyJWTError:
            raise HTTPException(401) from None
        row = await state[pool].fetchrow(_READ, UUID(claims["session_id"]))
        if row is None or row["ended_at"] is not None or row["expires_at"] <= datetime.now(UTC):
            raise HTTPException(401)
        return row["user_id"]

    return check


app = FastAPI(lifespan=_lifespan)


@app.get("/open")
async def read_open() -> dict[str, bool]:
    return {"ok": True}


@app.get("/guarded")
async def read_guarded(user_id: Annotated[UUID, Depends(_guard("pool"))]) -> dict[str, bool]:
    return {"ok": True}


@app.get("/unreset")
async def read_unreset(user_id: Annotated[UUID, Depends(_guard("unreset"))]) -> dict[str, bool]:
    return {"ok": True}
