"""An app with Gatepost in it."""

from typing import Any

from fastapi import FastAPI

import gatepost

app = FastAPI()
app.include_router(gatepost.create_router(), prefix="/account")


@app.get("/invoices")
async def list_invoices(session: gatepost.CurrentSession) -> dict[str, Any]:
    """Return the invoices of the signed-in user."""
    return {"user_id": session.user_id, "device": session.name, "invoices": []}
