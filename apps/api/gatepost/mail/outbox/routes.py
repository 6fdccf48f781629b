"""`/v1/emails`, `/v1/settings/email-suppressions` and `/v1/webhooks/resend`: what is sent, and what became of it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from gatepost.accounts.permissions import Actor, StaffGuard
from gatepost.errors import Conflict, NotFound
from gatepost.http import pagination as paging
from gatepost.http.dependencies import Connection, CurrentRuntime
from gatepost.http.problems import ContractRoute, refuses
from gatepost.mail.outbox import events, lists, store
from gatepost.mail.outbox import provider_events as webhook
from gatepost.mail.outbox.models import (
    Email,
    EmailDetail,
    EmailPage,
    QueuedEmails,
    QueueEmail,
    Status,
    SuppressEmail,
    Suppression,
    SuppressionPage,
)
from gatepost.mail.templates.models import Key
from gatepost.mail.templates.previews import SANDBOX


class _LargeBodies(ContractRoute):
    """A route that takes attachments: 10 MB are a third more in base64."""

    max_body_bytes = 16 * 1024 * 1024


router = APIRouter(tags=["emails"], route_class=ContractRoute)
sending = APIRouter(prefix="/v1/emails", tags=["emails"], route_class=_LargeBodies)

Reader = Annotated[Actor, Depends(StaffGuard("emails:read"))]
Sender = Annotated[Actor, Depends(StaffGuard("emails:send", acts=True))]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$", description="The same key stands for the same message"
    ),
]
Batch = Annotated[list[QueueEmail], Field(min_length=1, max_length=100)]
To = Annotated[str | None, Query(max_length=254, description="An address")]
Beginning = Annotated[str | None, Query(max_length=254, description="The beginning of an address")]


@sending.post("", status_code=202, responses=refuses(401, 403, 409, 413, 415, 422))
async def queue_email(
    body: QueueEmail, actor: Sender, runtime: CurrentRuntime, idempotency_key: IdempotencyKey = None
) -> Email:
    """Queue a message; it is sent as soon as may be, once."""
    return await runtime.emails.queue(body, idempotency_key, actor.name)


@sending.post("/batch", status_code=202, responses=refuses(401, 403, 409, 413, 415, 422))
async def queue_emails(
    body: Batch, actor: Sender, runtime: CurrentRuntime, idempotency_key: IdempotencyKey = None
) -> QueuedEmails:
    """Queue up to a hundred messages, all or none."""
    return QueuedEmails(items=await runtime.emails.queue_batch(body, idempotency_key, actor.name))


@router.get("/v1/emails", responses=refuses(401, 403, 422))
async def list_emails(
    actor: Reader,
    connection: Connection,
    status: Status | None = None,
    to: To = None,
    template: Annotated[Key | None, Query()] = None,
    q: Beginning = None,
    limit: paging.Limit = 50,
    cursor: paging.RawCursor = None,
) -> EmailPage:
    """List messages, the newest first."""
    wanted = store.Wanted(status, to and to.replace("\0", " "), template, q=q and q.replace("\0", " "))
    return await lists.list_emails(connection, wanted, cursor, limit)


@router.get("/v1/emails/{email_id:uuid}", responses=refuses(401, 403, 404, 422))
async def read_email(email_id: UUID, actor: Reader, connection: Connection) -> EmailDetail:
    """Show a message: what was rendered, and its timeline."""
    found = await store.read_detail(connection, email_id)
    if found is None:
        raise NotFound
    return found


@router.get("/v1/emails/{email_id}/html", response_class=HTMLResponse, responses=refuses(401, 403, 404, 422))
async def show_email(email_id: UUID, actor: Reader, connection: Connection) -> HTMLResponse:
    """Show a message as it was sent, for an iframe; nothing in it can run."""
    found = await store.read_detail(connection, email_id)
    if found is None or found.html is None:
        raise NotFound
    return HTMLResponse(found.html, headers=SANDBOX)


@router.post("/v1/emails/{email_id}/resend", status_code=202, responses=refuses(401, 403, 404, 409, 422))
async def resend_email(email_id: UUID, actor: Sender, runtime: CurrentRuntime) -> Email:
    """Queue a message like one that has come to its end; it is another, with an id of its own."""
    return await runtime.emails.resend(email_id, actor.name, actor.ip)


@router.post("/v1/emails/{email_id}/cancel", responses=refuses(401, 403, 404, 409, 422))
async def cancel_email(email_id: UUID, actor: Sender, runtime: CurrentRuntime) -> Email:
    """Take a message back that is not on its way yet."""
    return await runtime.emails.cancel(email_id, actor.name, actor.ip)


@router.get("/v1/settings/email-suppressions", responses=refuses(401, 403, 422))
async def list_suppressions(
    actor: Reader,
    connection: Connection,
    email: To = None,
    q: Beginning = None,
    limit: paging.Limit = 50,
    cursor: paging.RawCursor = None,
) -> SuppressionPage:
    """List the addresses that are not written to any more, the newest first."""
    wanted, beginning = email and email.replace("\0", " "), q and q.replace("\0", " ")
    return await lists.list_suppressions(connection, wanted, cursor, limit, beginning)


@router.post("/v1/settings/email-suppressions", status_code=201, responses=refuses(401, 403, 409, 413, 415, 422))
async def suppress_email(body: SuppressEmail, actor: Sender, connection: Connection) -> Suppression:
    """Write to an address no more."""
    made = await store.suppress(connection, body.email, body.reason, actor.name, actor.ip)
    if made is None:
        raise Conflict("This address is on the list already.")
    return made


@router.delete(
    "/v1/settings/email-suppressions/{suppression_id}",
    status_code=204,
    response_class=Response,
    responses=refuses(401, 403, 404, 422),
)
async def delete_suppression(suppression_id: UUID, actor: Sender, connection: Connection) -> None:
    """Write to an address again."""
    if not await store.delete_suppression(connection, suppression_id, actor.name, actor.ip):
        raise NotFound


@router.post(
    "/v1/webhooks/resend",
    status_code=204,
    response_class=Response,
    responses=refuses(401, 413, 422),
    tags=["webhooks"],
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}},
)
async def take_resend_event(request: Request, runtime: CurrentRuntime) -> None:
    """Take what Resend tells of a message, signed by Svix; the same event again is harmless."""
    body = await request.body()
    secret = runtime.settings.resend_webhook_secret
    webhook.verify(secret.get_secret_value() if secret else None, request.headers, body)
    event = webhook.read_event(request.headers["svix-id"], body)
    if event is not None:
        async with runtime.database.transaction() as connection:
            await events.note(connection, event)
