"""Gatepost: multi-device sessions and transactional e-mail for FastAPI on Supabase or any PostgreSQL.

app.include_router(gatepost.create_router(), prefix="/account")

@app.get("/invoices")
async def invoices(session: gatepost.CurrentSession): ...
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatepost.app import create_app
    from gatepost.errors import ConfigurationError, Refusal
    from gatepost.mail.sending import send_email
    from gatepost.mail.transports.transport import Attachment
    from gatepost.router import GatepostRouter, create_router
    from gatepost.sessions.guard import CurrentSession, RecentSession, require_recent_session, require_session
    from gatepost.sessions.models import Device, Session
    from gatepost.settings import Settings

__all__ = [
    "Attachment",
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
    "send_email",
]

# Imported when first asked for: the process that renders templates starts in a fraction of the time, and holds no
# framework and no keys.
_HOMES = {
    "Attachment": "gatepost.mail.transports.transport",
    "ConfigurationError": "gatepost.errors",
    "CurrentSession": "gatepost.sessions.guard",
    "Device": "gatepost.sessions.models",
    "GatepostRouter": "gatepost.router",
    "RecentSession": "gatepost.sessions.guard",
    "Refusal": "gatepost.errors",
    "Session": "gatepost.sessions.models",
    "Settings": "gatepost.settings",
    "create_app": "gatepost.app",
    "create_router": "gatepost.router",
    "require_recent_session": "gatepost.sessions.guard",
    "require_session": "gatepost.sessions.guard",
    "send_email": "gatepost.mail.sending",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
