"""`/v1/mailbox`: captured mail as it would have gone out, links and all. In production nothing is captured."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from gatepost.accounts.permissions import Admin
from gatepost.errors import NotFound
from gatepost.http import pagination as paging
from gatepost.http.dependencies import Connection, CurrentRuntime
from gatepost.http.problems import ContractRoute, refuses
from gatepost.mail.mailbox.models import CapturedEmail
from gatepost.mail.outbox import lists, store
from gatepost.mail.outbox.models import EmailPage
from gatepost.mail.templates.previews import SANDBOX


def _demand_capture(runtime: CurrentRuntime) -> None:
    if runtime.settings.mail_transport != ["capture"]:
        raise NotFound("Mail is really sent here, so there is no mailbox.")


router = APIRouter(
    prefix="/v1/mailbox", tags=["emails"], route_class=ContractRoute, dependencies=[Depends(_demand_capture)]
)


@router.get("", responses=refuses(401, 403, 404, 422))
async def list_captured_emails(
    actor: Admin, connection: Connection, limit: paging.Limit = 50, cursor: paging.RawCursor = None
) -> EmailPage:
    """List what was captured, the newest first."""
    return await lists.list_emails(connection, store.Wanted(provider="capture"), cursor, limit)


@router.get("/{email_id}", responses=refuses(401, 403, 404, 422))
async def read_captured_email(email_id: UUID, actor: Admin, runtime: CurrentRuntime) -> CapturedEmail:
    """Show a captured message as it would have gone out, with its links."""
    return await runtime.mailbox.read(email_id)


@router.get("/{email_id}/html", response_class=HTMLResponse, responses=refuses(401, 403, 404, 422))
async def show_captured_email(email_id: UUID, actor: Admin, runtime: CurrentRuntime) -> HTMLResponse:
    """Show a captured message's page, for an iframe; nothing in it can run."""
    return HTMLResponse((await runtime.mailbox.read(email_id)).html, headers=SANDBOX)
