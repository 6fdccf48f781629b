"""The texts that are values of notifications, by language."""

from __future__ import annotations

from collections.abc import Mapping

_TEXTS = {
    "en": {
        "device": "{browser} on {os}",
        "unknown_device": "an unknown device",
        "unknown": "Unknown",
        "more_devices": "and {count} more",
        "by_admin": "Signed out by an admin",
        "hour": "1 hour",
        "hours": "{count} hours",
        "never": "Never",
        "not_in_session": "From outside the application, for example the command line",
        # what a summary counts
        "new-device": "Sign-ins on new devices",
        "session-revoked": "Devices signed out by an admin",
        "suspicious-refresh": "Devices signed out because their session was used on two devices",
        "password-changed": "Changes of your password",
        "email-changed": "Changes of your email address",
        "api-key-created": "New API keys",
        "admin-added": "New admins",
        "welcome": "Confirmations of your email address",
    },
    "de": {
        "device": "{browser} unter {os}",
        "unknown_device": "ein unbekanntes Gerät",
        "unknown": "Unbekannt",
        "more_devices": "und {count} weitere",
        "by_admin": "Von der Administration abgemeldet",
        "hour": "1 Stunde",
        "hours": "{count} Stunden",
        "never": "Nie",
        "not_in_session": "Außerhalb der Anwendung, zum Beispiel in der Befehlszeile",
        "new-device": "Anmeldungen mit neuen Geräten",
        "session-revoked": "Von der Administration abgemeldete Geräte",
        "suspicious-refresh": "Geräte, die abgemeldet wurden, weil ihre Sitzung an zwei Stellen verwendet wurde",
        "password-changed": "Änderungen Ihres Passworts",
        "email-changed": "Änderungen Ihrer E-Mail-Adresse",
        "api-key-created": "Neue API-Schlüssel",
        "admin-added": "Neue Mitglieder der Administration",
        "welcome": "Bestätigungen Ihrer E-Mail-Adresse",
    },
}


def texts_of(locale: str) -> Mapping[str, str]:
    """Return the texts of a language, or those in English."""
    return _TEXTS.get(locale.partition("-")[0], _TEXTS["en"])
