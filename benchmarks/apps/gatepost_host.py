"""An app that mounts Gatepost."""

from __future__ import annotations

from fastapi import FastAPI

import gatepost

app = FastAPI()
app.include_router(gatepost.create_router(gatepost.Settings(environment="test")), prefix="/account")


@app.get("/open")
async def read_open() -> dict[str, bool]:
    return {"ok": True}


@app.get("/guarded")
async def read_guarded(session: gatepost.CurrentSession) -> dict[str, bool]:
    return {"ok": True}
