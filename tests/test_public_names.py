"""The public names are exactly those that are promised."""

from __future__ import annotations

import gatepost


def test_the_public_names() -> None:
    assert sorted(gatepost.__all__) == [
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
    assert all(hasattr(gatepost, name) for name in gatepost.__all__)
