"""`gatepost sessions list|revoke`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import IPvAnyNetwork

from gatepost.admin import bulk, store
from gatepost.admin import service as lists
from gatepost.admin.models import RevokedByFilter, RevokeSessions, SessionFilter, StaffSessionPage, Status
from gatepost.admin.search import Search
from gatepost.cli import output
from gatepost.cli.database import on_database
from gatepost.db.pool import Database
from gatepost.errors import NotFound
from gatepost.geoip import Places
from gatepost.sessions.models import DeviceKind
from gatepost.settings import Settings

app = typer.Typer(help="Anybody's sessions.", no_args_is_help=True)

_COMMAND = "sessions revoke"
_HEADINGS = ("ID", "PERSON", "DEVICE", "ADDRESS", "PLACE", "STATUS", "LAST ACTIVE", "SIGNED IN")

When = Annotated[datetime | None, typer.Option(parser=output.moment, metavar="TIME")]


@app.command("list")
def list_sessions(
    q: Annotated[
        str | None, typer.Option(help="Beginning of an e-mail or name, an id, an address or a network")
    ] = None,
    user_id: Annotated[UUID | None, typer.Option(help="A person's")] = None,
    ip: Annotated[str | None, typer.Option(help="From this address or network")] = None,
    status: Annotated[Status | None, typer.Option(help="Only these")] = None,
    limit: output.Limit = 50,
    cursor: output.Cursor = None,
    as_json: output.AsJson = False,
) -> None:
    """Find sessions; exit status 1 when there are none."""

    async def work(database: Database, settings: Settings) -> StaffSessionPage:
        places = Places(settings.geoip_database)
        wanted = Search(q=q, user_id=user_id, ip=ip, status=status)
        async with database.connection() as connection:
            return await lists.list_sessions(connection, settings, places, wanted, cursor, limit)

    page = on_database(work)
    rows = [
        (
            each.id,
            each.email or each.user_id,
            each.name,
            each.ip,
            each.location,
            each.end_reason or each.status,
            each.last_active_at,
            each.created_at,
        )
        for each in page.items
    ]
    output.show_page(page, _HEADINGS, rows, as_json)


@app.command()
def revoke(
    session_id: Annotated[UUID | None, typer.Argument(help="One session; else say which by the options")] = None,
    user: Annotated[UUID | None, typer.Option(help="All of a person's, by their id")] = None,
    network: Annotated[
        str | None, typer.Option(parser=lambda text: str(output.checked(IPvAnyNetwork)(text)), metavar="NETWORK")
    ] = None,
    browser: Annotated[str | None, typer.Option(help="Like Chrome")] = None,
    os: Annotated[str | None, typer.Option(help="Like Windows")] = None,
    kind: DeviceKind | None = None,
    signed_in_before: When = None,
    signed_in_after: When = None,
    inactive_since: When = None,
    reason: output.OptionalReason = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them")] = False,
    notify: Annotated[bool, typer.Option("--notify", help="Tell each person by one mail")] = False,
    yes: output.Yes = False,
    as_json: output.AsJson = False,
) -> None:
    """End one session, or all that fit every option given; their next requests are refused."""
    given: dict[str, Any] = {
        "user_ids": [user] if user else None,
        "network": network,
        "browser": browser,
        "os": os,
        "kind": kind,
        "signed_in_before": signed_in_before,
        "signed_in_after": signed_in_after,
        "inactive_since": inactive_since,
    }
    parts = {name: value for name, value in given.items() if value is not None}
    if bool(session_id) == bool(parts):
        raise typer.BadParameter("say either one SESSION_ID, or which sessions by --user, --network and the like")
    if reason is None and not dry_run:
        raise typer.BadParameter("say why: it is kept in the audit log", param_hint="--reason")
    if session_id is not None:
        if dry_run or as_json:
            raise typer.BadParameter("--dry-run and --json are for many sessions")
        output.demand_consent(yes, f"End session {session_id}?")
        _revoke_one(session_id, reason, notify)
        return
    order = RevokeSessions(filter=SessionFilter(**parts), reason=reason or "counted", dry_run=dry_run, notify=notify)
    _revoke_many(order, yes, as_json)


def _revoke_one(session_id: UUID, reason: str | None, notify: bool) -> None:
    async def work(database: Database, _: Settings) -> bool:
        async with database.transaction() as connection:
            ended = await store.revoke_any_session(
                connection, session_id, output.SHELL.name, reason, None, notify=notify
            )
            await output.note(connection, _COMMAND, f"session:{session_id}", reason)
            return ended

    try:
        ended = on_database(work)
    except NotFound:
        output.fail(f"there is no session {session_id}")
    typer.echo(f"Ended session {session_id}." if ended else f"Session {session_id} had ended before.")


def _revoke_many(order: RevokeSessions, yes: bool, as_json: bool) -> None:
    async def work(database: Database, settings: Settings) -> RevokedByFilter:
        counting = order.model_copy(update={"dry_run": True})
        counted = await bulk.revoke_sessions(database, settings, counting, output.SHELL)
        if order.dry_run or not counted.matched:
            return counted
        output.demand_consent(yes, f"End {counted.matched} sessions?")
        async with database.transaction() as connection:
            wanted = order.filter.model_dump(mode="json", exclude_none=True)
            await output.note(connection, _COMMAND, None, order.reason, filter=wanted)
        with output.progress("Ending sessions") as on_step:
            return await bulk.revoke_sessions(database, settings, order, output.SHELL, on_step)

    if not (yes or order.dry_run):
        output.demand_terminal()
    result = on_database(work)
    if as_json:
        output.show_json(result)
    elif result.matched:
        done = f"{result.matched} sessions fit." if order.dry_run else f"Ended {result.revoked} sessions."
        typer.echo(done)
    if not result.matched:
        output.fail("no active session fits")
