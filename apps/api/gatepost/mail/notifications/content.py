"""The content of notifications: the values for rendering, and the links for sending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gatepost.db import Connection
from gatepost.geoip import GeoIp
from gatepost.mail.notifications import store
from gatepost.mail.notifications.device_names import browser_name, system_name
from gatepost.mail.notifications.models import NotifiedSession
from gatepost.mail.notifications.texts import texts_of
from gatepost.security import LinkTokens
from gatepost.settings import Settings

_PATHS = {"not_me": "not-me", "reset_password": "reset-password", "verify_email": "verify-email"}
_URL_VARIABLES = {"not_me": "not_me_url", "reset_password": "reset_url", "verify_email": "verify_url"}
_MAX_DEVICES = 5


class NotificationContent:
    """Provides the values of notifications for rendering, and inserts their links when they are sent.

    A notification is what SQL stores with its email: {user_id, at, transaction}, {link_id, purpose} if it has a link,
    and what it is about. Names that clients choose are not among the values: not those of devices, API keys and users.
    """

    def __init__(self, settings: Settings, tokens: LinkTokens, geoip: GeoIp) -> None:
        self._pages = settings.pages_url
        self._tokens = tokens
        self._geoip = geoip

    async def values(self, connection: Connection, notification: Mapping[str, Any], locale: str) -> dict[str, Any]:
        """Return all values that a notification can use. Its link has a placeholder instead of the token."""
        texts = texts_of(locale)
        happened_at = _format_time(datetime.fromisoformat(notification["at"]))
        values: dict[str, Any] = {
            "login_url": f"{self._pages}/login",
            "devices_url": f"{self._pages}/devices",
            "forgot_password_url": f"{self._pages}/forgot-password",
            **dict.fromkeys(("happened_at", "changed_at", "added_at"), happened_at),
        }
        if "link_id" in notification:
            values |= await self._link(connection, notification, texts)
        ids = notification.get("session_ids", [notification["session_id"]] if "session_id" in notification else [])
        sessions = await store.list_sessions(connection, [UUID(each) for each in ids])
        if sessions:
            values |= _session_values(sessions, texts)
        if "account_id" in notification:
            values["account_email"] = await store.read_email(connection, UUID(notification["account_id"]))
        if "api_key_id" in notification:
            values |= await _api_key_values(connection, UUID(notification["api_key_id"]), texts)
        if "summary_id" in notification:
            values |= await _summary_values(connection, UUID(notification["summary_id"]), texts)
        return values | await self._origin(connection, notification, sessions, locale)

    def insert_link(self, notification: Mapping[str, Any], payload: str) -> str:
        """Return the payload with the token of this notification's link, and of no other."""
        if "link_id" not in notification:
            return payload
        return self._tokens.insert(notification["purpose"], UUID(notification["link_id"]), payload)

    async def _origin(
        self, connection: Connection, notification: Mapping[str, Any], sessions: Sequence[NotifiedSession], locale: str
    ) -> dict[str, str]:
        """Return where an event came from: the session, or the audited IP address. Empty if it is about several."""
        if len(sessions) > 1:
            return dict.fromkeys(("browser", "system", "ip", "location"), "")
        unknown = texts_of(locale)["unknown"]
        browser = system = ""
        if sessions:
            [session] = sessions
            ip = session.ip
            browser, system = browser_name(session.browser) or unknown, system_name(session.os) or unknown
        else:
            ip = notification.get("ip") or await store.read_audited_ip(connection, notification)
        return {
            "browser": browser,
            "system": system,
            "ip": ip or unknown,
            "location": self._geoip.locate(ip, locale) or unknown,
        }

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
        "signed_in_at": _format_time(latest.created_at),
        "reason": texts["by_admin"] if latest.end_reason == "signed_out_by_admin" else "",
        "revoked_at": ended_at,
        "happened_at": ended_at,
    }


async def _api_key_values(connection: Connection, key_id: UUID, texts: Mapping[str, str]) -> dict[str, Any]:
    key = await store.read_api_key(connection, key_id)
    if key is None:
        return {}
    return {
        "key_prefix": key.prefix,
        "scopes": ", ".join(key.scopes),
        "created_by": key.creator_email or texts["not_in_session"],
        "created_at": _format_time(key.created_at),
        "expires_at": _format_time(key.expires_at) if key.expires_at else texts["never"],
    }


async def _summary_values(connection: Connection, summary_id: UUID, texts: Mapping[str, str]) -> dict[str, Any]:
    events = await store.list_summarized(connection, summary_id)
    return {
        "total": sum(each.count for each in events),
        "events": [
            {
                "kind": texts.get(each.template, each.template),
                "count": each.count,
                "period": _format_period(each.first_at, each.last_at),
            }
            for each in events
        ],
    }


def _device(session: NotifiedSession, texts: Mapping[str, str]) -> str:
    browser, system = browser_name(session.browser), system_name(session.os)
    if browser and system:
        return texts["device"].format(browser=browser, os=system)
    return browser or system or texts["unknown_device"]


def _format_time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d, %H:%M UTC")


def _format_period(first: datetime, last: datetime) -> str:
    start, end = first.astimezone(UTC), last.astimezone(UTC)
    if start.date() != end.date():
        return f"{_format_time(first)} \N{EN DASH} {_format_time(last)}"
    if f"{start:%H:%M}" == f"{end:%H:%M}":
        return _format_time(first)
    return f"{start:%Y-%m-%d, %H:%M}\N{EN DASH}{end:%H:%M} UTC"
