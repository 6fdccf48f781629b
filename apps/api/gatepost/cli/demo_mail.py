"""The messages of the demo data: a few of each kind, so that the log has something to show."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from gatepost import package_files as assets
from gatepost.db.pool import Connection
from gatepost.mail.delivery.payloads import payload
from gatepost.mail.outbox import events, store
from gatepost.mail.outbox.models import QueueEmail
from gatepost.mail.outbox.provider_events import ProviderEvent
from gatepost.mail.rendering.shapes import Rendered
from gatepost.mail.templates import store as templates
from gatepost.mail.templates.files import read_templates

ACTOR = "demo"

_SITE = "https://app.example.com"
_DEVICES = f"{_SITE}/devices"
_TOKEN = "demo-3kT9vQ2mXc7LwR5nYb8HsD4j"  # noqa: S105 - opens nothing
_LOST = "former-client@example.com"

_INVOICE: dict[str, Any] = {
    "client_name": "Northwind Trading",
    "invoice_number": "2026-0042",
    "amount_due": "480.00",
    "currency": "EUR",
    "due_date": "2026-12-15",
    "pay_url": f"{_SITE}/pay/2026-0042",
    "lines": [{"description": "Consulting", "amount": "400.00"}, {"description": "Hosting", "amount": "80.00"}],
}
_PDF = b"""\
%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj
4 0 obj<</Length 92>>stream
BT /F1 14 Tf 72 760 Td 20 TL (Invoice 2026-0042) Tj T* (480.00 EUR, due on 2026-12-15) Tj ET
endstream
endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
xref
0 6
0000000000 65535 f\x20
0000000009 00000 n\x20
0000000052 00000 n\x20
0000000101 00000 n\x20
0000000211 00000 n\x20
0000000349 00000 n\x20
trailer<</Size 6/Root 1 0 R>>
startxref
410
%%EOF
"""


async def seed(connection: Connection, person: str, admin: str) -> None:
    """Queue the messages to the two, once: where there are any they stay as they are."""
    # Of two at a time the second waits, and finds them.
    await connection.execute("select pg_advisory_xact_lock(hashtext('gatepost.demo_mail'))")
    if await connection.fetchval("select exists (select from gatepost.emails where queued_by = $1)", ACTOR):
        return
    await _register(connection)
    for number, message in enumerate(_messages(person, admin)):
        await _queue(connection, f"demo-{number}", message)
    await _bounce(connection, await _queue(connection, "demo-bounced", _welcome(_LOST)))
    # This one ends as suppressed, for the one before has bounced.
    await _queue(connection, "demo-suppressed", {"template": "new-invoice", "to": _LOST, "variables": _INVOICE})


async def _register(connection: Connection) -> None:
    # As every service does when it starts, which this comes before.
    builtins = read_templates(assets.emails()).values()
    speaks = [(each.key, locale, each.security) for each in builtins for locale in each.sources]
    await templates.register_builtins(connection, speaks)


async def _queue(connection: Connection, key: str, message: dict[str, Any]) -> UUID:
    email_id = await store.queue_email(connection, QueueEmail(**message), key, ACTOR)
    # In a transaction time stands still, and the log is in its order.
    await connection.execute("update gatepost.emails set created_at = clock_timestamp() where id = $1", email_id)
    return email_id


def _messages(person: str, admin: str) -> list[dict[str, Any]]:
    today = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    at = f"{today:%Y-%m-%d, %H:%M} UTC"
    device = {"device": "Safari on iPhone", "devices_url": _DEVICES}
    signed_in = device | {"ip": "203.0.113.7", "signed_in_at": at, "not_me_url": f"{_SITE}/not-me?token={_TOKEN}"}
    verify = {"verify_url": f"{_SITE}/verify-email?token={_TOKEN}", "expires_in": "24 hours"}
    reset = {"reset_url": f"{_SITE}/reset-password?token={_TOKEN}", "expires_in": "1 Stunde"}
    invoice = {"template": "new-invoice", "to": person, "reply_to": admin}
    pdf = {"filename": "invoice-2026-0042.pdf", "content": base64.b64encode(_PDF).decode()}
    later = {"invoice_number": "2026-0043", "pay_url": f"{_SITE}/pay/2026-0043"}
    return [
        _welcome(person),
        {"template": "verify-email", "to": person, "variables": verify},
        {"template": "new-device", "to": person, "variables": signed_in},
        {"template": "session-revoked", "to": person, "variables": device | {"revoked_at": at}},
        {"template": "reset-password", "to": admin, "locale": "de", "variables": reset},
        invoice | {"variables": _INVOICE, "attachments": [pdf]},
        invoice | {"variables": _INVOICE | later, "send_at": today + timedelta(days=1)},
    ]


def _welcome(to: str) -> dict[str, Any]:
    return {"template": "welcome", "to": to, "variables": {"login_url": f"{_SITE}/login"}}


async def _bounce(connection: Connection, email_id: UUID) -> None:
    """Let a message have been sent yesterday, and have come back: what is captured never does."""
    words = "Your account is ready, and you can sign in whenever you like."
    html = f'<!doctype html><title>Welcome</title><p>{words}</p><p><a href="{_SITE}/login">Sign in</a></p>'
    rendered = Rendered("Welcome to Gatepost", html, f"{words}\n\n{_SITE}/login\n")
    sent_at, provider_id = datetime.now(UTC) - timedelta(days=1), str(uuid4())
    await connection.execute(
        """
        update gatepost.emails
        set status = 'sent', attempts = 1, created_at = $2, due_at = $2, subject = $3, payload = $4,
            provider = 'resend', provider_id = $5
        where id = $1
        """,
        email_id,
        sent_at,
        rendered.subject,
        payload(email_id, _LOST, None, rendered),
        provider_id,
    )
    await connection.execute(
        "insert into gatepost.email_events (email_id, at, type, detail) values ($1, $2, 'accepted', $3)",
        email_id,
        sent_at + timedelta(seconds=1),
        json.dumps({"provider": "resend", "provider_id": provider_id}),
    )
    told = {"words": "The mailbox does not exist.", "kind": "Permanent", "suppress": "bounce"}
    at = sent_at + timedelta(seconds=4)
    await events.note(connection, ProviderEvent(f"demo-{email_id}", provider_id, email_id, at, "bounced", told))
