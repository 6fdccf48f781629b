"""The emails of the demo data: with several templates, and in every state that the list of emails can show."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from gatepost.audit import Actor
from gatepost.db import Connection
from gatepost.mail.outbox import ProviderEvent, QueueEmail, build_payload, queue_email, record_provider_event
from gatepost.mail.rendering import Rendered

ACTOR = Actor("demo")

_SITE = "https://app.example.com"
_DEVICES = f"{_SITE}/devices"
_TOKEN = "demo-3kT9vQ2mXc7LwR5nYb8HsD4j"  # noqa: S105 - an example, which no link accepts
_BOUNCING = "former-client@example.com"

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


async def create(connection: Connection, user: str, admin: str) -> None:
    """Queue the emails to the demo accounts, unless the database has demo emails already."""
    # Of two concurrent calls, the second waits for the emails of the first.
    await connection.execute("select pg_advisory_xact_lock(hashtext('gatepost.demo_emails'))")
    if await connection.fetchval("select exists (select from gatepost.emails where queued_by = $1)", ACTOR.name):
        return
    for number, email in enumerate(_emails(user, admin)):
        await _queue(connection, f"demo-{number}", email)
    await _bounce(connection, await _queue(connection, "demo-bounced", _welcome(_BOUNCING)))
    # The bounce has suppressed its recipient.
    await _queue(connection, "demo-suppressed", {"template": "new-invoice", "to": _BOUNCING, "variables": _INVOICE})


async def _queue(connection: Connection, key: str, email: dict[str, Any]) -> UUID:
    email_id = await queue_email(connection, QueueEmail(**email), key, ACTOR)
    # The list of emails is sorted by this time, and now() is the same in the whole transaction.
    await connection.execute("update gatepost.emails set created_at = clock_timestamp() where id = $1", email_id)
    return email_id


def _emails(user: str, admin: str) -> list[dict[str, Any]]:
    today = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    at = f"{today:%Y-%m-%d, %H:%M} UTC"
    device = {"device": "Safari on iPhone", "devices_url": _DEVICES}
    parsed = {"browser": "Safari", "system": "iPhone", "ip": "203.0.113.7", "location": "Berlin, Germany"}
    signed_in = device | parsed | {"signed_in_at": at, "not_me_url": f"{_SITE}/not-me?token={_TOKEN}"}
    verify = {"verify_url": f"{_SITE}/verify-email?token={_TOKEN}", "expires_in": "24 hours"}
    reset = {"reset_url": f"{_SITE}/reset-password?token={_TOKEN}", "expires_in": "1 Stunde"}
    invoice = {"template": "new-invoice", "to": user, "reply_to": admin}
    pdf = {"filename": "invoice-2026-0042.pdf", "content": base64.b64encode(_PDF).decode()}
    later = {"invoice_number": "2026-0043", "pay_url": f"{_SITE}/pay/2026-0043"}
    return [
        _welcome(user),
        {"template": "verify-email", "to": user, "variables": verify},
        {"template": "new-device", "to": user, "variables": signed_in},
        {"template": "session-revoked", "to": user, "variables": device | {"revoked_at": at}},
        {"template": "reset-password", "to": admin, "locale": "de", "variables": reset},
        invoice | {"variables": _INVOICE, "attachments": [pdf]},
        invoice | {"variables": _INVOICE | later, "send_at": today + timedelta(days=1)},
    ]


def _welcome(to: str) -> dict[str, Any]:
    return {"template": "welcome", "to": to, "variables": {"login_url": f"{_SITE}/login"}}


async def _bounce(connection: Connection, email_id: UUID) -> None:
    """Make an email one that was sent yesterday and bounced; captured emails never bounce."""
    text = "Your account is ready. You can sign in now."
    html = f'<!doctype html><title>Welcome</title><p>{text}</p><p><a href="{_SITE}/login">Sign in</a></p>'
    rendered = Rendered("Welcome to Gatepost", html, f"{text}\n\n{_SITE}/login\n")
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
        build_payload(email_id, _BOUNCING, None, rendered),
        provider_id,
    )
    await connection.execute(
        "insert into gatepost.email_events (email_id, at, type, detail) values ($1, $2, 'accepted', $3)",
        email_id,
        sent_at + timedelta(seconds=1),
        json.dumps({"provider": "resend", "provider_id": provider_id}),
    )
    detail = {"message": "The mailbox does not exist.", "kind": "Permanent", "suppress": "bounce"}
    at = sent_at + timedelta(seconds=4)
    event = ProviderEvent(f"demo-{email_id}", provider_id, email_id, at, "bounced", detail)
    await record_provider_event(connection, event)
