"""Settings: the only reader of the environment."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import timedelta
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, EmailStr, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from gatepost.errors import ConfigurationError

_PREFIX = "GATEPOST_"
_MAX_PORT = 65535
_LEAST_SECRET = 32
_HOST_AND_PORT = re.compile(r"(?:\[[^\]]*\]|[^\[\]:]*)(?::(\d{1,5}))?")
# Whom captured mail is from, where nobody is named.
_NOBODY = "Gatepost <no-reply@example.com>"
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d{1,9})([smhd]?)", value.strip())
    if not match:
        raise ValueError("must be seconds or a number with s, m, h or d, like 900, 30m, 12h or 30d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def _listed(value: Any) -> Any:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("must be an http or https address without query, like https://app.example.com/account")
    return value.rstrip("/")


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("must be origins without a path, like https://app.example.com")
    return origin_of(value)


def _network(value: Any) -> Any:
    return ip_network(value, strict=False) if isinstance(value, str) else value


def _postgres_url(value: SecretStr) -> SecretStr:
    # Looked at here: a driver takes what follows a bare / ? # in a password for a port, and repeats it in its message.
    parts = urlsplit(value.get_secret_value())
    hosts = parts.netloc.rpartition("@")[2].split(",")
    ports = [match and int(match[1] or 0) for match in (_HOST_AND_PORT.fullmatch(host) for host in hosts)]
    well_formed = (
        parts.scheme in ("postgres", "postgresql")
        and (len(hosts) == 1 or all(hosts))
        and "@" not in parts.path + parts.query + parts.fragment
        and all(port is not None and port <= _MAX_PORT for port in ports)
    )
    if not well_formed:
        raise ValueError(
            "must be like postgresql://user:password@host:5432/database; in a password write / ? # @ as %2F %3F %23 %40"
        )
    return value


def _secret(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < _LEAST_SECRET:
        raise ValueError(f"must have {_LEAST_SECRET} or more characters, all of them random")
    return value


def _cookie_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        raise ValueError("must be 1 to 64 letters, digits, - or _")
    return value


def _mailbox(value: str) -> str:
    name, address = parseaddr(value)
    try:
        checked = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("must be an address, or like Acme <no-reply@acme.com>") from None
    if not value.isprintable() or any(sign in name for sign in '"\\,;:<>@()[]'):
        raise ValueError("must be an address, or like Acme <no-reply@acme.com>, the name without commas and quotes")
    mailbox = checked.ascii_email or checked.normalized
    return f"{name} <{mailbox}>" if name else mailbox


def _webhook_secret(value: SecretStr) -> SecretStr:
    try:
        Webhook(value.get_secret_value())
    except (ValueError, RuntimeError, EmptyWebhookSecretError):
        raise ValueError("must be the signing secret that Resend shows beside the webhook, like whsec_…") from None
    return value


def _webhook_url(value: str) -> str:
    # Kept as it is: to a receiver a slash at the end or a query may be another address.
    try:
        parts = urlsplit(value)
        well_formed = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        well_formed = False
    if not well_formed or parts.username or parts.fragment or not value.isprintable() or " " in value:
        raise ValueError("must be an http or https address, like https://app.example.com/hooks/sessions")
    return value


def _signing_secret(value: SecretStr) -> SecretStr:
    prefix, _, text = value.get_secret_value().rpartition("_")
    try:
        key = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if prefix != "whsec" or not 24 <= len(key) <= 64:
        raise ValueError("must be whsec_ and 24 to 64 random bytes in Base64: whsec_$(openssl rand -base64 32)")
    return value


def _smtp_url(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
        well_formed = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and (parts.port or 1) > 0
        well_formed = well_formed and bool(parts.username) == bool(parts.password)
    except ValueError:
        well_formed = False
    if not well_formed or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(
            "must be like smtp://user:password@host:587 or smtps://user:password@host; "
            "in a password write / ? # @ as %2F %3F %23 %40"
        )
    return value


def origin_of(url: str) -> str:
    """Return the origin (scheme, host and a port that is not the scheme's own) of an http or https address."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, default) else "")


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta(0), le=timedelta(days=3650))]
Url = Annotated[str, AfterValidator(_url)]
Origin = Annotated[str, AfterValidator(_origin)]
MailTransport = Annotated[
    list[Literal["capture", "resend", "smtp"]], NoDecode, BeforeValidator(_listed), Field(min_length=1)
]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]


class Settings(BaseSettings):
    """Everything that can be set, read from the environment with the prefix `GATEPOST_` or given by name.

    Durations are `timedelta`s; in the environment, seconds or `30m`, `12h`, `30d`. Lists are comma-separated.

    Raises:
        ConfigurationError: a setting is missing or wrong; one line that names it.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    database_url: Annotated[SecretStr, AfterValidator(_postgres_url)] | None = None
    data_dir: Path = Path(".gatepost")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=_MAX_PORT)] = 8000
    public_url: Url | None = None
    web_url: Url | None = None
    allowed_origins: Annotated[list[Origin], NoDecode, BeforeValidator(_listed)] = []
    secret_key: Annotated[SecretStr, AfterValidator(_secret)] | None = None
    environment: Literal["development", "test", "production"] = "development"
    admin_email: EmailStr | None = None
    admin_password: Annotated[SecretStr, Field(min_length=8)] | None = None
    registration: Literal["open", "closed"] = "open"
    identity: Literal["local"] = "local"
    max_sessions: Annotated[int, Field(ge=1, le=1000)] = 5
    session_limit_action: Literal["evict_oldest"] = "evict_oldest"
    activity_interval: Duration = timedelta(seconds=300)
    idle_timeout: Duration = timedelta(days=30)
    session_lifetime: Duration = timedelta(days=180)
    access_token_ttl: Duration = timedelta(seconds=900)
    revocation: Literal["strict"] = "strict"
    mail_transport: MailTransport = ["capture"]
    mail_from: Annotated[str, AfterValidator(_mailbox)] | None = None
    resend_api_key: Annotated[SecretStr, Field(min_length=1)] | None = None
    resend_base_url: Url = "https://api.resend.com"
    resend_webhook_secret: Annotated[SecretStr, AfterValidator(_webhook_secret)] | None = None
    smtp_url: Annotated[SecretStr, AfterValidator(_smtp_url)] | None = None
    session_webhook_url: Annotated[str, AfterValidator(_webhook_url)] | None = None
    session_webhook_secret: Annotated[SecretStr, AfterValidator(_signing_secret)] | None = None
    product_name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")] = "Gatepost"
    cookie_name: Annotated[str, AfterValidator(_cookie_name)] = "gatepost"
    geoip_database: Path | None = None
    trusted_proxies: Annotated[list[Network], NoDecode, BeforeValidator(_listed)] = []

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigurationError(_first_line(error)) from None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.environment == "production" and self.secret_key is None:
            raise ValueError("SECRET_KEY: is required in production: 32 or more random characters")
        if (self.admin_email is None) != (self.admin_password is None):
            raise ValueError("ADMIN_EMAIL and ADMIN_PASSWORD: set both or neither")
        if self.activity_interval >= self.idle_timeout:
            raise ValueError("ACTIVITY_INTERVAL: must be shorter than the idle timeout, or active people go idle")
        return self

    @model_validator(mode="after")
    def _webhooks_are_signed(self) -> Self:
        url = self.session_webhook_url
        if (url is None) != (self.session_webhook_secret is None):
            raise ValueError("SESSION_WEBHOOK_URL and SESSION_WEBHOOK_SECRET: set both or neither")
        if self.environment == "production" and url is not None and urlsplit(url).scheme != "https":
            raise ValueError("SESSION_WEBHOOK_URL: must be https in production")
        return self

    @model_validator(mode="after")
    def _mail_can_leave(self) -> Self:
        ways = self.mail_transport
        if len(set(ways)) < len(ways) or ("capture" in ways and len(ways) > 1):
            raise ValueError("MAIL_TRANSPORT: name each once, the first choice first; capture stands alone")
        if self.environment == "production" and self.web_url is None and self.public_url is None:
            raise ValueError("PUBLIC_URL: is required in production, or WEB_URL: the links in mails lead there")
        if ways == ["capture"]:
            if self.environment == "production":
                raise ValueError("MAIL_TRANSPORT: capture sends nothing to anybody: in production set resend or smtp")
            return self
        needs: dict[str, object] = {"MAIL_FROM": self.mail_from}
        needs |= {"RESEND_API_KEY": self.resend_api_key} if "resend" in ways else {}
        needs |= {"SMTP_URL": self.smtp_url} if "smtp" in ways else {}
        for name, value in needs.items():
            if value is None:
                raise ValueError(f"{name}: is required by GATEPOST_MAIL_TRANSPORT={','.join(ways)}")
        return self

    @property
    def issuer(self) -> str:
        """The `iss` claim of our access tokens (RFC 7519, 4.1.1)."""
        return (self.public_url or "http://localhost") + "/v1/auth"

    @property
    def pages_url(self) -> str:
        """Where the links in mails lead: where our pages are."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - asked for, not bound
        here = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        return self.web_url or self.public_url or here

    @property
    def sender(self) -> str:
        """Whom mail is from, as its From header says."""
        return self.mail_from or _NOBODY

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are Secure and bound to the host by the `__Host-` prefix (RFC 6265bis, 4.1.3.2)."""
        return self.public_url is not None and self.public_url.startswith("https://")


def _first_line(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return _PREFIX + message
    return f"{_PREFIX}{str(first['loc'][0]).upper()}: {message}"
