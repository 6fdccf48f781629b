"""Gatepost: multi-device sessions and transactional e-mail for FastAPI on Supabase or any PostgreSQL.

app.include_router(gatepost.create_router(), prefix="/account")

@app.get("/invoices")
async def invoices(session: gatepost.CurrentSession): ...
"""

from gatepost.app import create_app
from gatepost.errors import ConfigurationError, Refusal
from gatepost.router import GatepostRouter, create_router
from gatepost.sessions.guard import CurrentSession, RecentSession, require_recent_session, require_session
from gatepost.sessions.models import Device, Session
from gatepost.settings import Settings

__all__ = [
    "ConfigurationError",
    "CurrentSession",
    "Device",
    "GatepostRouter",
    "RecentSession",
    "Refusal",
    "Session",
    "Settings",
    "create_app",
    "create_router",
    "require_recent_session",
    "require_session",
]
