"""The public names of the package."""

from __future__ import annotations

import gatepost


def test_the_public_names() -> None:
    assert sorted(dir(gatepost)) == [
        "ApiError",
        "Attachment",
        "ConfigurationError",
        "CurrentSession",
        "Device",
        "GatepostRouter",
        "RecentSession",
        "Session",
        "Settings",
        "create_app",
        "create_router",
        "require_recent_session",
        "require_session",
        "send_email",
    ]
    assert all(hasattr(gatepost, name) for name in dir(gatepost))
