"""The content of notifications: the values for rendering, and the links for sending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gatepost.db import Connection
from gatepost.geoip import GeoIp
from gatepost.mail.notifications import store
from gatepost.mail.notifications.models import NotifiedSession
from gatepost.security import LinkTokens
from gatepost.settings import Settings

_PATHS = {"not_me": "not-me", "reset_password": "reset-password", "verify_email": "verify-email"}
_URL_VARIABLES = {"not_me": "not_me_url", "reset_password": "reset_url", "verify_email": "verify_url"}
_MAX_DEVICES = 5

_TEXTS = {
    "en": {"device": "{browser} on {os}", "unknown_device": "an unknown device", "more_devices": "and {count} more",
           "by_admin": "Signed out by an administrator", "hour": "1 hour", "hours": "{count} hours"},
    "de": {"device": "{browser} unter {os}", "unknown_device": "ein unbekanntes Gerät",
           "more_devices": "und {count} weitere", "by_admin": "Von der Administration abgemeldet",
           "hour": "1 Stunde", "hours": "{count} Stunden"},
}  # fmt: skip


class NotificationContent:
    """Provides the values of notifications for rendering, and inserts their links when they are sent.

    A notification is what SQL stores with its email: {user_id, session_id | session_ids, link_id, purpose}, the last
    two if it has a link.
    """

    def __init__(self, settings: Settings, tokens: LinkTokens, geoip: GeoIp) -> None:
        self._pages = settings.pages_url
        self._tokens = tokens
        self._geoip = geoip

    async def values(self, connection: Connection, notification: Mapping[str, Any], locale: str) -> dict[str, Any]:
        """Return all values that a notification can use. Its link has a placeholder instead of the token."""
        texts = _TEXTS.get(locale.partition("-")[0], _TEXTS["en"])
        values = {"login_url": f"{self._pages}/login", "devices_url": f"{self._pages}/devices"}
        values["name"] = await store.read_name(connection, UUID(notification["user_id"]))
        if "link_id" in notification:
            values |= await self._link(connection, notification, texts)
        ids = notification.get("session_ids", [notification["session_id"]] if "session_id" in notification else [])
        if sessions := await store.list_sessions(connection, [UUID(each) for each in ids]):
            values |= _session_values(sessions, texts)
            values["location"] = self._geoip.locate(sessions[0].ip, locale) or ""
        return values

    def insert_link(self, notification: Mapping[str, Any], payload: str) -> str:
        """Return the payload with the token of this notification's link, and of no other."""
        if "link_id" not in notification:
            return payload
        return self._tokens.insert(notification["purpose"], UUID(notification["link_id"]), payload)

    async def _link(
        self, connection: Connection, notification: Mapping[str, Any], texts: Mapping[str, str]
    ) -> dict[str, str]:
        link_id, purpose = UUID(notification["link_id"]), notification["purpose"]
        # The token is in the fragment, which browsers send to no server.
        url = f"{self._pages}/{_PATHS[purpose]}#token={self._tokens.placeholder(link_id)}"
        hours = round(await store.read_lifetime(connection, link_id) / 3600)
        expires_in = texts["hour"] if hours == 1 else texts["hours"].format(count=hours)
        return {_URL_VARIABLES[purpose]: url, "expires_in": expires_in}


def _session_values(sessions: Sequence[NotifiedSession], texts: Mapping[str, str]) -> dict[str, str]:
    latest = sessions[0]
    devices = [_device(session, texts) for session in sessions[:_MAX_DEVICES]]
    if len(sessions) > _MAX_DEVICES:
        devices.append(texts["more_devices"].format(count=len(sessions) - _MAX_DEVICES))
    ended_at = _format_time(latest.ended_at) if latest.ended_at else ""
    return {
        "device": ", ".join(devices),
        "ip": latest.ip or "",
        "signed_in_at": _format_time(latest.created_at),
        "revoked_at": ended_at,
        "happened_at": ended_at,
        "reason": texts["by_admin"] if latest.end_reason == "signed_out_by_admin" else "",
    }


def _device(session: NotifiedSession, texts: Mapping[str, str]) -> str:
    if session.name:
        return session.name
    if session.browser and session.os:
        return texts["device"].format(browser=session.browser, os=session.os)
    return session.browser or session.os or texts["unknown_device"]


def _format_time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d, %H:%M UTC")
