"""`/v1/emails`, `/v1/settings/email-suppressions` and `/v1/webhooks/resend`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import AfterValidator, Field

from gatepost.accounts import AdminGuard
from gatepost.audit import Actor
from gatepost.errors import Conflict, NotFound
from gatepost.http import ApiRoute, Connection, CurrentRuntime, pagination, problems, sandboxed_page
from gatepost.mail.outbox import provider_events, store
from gatepost.mail.outbox.models import (
    Email,
    EmailDetail,
    EmailFilter,
    EmailPage,
    QueuedEmails,
    QueueEmail,
    Status,
    SuppressEmail,
    Suppression,
    SuppressionPage,
    TransportErrorList,
)
from gatepost.mail.templates import Key
from gatepost.types import without_nul


class _LargeBodies(ApiRoute):
    """A route that accepts attachments: 10 MB become a third more in Base64."""

    max_body_bytes = 14 * 1024 * 1024


class _ProviderBodies(ApiRoute):
    """A route that accepts events of a provider, which quote what mail servers say. A rejected one would be lost."""

    max_body_bytes = 1024 * 1024


router = APIRouter(tags=["emails"], route_class=ApiRoute)
sending = APIRouter(prefix="/v1/emails", tags=["emails"], route_class=_LargeBodies)
provider = APIRouter(tags=["emails"], route_class=_ProviderBodies)

Reader = Annotated[Actor, Depends(AdminGuard("emails:read"))]
Sender = Annotated[Actor, Depends(AdminGuard("emails:send", recent=True))]
Suppressor = Annotated[Actor, Depends(AdminGuard("suppressions:write", recent=True))]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="A repeated request with the same key returns the same email",
    ),
]
Batch = Annotated[list[QueueEmail], Field(min_length=1, max_length=100)]
_without_nul = AfterValidator(lambda value: value and without_nul(value))
Recipient = Annotated[str | None, Query(max_length=254, description="An email address"), _without_nul]
Prefix = Annotated[str | None, Query(max_length=254, description="Beginning of the email address"), _without_nul]


@sending.post("", status_code=202, responses=problems(401, 403, 409, 413, 415, 422))
async def queue_email(
    body: QueueEmail, actor: Sender, runtime: CurrentRuntime, idempotency_key: IdempotencyKey = None
) -> Email:
    """Queue an email. It is sent once, immediately or at `send_at`. An API key cannot queue security email."""
    return await runtime.emails.queue_email(body, idempotency_key, actor)


@sending.post("/batch", status_code=202, responses=problems(401, 403, 409, 413, 415, 422))
async def queue_emails(
    body: Batch, actor: Sender, runtime: CurrentRuntime, idempotency_key: IdempotencyKey = None
) -> QueuedEmails:
    """Queue up to 100 emails, all or none. An API key cannot queue security email."""
    return QueuedEmails(items=await runtime.emails.queue_emails(body, idempotency_key, actor))


@router.get("/v1/emails", responses=problems(401, 403, 422))
async def list_emails(
    actor: Reader,
    runtime: CurrentRuntime,
    connection: Connection,
    status: Status | None = None,
    to: Recipient = None,
    template: Annotated[Key | None, Query()] = None,
    q: Prefix = None,
    limit: pagination.Limit = 50,
    cursor: pagination.RawCursor = None,
) -> EmailPage:
    """List emails, newest first."""
    conditions = EmailFilter(status, to, template, q=q)
    return await runtime.emails.list_emails(connection, conditions, cursor, limit)


@router.get("/v1/emails/{email_id:uuid}", responses=problems(401, 403, 404, 422))
async def read_email(email_id: UUID, actor: Reader, runtime: CurrentRuntime, connection: Connection) -> EmailDetail:
    """Return an email with its content and timeline."""
    return await runtime.emails.read_detail(connection, email_id)


@router.get("/v1/emails/{email_id}/html", response_class=HTMLResponse, responses=problems(401, 403, 404, 422))
async def show_email(email_id: UUID, actor: Reader, runtime: CurrentRuntime, connection: Connection) -> HTMLResponse:
    """Return the HTML of an email, for an iframe; nothing in it can run."""
    found = await runtime.emails.read_detail(connection, email_id)
    if found.html is None:
        raise NotFound("This email has no content yet, or its content was erased.")
    return sandboxed_page(found.html)


@router.post("/v1/emails/{email_id}/resend", status_code=202, responses=problems(401, 403, 404, 409, 422))
async def resend_email(email_id: UUID, actor: Sender, runtime: CurrentRuntime, connection: Connection) -> Email:
    """Queue a copy of an email that is no longer queued or being sent. The copy gets its own ID."""
    return await runtime.emails.resend_email(connection, email_id, actor)


@router.post("/v1/emails/{email_id}/cancel", responses=problems(401, 403, 404, 409, 422))
async def cancel_email(email_id: UUID, actor: Sender, runtime: CurrentRuntime, connection: Connection) -> Email:
    """Cancel an email that is still scheduled or queued."""
    return await runtime.emails.cancel_email(connection, email_id, actor)


@router.get("/v1/settings/email-suppressions", responses=problems(401, 403, 422))
async def list_suppressions(
    actor: Reader,
    runtime: CurrentRuntime,
    connection: Connection,
    email: Recipient = None,
    q: Prefix = None,
    limit: pagination.Limit = 50,
    cursor: pagination.RawCursor = None,
) -> SuppressionPage:
    """List suppressed email addresses, newest first."""
    return await runtime.emails.list_suppressions(connection, email, cursor, limit, q)


@router.post("/v1/settings/email-suppressions", status_code=201, responses=problems(401, 403, 409, 413, 415, 422))
async def suppress_email(
    body: SuppressEmail, actor: Suppressor, runtime: CurrentRuntime, connection: Connection
) -> Suppression:
    """Suppress an email address: only security email is sent to it from now on."""
    suppression = await runtime.emails.suppress_email(connection, body.email, body.reason, actor)
    if suppression is None:
        raise Conflict("This email address is already suppressed.")
    return suppression


@router.delete(
    "/v1/settings/email-suppressions/{suppression_id}",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 404, 422),
)
async def delete_suppression(
    suppression_id: UUID, actor: Suppressor, runtime: CurrentRuntime, connection: Connection
) -> None:
    """Delete a suppression, so that emails are sent to its email address again."""
    if not await runtime.emails.delete_suppression(connection, suppression_id, actor):
        raise NotFound("This suppression was not found. Reload the list of suppressions.")


@router.get("/v1/settings/email-transports", responses=problems(401, 403))
async def list_transport_errors(actor: Reader, connection: Connection) -> TransportErrorList:
    """List the transports that cannot send, and why. `/readyz` only says whether there are any."""
    return TransportErrorList(items=await store.list_transport_errors(connection), next_cursor=None)


@provider.post(
    "/v1/webhooks/resend",
    status_code=204,
    response_class=Response,
    responses=problems(401, 413, 422),
    tags=["webhooks"],
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}},
)
async def receive_resend_event(request: Request, runtime: CurrentRuntime) -> None:
    """Receive an event of an email from Resend, signed by Svix. A repeated event changes nothing."""
    body = await request.body()
    secret = runtime.settings.resend_webhook_secret
    provider_events.verify(secret.get_secret_value() if secret else None, request.headers, body)
    event = provider_events.parse_event(request.headers["svix-id"], body)
    if event is not None:
        await runtime.emails.record_provider_event(event)
