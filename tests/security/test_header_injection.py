"""Line breaks and other control characters in what becomes a header: of a response, of an email, or a line of the log.

OWASP ASVS 1.3.11 (mail) and 16.4.1 (log).
"""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest

from gatepost import log
from tests.support import PASSWORD, Device, Service, running_service
from tests.support.mail import SENDER, pause_mail, wait_for_email
from tests.support.operations import OPERATIONS, create_belongings, request_for
from tests.support.smtp_server import SmtpServer

SENDS_NO_MAIL = True

# Each ends a line somewhere: in SMTP, HTTP or Unicode, in an encoded word, in a program that decodes once too often.
BREAKS = [
    "\r\n",
    "\n",
    "\r",
    "\r\n ",
    "\x0b",
    "\x0c",
    "\x85",
    "\u2028",
    "\u2029",
    "\0",
    "%0d%0a",
    "\\r\\n",
    "=?utf-8?q?=0d=0a?=",
]
INJECTED = "Bcc: eve@evil.example"
HEADERS = {
    "message-id",
    "date",
    "from",
    "to",
    "subject",
    "auto-submitted",
    "reply-to",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
}
CONTENT = {
    "subject": "Hello {{ name }}",
    "preheader": "{{ name }}",
    "html": "<p>{{ name }}</p>",
    "text": "{{ name }}",
    "variables": [{"name": "name", "type": "string", "example": "Ada"}],
}


def _attempts() -> Iterator[dict[str, Any]]:
    """Requests that differ from a valid one in one field."""
    yield {}
    for each in BREAKS:
        yield {"variables": {"name": f"Ada{each}{INJECTED}"}}
        yield {"to": f"ada@example.com{each}{INJECTED}"}
        yield {"to": f"ada{each}{INJECTED}@example.com"}
        yield {"reply_to": f"help@example.com{each}{INJECTED}"}
        yield {"locale": f"en{each}{INJECTED}"}
        yield {"attachments": [{"filename": f"a{each}{INJECTED}.txt", "content": "eA=="}]}
        yield {"attachments": [{"filename": f"a{each}Bcc.txt", "content": "eA=="}]}
        yield {"attachments": [{"filename": "a.txt", "content": "eA==", "content_type": f"text/plain{each}X: y"}]}
    for name in ("a; filename=evil.exe.txt", "a, b.txt", "ä'b.txt", "utf-8''%0d%0aBcc.txt", "x" * 190 + ".txt"):
        yield {"attachments": [{"filename": name, "content": "eA=="}]}


ATTEMPTS = list(_attempts())


def parse(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


async def queue(admin: Device, **changes: Any) -> Any:
    body = {"template": "hello", "to": "ada@example.com", "variables": {"name": "Ada"}} | changes
    return await admin.post("/v1/emails", body)


async def test_no_field_of_an_email_adds_a_header_or_a_recipient(database_url: str) -> None:
    """Through the API, the renderer and a real mail server: each attempt is rejected, or arrives as plain text."""
    async with SmtpServer() as server:
        smtp = {"mail_transport": ["smtp"], "mail_from": SENDER, "smtp_url": f"smtp://127.0.0.1:{server.port}"}
        async with running_service(database_url, **smtp) as service:
            admin = await service.register_admin()
            created = await admin.post("/v1/settings/email-templates", {**CONTENT, "key": "hello", "name": "Hello"})
            assert created.status_code == 201, created.text
            assert (await admin.post("/v1/settings/email-templates/hello/publish")).status_code == 201
            queued = []
            for attempt in ATTEMPTS:
                response = await queue(admin, **attempt)
                assert response.status_code in (202, 422), (attempt, response.text)
                if response.status_code == 202:
                    queued.append(response.json()["id"])
            assert len(queued) > len(BREAKS)
            for email_id in queued:
                await wait_for_email(service, email_id, lambda row: row["status"] in ("sent", "failed"))
        assert server.violations == []
        for received in server.messages:
            message = parse(received.content)
            assert received.recipients in (["ada@example.com"], [admin.email]), received
            for part in message.walk():
                assert not part.defects
                assert {name.lower() for name in part.keys()} <= HEADERS, received.content  # noqa: SIM118
                if part.get_content_disposition() == "attachment":
                    assert str(part.get_filename()).endswith(".txt"), part["Content-Disposition"]
                    assert part["Content-Disposition"].params.keys() == {"filename"}
            assert "\n" not in message["Subject"]
            assert b"\nBcc:" not in received.content.partition(b"\r\n\r\n")[0]


async def test_no_field_of_a_template_adds_a_header(service: Service) -> None:
    admin = await service.register_admin()
    for number, each in enumerate(BREAKS):
        hostile = f"Hello{each}{INJECTED}"
        for field in ("subject", "key"):
            body = {**CONTENT, "key": f"t-{number}", "name": "Hello", field: hostile}
            created = await admin.post("/v1/settings/email-templates", body)
            # A subject that is not one line may be kept as a draft, but not be published or previewed.
            if field == "subject" and created.status_code == 201:
                published = await admin.post(f"/v1/settings/email-templates/t-{number}/publish")
                if published.status_code == 201:
                    preview = await admin.post(f"/v1/settings/email-templates/t-{number}/preview", {})
                    subject = preview.json()["subject"]
                    assert subject.isprintable(), ascii(subject)
                    assert "=?" not in subject
                else:
                    assert published.json()["code"] == "template_invalid"
            else:
                assert created.status_code == 422, (field, created.text)


async def test_no_email_address_of_an_account_has_a_control_character(service: Service) -> None:
    for each in BREAKS:
        for address in (
            f"a@example.com{each}{INJECTED}",
            f"a{each}@example.com",
            f'"a{each}b"@example.com',
            f"{each}<a@b.c>",
        ):
            form = {"email": address, "password": PASSWORD}
            for path in ("/v1/auth/register", "/v1/auth/login", "/v1/auth/password/forgot"):
                response = await service.http.post(path, json=form)
                assert response.status_code in (200, 201, 202, 401, 409, 422), (path, address, response.text)
    for row in await service.sql.fetch("select email from gatepost.users"):
        assert row["email"].isprintable()
        assert not {*" \r\n<>,"} & {*row["email"]}


async def test_no_request_adds_a_header_to_a_response(database_url: str) -> None:
    """In the path, in each query parameter, and in the headers that are read."""
    async with running_service(database_url) as service:
        admin = await service.register_admin()
        theirs = await create_belongings(service, admin)
        await pause_mail(service)
        hostile = "x%0d%0aX-Injected:%20yes"
        names = ["cursor", "limit", "q", "locale", "status", "include", "reason", "user_id", "template", "to"]
        sent = {
            "X-Request-ID": "a\x85X-Injected: yes",
            "If-Match": '"x" X-Injected: yes',
            "Idempotency-Key": "x\u00e9X-Injected",
            "Accept-Language": "en%0d%0aX-Injected: yes",
            "X-Forwarded-For": "192.0.2.1%0d%0aX-Injected: yes",
            "X-Forwarded-Host": "evil.example",
            "User-Agent": "x\x85X-Injected: yes",
            "Origin": "http://x%0d%0aX-Injected: yes",
        }
        raw = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
        raw.append((b"Authorization", f"Bearer {admin.access_token}".encode()))
        for operation in OPERATIONS.values():
            if not operation.is_safe:
                continue
            url = request_for(operation, theirs)["url"]
            paths = [f"{url}/{hostile}", f"{url}?{hostile}", *(f"{url}?{name}={hostile}" for name in names)]
            for path in [url, *paths]:
                response = await service.http.get(path, headers=raw)
                assert response.status_code < 500, (path, response.text)
                assert "x-injected" not in response.headers
                assert "evil.example" not in str(response.headers)
                for value in response.headers.values():
                    assert value.isascii(), (path, response.headers)
                    assert value.isprintable(), (path, response.headers)


@pytest.mark.parametrize("form", ["json", "text"])
async def test_no_request_adds_a_line_to_the_log(service: Service, caplog: pytest.LogCaptureFixture, form: str) -> None:
    """What clients send is not logged, and whatever were logged would stay on its own line."""
    forged = '\r\n2026-01-01T00:00:00Z INFO forged\n{"level": "info", "event": "forged"}\x1b[2K\x85\u2028forged'
    caplog.set_level("INFO", "gatepost")
    user = await service.register(device_name=f"My{forged}")
    headers = [(b"User-Agent", b"forged\x85x"), (b"X-Request-ID", b"forged\x85x"), (b"Referer", b"forged")]
    headers.append((b"Authorization", f"Bearer {user.access_token}".encode()))
    await service.http.get("/v1/sessions?q=forged%0aforged", headers=headers)
    await service.http.get("/forged%0aforged", headers=headers)
    await service.http.post("/v1/auth/login", json={"email": f"a{forged}@example.com", "password": forged})
    await user.patch(f"/v1/sessions/{user.id}", {"name": forged})
    write = log._Formatter(str if form == "json" else log._text).format
    records = [record for record in caplog.records if record.name == "gatepost"]
    assert len(records) >= 5
    for record in records:
        assert "forged" not in write(record)
    log.get_logger().warning("seen", agent=forged, nested={"forged": forged})
    lines = write(caplog.records[-1]).split("\n")
    if form == "json":
        [line] = lines
        assert json.loads(line)["agent"] == forged
    else:
        assert all(line.startswith("    ") for line in lines[1:])
    assert not {"\r", "\x1b", "\x85"} & {*"\n".join(lines)}
