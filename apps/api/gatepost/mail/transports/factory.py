"""Creates the transports that are configured."""

from __future__ import annotations

from gatepost.errors import ConfigurationError
from gatepost.mail.transports.capture import CaptureTransport
from gatepost.mail.transports.resend import ResendTransport
from gatepost.mail.transports.smtp import SmtpTransport
from gatepost.mail.transports.transport import Transport
from gatepost.settings import Settings


def create_transports(settings: Settings) -> tuple[Transport, ...]:
    """Return the transports in the order in which they are tried. Nothing is connected yet.

    Raises:
        ConfigurationError: a required setting is missing or malformed.
    """
    return tuple(_create(name, settings) for name in dict.fromkeys(settings.mail_transport))


def _create(name: str, settings: Settings) -> Transport:
    match name:
        case "resend":
            if settings.resend_api_key is None:
                raise ConfigurationError("GATEPOST_RESEND_API_KEY: is required to send by Resend")
            return ResendTransport(settings.resend_api_key.get_secret_value(), settings.resend_base_url)
        case "smtp":
            if settings.smtp_url is None:
                raise ConfigurationError("GATEPOST_SMTP_URL: is required to send by SMTP")
            return SmtpTransport(settings.smtp_url.get_secret_value())
    return CaptureTransport()
