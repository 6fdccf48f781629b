"""Settings. Nothing else reads the environment."""

from __future__ import annotations

import math
import re
from base64 import b64decode
from collections import Counter
from datetime import timedelta
from email.utils import parseaddr
from ipaddress import ip_address, ip_network
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AnyUrl,
    BeforeValidator,
    EmailStr,
    Field,
    HttpUrl,
    SecretStr,
    UrlConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from gatepost.errors import ConfigurationError
from gatepost.types import IPNetwork

_PREFIX = "GATEPOST_"
_MAX_PORT = 65535
_MIN_SECRET_CHARACTERS = 32
_MAX_SECRET_KEYS = 5
# By the frequency of its characters; 32 random hexadecimal digits have about 110.
_MIN_SECRET_BITS = 90
# Distances between neighboring characters: random ones have many different ones, 0123… and abab… few.
_MAX_SEQUENCE_STEPS = 6
_MAKE_A_KEY = "make one with `openssl rand -base64 32`"
_HOST_AND_PORT = re.compile(r"(?:\[[^\]]*\]|[^\[\]:]*)(?::(\d{1,5}))?")
# The sender of captured email where MAIL_FROM is not set.
_DEFAULT_SENDER = "Gatepost <no-reply@example.com>"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# The Host header of Starlette's TestClient.
_TEST_CLIENT = "testserver"
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class _RedisUrl(AnyUrl):
    _constraints = UrlConstraints(allowed_schemes=["redis", "rediss"], host_required=True)


class _SmtpUrl(AnyUrl):
    _constraints = UrlConstraints(allowed_schemes=["smtp", "smtps"], host_required=True)


def _duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d{1,9})([smhd]?)", value.strip())
    if not match:
        raise ValueError("must be seconds or a number with s, m, h or d, like 900, 30m, 12h or 30d")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def _split_list(value: Any) -> Any:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _log_format(others: dict[str, Any]) -> Literal["json", "text"]:
    return "json" if others.get("environment") == "production" else "text"


def _parse_http_url(value: str) -> HttpUrl | None:
    """Return an http or https URL without a user, a fragment and white space; None if it is not one."""
    try:
        url = HttpUrl(value)
    except ValidationError:
        return None
    is_plain = value.isprintable() and " " not in value and not url.username and not url.fragment
    return url if is_plain else None


def _base_url(value: str) -> str:
    url = _parse_http_url(value)
    if url is None or url.query:
        raise ValueError("must be an http or https URL without a query, like https://app.example.com/account")
    return (url.scheme + value[len(url.scheme) :]).rstrip("/")


def _origin(value: str) -> str:
    url = _parse_http_url(value)
    if url is None or url.query or url.path != "/":
        raise ValueError("must be origins without a path, like https://app.example.com")
    return origin_of(value)


def _host(value: str) -> str:
    name = value.lower()
    try:
        return str(ip_address(name.removeprefix("[").removesuffix("]")))
    except ValueError:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", name):
            raise ValueError("must be host names or IP addresses without a port, like app.example.com") from None
        return name


def _is_loopback(url: str) -> bool:
    host = host_of(url)
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _provider_url(value: str) -> str:
    url = _base_url(value)
    if url.startswith("http://") and not _is_loopback(url):
        raise ValueError("must be https: requests contain the API key. Only a loopback address can be http")
    return url


def _webhook_url(value: str) -> str:
    # Not normalized: a trailing slash or a query can make a difference to the receiver.
    if _parse_http_url(value) is None:
        raise ValueError("must be an http or https URL, like https://app.example.com/hooks/sessions")
    return value


def _password_range_url(value: str) -> str:
    url = _parse_http_url(value)
    if url is None or url.query or (url.scheme == "http" and (url.host or "").strip("[]") not in _LOOPBACK):
        raise ValueError("must be an https URL, like https://api.pwnedpasswords.com/range")
    return value.rstrip("/")


def _smtp_url(value: SecretStr) -> SecretStr:
    try:
        url = _SmtpUrl(value.get_secret_value())
        is_valid = bool(url.username) == bool(url.password) and not (
            (url.path or "").strip("/") or url.query or url.fragment
        )
    except ValidationError:
        is_valid = False
    if not is_valid:
        raise ValueError(
            "must be like smtp://user:password@host:587 or smtps://user:password@host; "
            "in a password write / ? # @ % as %2F %3F %23 %40 %25"
        )
    return value


def _redis_url(value: SecretStr) -> SecretStr:
    try:
        url = _RedisUrl(value.get_secret_value())
        is_valid = not url.query and not url.fragment and re.fullmatch(r"/?\d*", url.path or "") is not None
    except ValidationError:
        is_valid = False
    if not is_valid:
        raise ValueError(
            "must be like redis://user:password@host:6379/0 or rediss://host:6379; "
            "in a password write / ? # @ % as %2F %3F %23 %40 %25"
        )
    return value


def _postgres_url(value: SecretStr) -> SecretStr:
    # Not by Pydantic's PostgresDsn, which rejects the URLs of Unix sockets: they have no host. It has to be validated
    # here: a driver takes what follows a bare / ? # in a password for a port, and repeats it in its error message.
    try:
        parts = urlsplit(value.get_secret_value())
    except ValueError:
        is_valid = False
    else:
        hosts = parts.netloc.rpartition("@")[2].split(",")
        ports = [match and int(match[1] or 0) for match in (_HOST_AND_PORT.fullmatch(host) for host in hosts)]
        is_valid = (
            parts.scheme in ("postgres", "postgresql")
            and (len(hosts) == 1 or all(hosts))
            and "@" not in parts.path + parts.query + parts.fragment
            and all(port is not None and port <= _MAX_PORT for port in ports)
        )
    if not is_valid:
        raise ValueError(
            "must be like postgresql://user:password@host:5432/database; "
            "in a password write / ? # @ % as %2F %3F %23 %40 %25"
        )
    return value


def _network(value: Any) -> Any:
    return ip_network(value, strict=False) if isinstance(value, str) else value


def split_secret_keys(value: str) -> list[str]:
    """Return the keys in the value of SECRET_KEY, newest first."""
    return [each.strip() for each in value.split(",")]


def _secret_key(value: SecretStr) -> SecretStr:
    keys = split_secret_keys(value.get_secret_value())
    if min(map(len, keys)) < _MIN_SECRET_CHARACTERS:
        raise ValueError(
            f"must have {_MIN_SECRET_CHARACTERS} or more characters, all of them random (several keys, newest first, "
            "are separated by commas)"
        )
    if len(set(keys)) < len(keys) or len(keys) > _MAX_SECRET_KEYS:
        raise ValueError(f"must be up to {_MAX_SECRET_KEYS} different keys, newest first, separated by commas")
    return value


def _is_random(secret: str) -> bool:
    """Return whether a secret may be random: neither few characters, nor a repetition, nor a sequence of them."""
    shares = [count / len(secret) for count in Counter(secret).values()]
    bits = -len(secret) * sum(share * math.log2(share) for share in shares)
    steps = {ord(b) - ord(a) for a, b in pairwise(secret)}
    return bits >= _MIN_SECRET_BITS and secret not in (secret + secret)[1:-1] and len(steps) > _MAX_SEQUENCE_STEPS


def _cookie_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        raise ValueError("must be 1 to 64 letters, digits, - or _")
    return value


def _sender(value: str) -> str:
    name, email = parseaddr(value)
    try:
        checked = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("must be an email address, or like Acme <no-reply@acme.com>") from None
    if not value.isprintable() or any(sign in name for sign in '"\\,;:<>@()[]'):
        raise ValueError(
            "must be an email address, or like Acme <no-reply@acme.com>, with a name without commas and quotes"
        )
    address = checked.ascii_email or checked.normalized
    return f"{name} <{address}>" if name else address


def _provider_webhook_secret(value: SecretStr) -> SecretStr:
    try:
        Webhook(value.get_secret_value())
    except (ValueError, RuntimeError, EmptyWebhookSecretError):
        raise ValueError("must be the signing secret that Resend shows for the webhook, like whsec_…") from None
    return value


def _session_webhook_secret(value: SecretStr) -> SecretStr:
    prefix, _, text = value.get_secret_value().rpartition("_")
    try:
        key = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if prefix != "whsec" or not 24 <= len(key) <= 64:
        raise ValueError("must be whsec_ and 24 to 64 random bytes in Base64: whsec_$(openssl rand -base64 32)")
    return value


def origin_of(url: str) -> str:
    """Return the origin of an http or https URL: scheme, host, and the port unless it is the scheme's default."""
    parsed = HttpUrl(url)
    return str(HttpUrl.build(scheme=parsed.scheme, host=parsed.host or "", port=parsed.port)).rstrip("/")


def host_of(url: str) -> str:
    """Return the host name or IP address of a URL, in lower case and without brackets."""
    return (HttpUrl(url).host or "").removeprefix("[").removesuffix("]").lower()


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta(0), le=timedelta(days=3650))]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Origin = Annotated[str, AfterValidator(_origin)]
Host = Annotated[str, AfterValidator(_host)]
# Parts that can be left out. What is left out does not exist: neither its routes nor their documentation.
Part = Literal["registration", "admin", "templates", "emails", "mailbox", "metrics", "pages"]
PARTS: frozenset[Part] = frozenset(get_args(Part))
MailTransports = Annotated[
    list[Literal["capture", "resend", "smtp"]], NoDecode, BeforeValidator(_split_list), Field(min_length=1)
]
Network = Annotated[IPNetwork, BeforeValidator(_network)]


class Settings(BaseSettings):
    """All settings, read from the environment with the prefix `GATEPOST_` or passed as keyword arguments.

    Durations are `timedelta`s; in the environment, seconds or `30m`, `12h`, `30d`. Lists are comma-separated.

    Raises:
        ConfigurationError: a setting is missing or invalid; one line that names it.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    database_url: Annotated[SecretStr, AfterValidator(_postgres_url)] | None = None
    migration_database_url: Annotated[SecretStr, AfterValidator(_postgres_url)] | None = None
    data_dir: Path = Path(".gatepost")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=_MAX_PORT)] = 8000
    public_url: BaseUrl | None = None
    web_url: BaseUrl | None = None
    allowed_origins: Annotated[list[Origin], NoDecode, BeforeValidator(_split_list)] = []
    allowed_hosts: Annotated[list[Host], NoDecode, BeforeValidator(_split_list)] = []
    include: Annotated[frozenset[Part], NoDecode, BeforeValidator(_split_list)] = PARTS
    secret_key: Annotated[SecretStr, AfterValidator(_secret_key)] | None = None
    environment: Literal["development", "test", "production"] = "development"
    admin_email: EmailStr | None = None
    admin_password: Annotated[SecretStr, Field(min_length=8)] | None = None
    registration: Literal["open", "confirm", "closed"] = "open"
    password_range_url: Annotated[str, AfterValidator(_password_range_url)] | None = None
    identity: Literal["local"] = "local"
    max_sessions: Annotated[int, Field(ge=1, le=1000)] = 5
    session_limit_action: Literal["evict_oldest"] = "evict_oldest"
    activity_interval: Duration = timedelta(seconds=300)
    idle_timeout: Duration = timedelta(days=30)
    session_lifetime: Duration = timedelta(days=180)
    access_token_ttl: Duration = timedelta(seconds=900)
    revocation: Literal["strict"] = "strict"
    mail_transport: MailTransports = ["capture"]
    mail_from: Annotated[str, AfterValidator(_sender)] | None = None
    resend_api_key: Annotated[SecretStr, Field(min_length=1)] | None = None
    resend_base_url: Annotated[str, AfterValidator(_provider_url)] = "https://api.resend.com"
    resend_webhook_secret: Annotated[SecretStr, AfterValidator(_provider_webhook_secret)] | None = None
    smtp_url: Annotated[SecretStr, AfterValidator(_smtp_url)] | None = None
    session_webhook_url: Annotated[str, AfterValidator(_webhook_url)] | None = None
    session_webhook_secret: Annotated[SecretStr, AfterValidator(_session_webhook_secret)] | None = None
    product_name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")] = "Gatepost"
    cookie_name: Annotated[str, AfterValidator(_cookie_name)] = "gatepost"
    geoip_database: Path | None = None
    redis_url: Annotated[SecretStr, AfterValidator(_redis_url)] | None = None
    trusted_proxies: Annotated[list[Network], NoDecode, BeforeValidator(_split_list)] = []
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    log_format: Literal["json", "text"] = Field(default_factory=_log_format)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigurationError(_error_line(error)) from None

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        if self.environment == "production" and self.secret_key is None:
            raise ValueError(f"SECRET_KEY: is required in production: {_MAKE_A_KEY}")
        if self.environment == "production" and self.secret_key is not None:
            keys = split_secret_keys(self.secret_key.get_secret_value())
            if not all(map(_is_random, keys)):
                raise ValueError(f"SECRET_KEY: is not random enough for production: {_MAKE_A_KEY}")
        if self.migration_database_url is not None and self.database_url is None:
            raise ValueError("MIGRATION_DATABASE_URL: needs DATABASE_URL, the same database as the application's role")
        if (self.admin_email is None) != (self.admin_password is None):
            raise ValueError("ADMIN_EMAIL and ADMIN_PASSWORD: set both or neither")
        if self.activity_interval >= self.idle_timeout:
            raise ValueError("ACTIVITY_INTERVAL: must be shorter than IDLE_TIMEOUT, or active sessions become idle")
        return self

    @model_validator(mode="after")
    def _check_urls(self) -> Self:
        """Require https in production: cookies are Secure only then, and links in emails are secrets (ASVS 12.2.1)."""
        if self.environment != "production":
            return self
        if self.public_url is None:
            raise ValueError("PUBLIC_URL: is required in production: the https URL that clients use")
        for name, urls in {
            "PUBLIC_URL": [self.public_url],
            "WEB_URL": [self.web_url or self.public_url],
            "ALLOWED_ORIGINS": self.allowed_origins,
        }.items():
            if not all(url.startswith("https://") for url in urls):
                raise ValueError(f"{name}: must be https in production")
        return self

    @model_validator(mode="after")
    def _check_session_webhook(self) -> Self:
        url = self.session_webhook_url
        if (url is None) != (self.session_webhook_secret is None):
            raise ValueError("SESSION_WEBHOOK_URL and SESSION_WEBHOOK_SECRET: set both or neither")
        if self.environment == "production" and url is not None and HttpUrl(url).scheme != "https":
            raise ValueError("SESSION_WEBHOOK_URL: must be https in production")
        return self

    @model_validator(mode="after")
    def _check_mail(self) -> Self:
        transports = self.mail_transport
        if len(set(transports)) < len(transports):
            raise ValueError("MAIL_TRANSPORT: must name each transport once, in the order in which they are tried")
        if "capture" in transports and len(transports) > 1:
            raise ValueError("MAIL_TRANSPORT: capture cannot be combined with other transports")
        if transports == ["capture"]:
            if self.environment == "production":
                raise ValueError("MAIL_TRANSPORT: capture sends no email; in production set resend or smtp")
            return self
        required: dict[str, object] = {"MAIL_FROM": self.mail_from}
        required |= {"RESEND_API_KEY": self.resend_api_key} if "resend" in transports else {}
        required |= {"SMTP_URL": self.smtp_url} if "smtp" in transports else {}
        for name, value in required.items():
            if value is None:
                raise ValueError(f"{name}: is required by GATEPOST_MAIL_TRANSPORT={','.join(transports)}")
        return self

    @property
    def owner_url(self) -> str | None:
        """The URL of the database as the owner of its schema; None for the embedded database."""
        url = self.migration_database_url or self.database_url
        return url.get_secret_value() if url else None

    @property
    def issuer(self) -> str:
        """The `iss` claim of access tokens (RFC 7519, 4.1.1)."""
        return (self.public_url or "http://localhost") + "/v1/auth"

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that the service answers for: `ALLOWED_HOSTS`, or else its own.

        That is the host of `PUBLIC_URL`. Outside production it is also this machine's, by any name that only a program
        on this machine can use, and what `HOST` names.
        """
        own = set(self.allowed_hosts) or ({host_of(self.public_url)} if self.public_url else set())
        if self.environment == "production":
            return frozenset(own)
        names = {self.host.lower()} - {"0.0.0.0", "::"} | _LOOPBACK  # noqa: S104 - compared, not bound
        return frozenset(own | names | ({_TEST_CLIENT} if self.environment == "test" else set()))

    @property
    def pages_url(self) -> str:
        """The URL of the web app, which links in emails lead to."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        local = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        return self.web_url or self.public_url or local

    @property
    def sender(self) -> str:
        """The From header of emails."""
        return self.mail_from or _DEFAULT_SENDER

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are Secure and bound to the host by the `__Host-` prefix (RFC 6265bis, 4.1.3.2)."""
        return self.public_url is not None and self.public_url.startswith("https://")


def _error_line(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return _PREFIX + message
    return f"{_PREFIX}{str(first['loc'][0]).upper()}: {message}"
