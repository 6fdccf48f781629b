"""`/v1/mailbox`: captured emails as they would have been sent. In production no email is captured."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from gatepost.accounts import CurrentAdmin
from gatepost.errors import NotFound
from gatepost.http import ApiRoute, Connection, CurrentRuntime, pagination, problems, sandboxed_page
from gatepost.mail.mailbox.models import CapturedEmail
from gatepost.mail.outbox import EmailFilter, EmailPage


def _require_capture(runtime: CurrentRuntime) -> None:
    if runtime.settings.mail_transport != ["capture"]:
        raise NotFound("The mailbox exists only with GATEPOST_MAIL_TRANSPORT=capture. Emails are sent here.")


router = APIRouter(
    prefix="/v1/mailbox", tags=["emails"], route_class=ApiRoute, dependencies=[Depends(_require_capture)]
)


@router.get("", responses=problems(401, 403, 404, 422))
async def list_captured_emails(
    actor: CurrentAdmin,
    runtime: CurrentRuntime,
    connection: Connection,
    limit: pagination.Limit = 50,
    cursor: pagination.RawCursor = None,
) -> EmailPage:
    """List the captured emails, newest first."""
    return await runtime.emails.list_emails(connection, EmailFilter(provider="capture"), cursor, limit)


@router.get("/{email_id}", responses=problems(401, 403, 404, 422))
async def read_captured_email(email_id: UUID, actor: CurrentAdmin, runtime: CurrentRuntime) -> CapturedEmail:
    """Return a captured email as it would have been sent, with working links."""
    return await runtime.mailbox.read(email_id, actor.user_id)


@router.get("/{email_id}/html", response_class=HTMLResponse, responses=problems(401, 403, 404, 422))
async def show_captured_email(email_id: UUID, actor: CurrentAdmin, runtime: CurrentRuntime) -> HTMLResponse:
    """Return the HTML of a captured email, for an iframe; nothing in it can run."""
    return sandboxed_page((await runtime.mailbox.read(email_id, actor.user_id)).html)
