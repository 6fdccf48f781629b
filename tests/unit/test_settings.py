"""Settings: read from the environment; an error is one line that names the setting."""

from __future__ import annotations

import base64
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from gatepost import ConfigurationError, Settings
from gatepost.settings import origin_of
from tests.support import RANDOM_SECRET

WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


def test_defaults() -> None:
    settings = Settings()
    assert settings.max_sessions == 5
    assert settings.activity_interval == timedelta(seconds=300)
    assert settings.idle_timeout == timedelta(days=30)
    assert settings.session_lifetime == timedelta(days=180)
    assert settings.access_token_ttl == timedelta(seconds=900)
    assert settings.cookie_name == "gatepost"
    assert settings.revocation == "strict"


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "IDLE_TIMEOUT": "12h",
        "ACCESS_TOKEN_TTL": "60",
        "SESSION_LIFETIME": "90d",
        "ALLOWED_ORIGINS": "https://a.example.com, https://B.example.com:443/",
        "TRUSTED_PROXIES": "10.0.0.0/8,::1",
        "PUBLIC_URL": "https://app.example.com/account/",
        "MAX_SESSIONS": "",
    }.items():
        monkeypatch.setenv(f"GATEPOST_{name}", value)
    settings = Settings()
    assert settings.idle_timeout == timedelta(hours=12)
    assert settings.access_token_ttl == timedelta(minutes=1)
    assert settings.session_lifetime == timedelta(days=90)
    assert settings.allowed_origins == ["https://a.example.com", "https://b.example.com"]
    assert settings.trusted_proxies == [ip_network("10.0.0.0/8"), ip_network("::1")]
    assert settings.public_url == "https://app.example.com/account"
    assert settings.max_sessions == 5


@pytest.mark.parametrize(
    ("environment", "log_format", "expected"),
    [
        ("development", None, "text"),
        ("test", None, "text"),
        ("production", None, "json"),
        ("production", "text", "text"),
        ("development", "json", "json"),
    ],
)
def test_the_log_is_text_unless_in_production(environment: str, log_format: str | None, expected: str) -> None:
    given: dict[str, Any] = {"environment": environment} | ({"log_format": log_format} if log_format else {})
    mail = {"mail_transport": ["smtp"], "smtp_url": "smtp://host", "mail_from": "a@acme.com"}
    settings = Settings(**given, **mail, secret_key=RANDOM_SECRET, public_url="https://acme.com")
    assert settings.log_format == expected


def test_the_log_level_is_info_and_its_case_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().log_level == "info"
    monkeypatch.setenv("GATEPOST_LOG_LEVEL", "WARNING")
    assert Settings().log_level == "warning"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("MAX_SESSIONS", value) for value in ("0", "-1", "many", "1.5")),
        *(("IDLE_TIMEOUT", value) for value in ("0", "-1", "soon", "30 days", "30w", "9" * 30)),
        *(
            ("PUBLIC_URL", value)
            for value in ("app.example.com", "ftp://a.example.com", "https://", "https://u:p@h/", "https://h/?q")
        ),
        *(("ALLOWED_ORIGINS", value) for value in ("*", "a.example.com", "https://a.example.com/path")),
        *(("TRUSTED_PROXIES", value) for value in ("all", "10.0.0.0/99")),
        *(("DATABASE_URL", value) for value in ("mysql://h/d", "nonsense")),
        ("MIGRATION_DATABASE_URL", "mysql://h/d"),
        ("MIGRATION_DATABASE_URL", "postgresql://owner@h/d"),
        ("SECRET_KEY", "short"),
        ("ENVIRONMENT", "prod"),
        ("REVOCATION", "maybe"),
        ("IDENTITY", "ldap"),
        ("SESSION_LIMIT_ACTION", "panic"),
        ("COOKIE_NAME", "a b"),
        ("PORT", "65536"),
        ("ADMIN_EMAIL", "nobody"),
        ("REGISTRATION", "sometimes"),
        *(("PASSWORD_RANGE_URL", value) for value in ("http://api.example.com/range", "ftp://x", "https://x/?a=b")),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_an_invalid_setting_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"GATEPOST_{name}", value)
    with pytest.raises(ConfigurationError) as caught:
        Settings()
    line = str(caught.value)
    assert line.startswith(f"GATEPOST_{name}: ")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"environment": "production"}, "GATEPOST_SECRET_KEY"),
        ({"admin_email": "a@example.com"}, "GATEPOST_ADMIN_EMAIL"),
        ({"idle_timeout": "1m"}, "GATEPOST_ACTIVITY_INTERVAL"),
        ({"environment": "production", "secret_key": RANDOM_SECRET}, "GATEPOST_PUBLIC_URL"),
        (
            {"environment": "production", "secret_key": RANDOM_SECRET, "public_url": "https://a.com"},
            "GATEPOST_MAIL_TRANSPORT",
        ),
        *(
            ({"environment": "production", "secret_key": RANDOM_SECRET, **urls}, message)
            for urls, message in (
                ({"web_url": "https://a.com"}, "GATEPOST_PUBLIC_URL: is required in production"),
                ({"public_url": "http://a.com"}, "GATEPOST_PUBLIC_URL: must be https in production"),
                ({"public_url": "http://127.0.0.1"}, "GATEPOST_PUBLIC_URL: must be https in production"),
                ({"public_url": "https://a.com", "web_url": "http://b.com"}, "GATEPOST_WEB_URL: must be https"),
                (
                    {"public_url": "https://a.com", "allowed_origins": "https://b.com,http://c.com"},
                    "GATEPOST_ALLOWED_ORIGINS: must be https",
                ),
            )
        ),
        *(
            ({"resend_base_url": url}, "GATEPOST_RESEND_BASE_URL: must be https")
            for url in (
                "http://api.resend.com",
                "HTTP://10.0.0.1",
                "http://127.0.0.1.evil.example",
                "http://localhost.a",
            )
        ),
        *(
            ({"allowed_hosts": host}, "GATEPOST_ALLOWED_HOSTS: must be host names")
            for host in ("https://a.com", "a.com:80", "*", "*.a.com", "a b", "-a", "a/b")
        ),
        ({"mail_transport": "resend", "mail_from": "a@acme.com"}, "GATEPOST_RESEND_API_KEY"),
        ({"mail_transport": "resend,smtp", "mail_from": "a@acme.com", "resend_api_key": "re_x"}, "GATEPOST_SMTP_URL"),
        ({"mail_transport": "smtp", "smtp_url": "smtp://host"}, "GATEPOST_MAIL_FROM"),
        ({"mail_transport": "resend,capture"}, "GATEPOST_MAIL_TRANSPORT"),
        ({"mail_transport": "resend,resend"}, "GATEPOST_MAIL_TRANSPORT"),
        ({"mail_transport": ""}, "GATEPOST_MAIL_TRANSPORT"),
        ({"mail_transport": "pigeon"}, "GATEPOST_MAIL_TRANSPORT"),
        ({"mail_from": "nobody"}, "GATEPOST_MAIL_FROM"),
        ({"mail_from": "Acme, Inc <a@acme.com>"}, "GATEPOST_MAIL_FROM"),
        ({"mail_from": "a@acme.com\r\nBcc: b@acme.com"}, "GATEPOST_MAIL_FROM"),
        ({"smtp_url": "http://host"}, "GATEPOST_SMTP_URL"),
        ({"redis_url": "http://host"}, "GATEPOST_REDIS_URL"),
        ({"redis_url": "redis://host/database"}, "GATEPOST_REDIS_URL"),
        ({"redis_url": "redis://:a/secret@host"}, "GATEPOST_REDIS_URL"),
        ({"smtp_url": "smtp://host:port"}, "GATEPOST_SMTP_URL"),
        ({"smtp_url": "smtp://:secret@host"}, "GATEPOST_SMTP_URL"),
        ({"resend_webhook_secret": "whsec_"}, "GATEPOST_RESEND_WEBHOOK_SECRET"),
        ({"session_webhook_url": "https://a.com/hook"}, "GATEPOST_SESSION_WEBHOOK_URL and .*both"),
        ({"session_webhook_secret": WEBHOOK_SECRET}, "GATEPOST_SESSION_WEBHOOK_URL and .*both"),
        *(
            (
                {"session_webhook_url": url, "session_webhook_secret": WEBHOOK_SECRET},
                "GATEPOST_SESSION_WEBHOOK_URL: must be",
            )
            for url in (
                "a.com/hook",
                "ftp://a.com",
                "https://",
                "https://u:p@a.com",
                "https://a.com:99999",
                "https://[a",
            )
        ),
        *(
            ({"session_webhook_url": "https://a.com", "session_webhook_secret": secret}, "GATEPOST_SESSION_WEBHOOK_SEC")
            for secret in (
                "whsec_",
                WEBHOOK_SECRET[6:],
                "whsec_c2hvcnQ=",
                WEBHOOK_SECRET[:-1] + "!",
                "whsec_" + "A" * 100,
            )
        ),
        (
            {
                "environment": "production",
                "secret_key": RANDOM_SECRET,
                "public_url": "https://a.com",
                "mail_transport": "smtp",
                "smtp_url": "smtp://host",
                "mail_from": "a@a.com",
                "session_webhook_url": "http://a.com/hook",
                "session_webhook_secret": WEBHOOK_SECRET,
            },
            "GATEPOST_SESSION_WEBHOOK_URL: must be https",
        ),
    ],
)
def test_missing_and_conflicting_settings_are_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Settings(**values)


def test_a_provider_can_be_replaced_on_this_machine_over_http() -> None:
    for url in ("http://127.0.0.1:1", "http://localhost:1/resend", "http://[::1]:1", "HTTPS://api.example.com"):
        assert Settings(resend_base_url=url).resend_base_url.lower() == url.lower()


def test_the_scheme_of_a_url_is_stored_in_lower_case() -> None:
    settings = Settings(public_url="HTTPS://App.example.com")
    assert settings.public_url == "https://App.example.com"
    assert settings.secure_cookies


def test_secrets_are_not_in_the_repr() -> None:
    settings = Settings(
        secret_key="s" * 40,
        database_url="postgresql://u:hunter2@h/d",
        session_webhook_url="https://a.com/hook/?of=us",
        session_webhook_secret=WEBHOOK_SECRET.rstrip("="),
    )
    assert settings.session_webhook_url == "https://a.com/hook/?of=us"
    assert WEBHOOK_SECRET.rstrip("=") not in repr(settings)
    assert "s" * 40 not in repr(settings)
    assert "hunter2" not in repr(settings)


def test_origin_of_a_url() -> None:
    assert origin_of("https://app.example.com:443/account") == "https://app.example.com"
    assert origin_of("http://[::1]:8000/x") == "http://[::1]:8000"
