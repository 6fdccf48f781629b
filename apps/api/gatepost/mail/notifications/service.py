"""Notices: what a message about somebody's own account says, put together when it is rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from gatepost.db.pool import Connection
from gatepost.geoip import Places
from gatepost.mail.notifications import store
from gatepost.security.link_tokens import LinkTokens, mark
from gatepost.settings import Settings

_PATHS = {"not_me": "not-me", "reset_password": "reset-password", "verify_email": "verify-email"}
_URLS = {"not_me": "not_me_url", "reset_password": "reset_url", "verify_email": "verify_url"}
_SHOWN_DEVICES = 5

_WORDS = {
    "en": {"on": "on", "unknown": "an unknown device", "by_staff": "Signed out by an administrator",
           "and_more": "and {} more", "hours": "{} hours", "hour": "1 hour"},
    "de": {"on": "unter", "unknown": "ein unbekanntes Gerät", "by_staff": "Von der Verwaltung abgemeldet",
           "and_more": "und {} weitere", "hours": "{} Stunden", "hour": "1 Stunde"},
}  # fmt: skip


class Notices:
    """Knows the values of notices, and fills their links in when they go out."""

    def __init__(self, settings: Settings, tokens: LinkTokens, places: Places) -> None:
        self._pages = settings.pages_url
        self._tokens = tokens
        self._places = places

    async def values(self, connection: Connection, notice: Mapping[str, Any], locale: str) -> dict[str, Any]:
        """Return everything that a notice can say; in the links' place stand marks."""
        words = _WORDS.get(locale.partition("-")[0], _WORDS["en"])
        told = {"login_url": f"{self._pages}/login", "devices_url": f"{self._pages}/devices"}
        told["name"] = await store.read_name(connection, UUID(notice["person"]))
        if "link" in notice:
            told |= await self._link(connection, notice, words)
        ids = [UUID(each) for each in notice.get("sessions", [notice["session"]] if "session" in notice else [])]
        if sessions := await store.list_sessions(connection, ids):
            told |= _about(sessions, words)
            told["location"] = self._places.near(told["ip"] or None, locale) or ""
        return told

    def fill(self, notice: Mapping[str, Any], payload: str) -> str:
        """Return what goes out: with the link of this very notice, and no other."""
        if "link" not in notice:
            return payload
        return self._tokens.fill(notice["purpose"], UUID(notice["link"]), payload)

    async def _link(
        self, connection: Connection, notice: Mapping[str, Any], words: Mapping[str, str]
    ) -> dict[str, Any]:
        link_id, purpose = UUID(notice["link"]), notice["purpose"]
        # In the fragment: no server on the way sees or logs it.
        url = f"{self._pages}/{_PATHS[purpose]}#token={mark(link_id)}"
        hours = round(await store.read_lifetime(connection, link_id) / 3600)
        return {_URLS[purpose]: url, "expires_in": words["hour"] if hours == 1 else words["hours"].format(hours)}


def _about(sessions: Sequence[Record], words: Mapping[str, str]) -> dict[str, Any]:
    first = sessions[0]
    named = [_device(session, words) for session in sessions[:_SHOWN_DEVICES]]
    if len(sessions) > _SHOWN_DEVICES:
        named.append(words["and_more"].format(len(sessions) - _SHOWN_DEVICES))
    ended = _moment(first["ended_at"]) if first["ended_at"] else ""
    return {
        "device": ", ".join(named),
        "ip": str(first["ip"].ip if hasattr(first["ip"], "ip") else first["ip"]) if first["ip"] else "",
        "signed_in_at": _moment(first["created_at"]),
        "revoked_at": ended,
        "happened_at": ended,
        "reason": words["by_staff"] if first["end_reason"] == "signed_out_by_admin" else "",
    }


def _device(session: Record, words: Mapping[str, str]) -> str:
    if session["name"]:
        return str(session["name"])
    browser, system = session["browser"], session["os"]
    return f"{browser} {words['on']} {system}" if browser and system else browser or system or words["unknown"]


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d, %H:%M UTC")
