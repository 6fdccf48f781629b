"""`gatepost sessions list|revoke`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import IPvAnyNetwork

from gatepost.admin import (
    AdminSession,
    RevokedByFilter,
    RevokeSessions,
    Search,
    SessionFilter,
    Status,
    revoke_any_session,
)
from gatepost.cli import output
from gatepost.cli.database import with_connection, with_runtime, with_transaction
from gatepost.db import Connection
from gatepost.errors import NotFound
from gatepost.runtime import Runtime
from gatepost.sessions import DeviceKind

app = typer.Typer(help="List and revoke any user's sessions.", no_args_is_help=True)

_COMMAND = "sessions revoke"
_COLUMNS: output.Columns[AdminSession] = {
    "ID": lambda session: session.id,
    "USER": lambda session: session.email or session.user_id,
    "DEVICE": lambda session: session.name,
    "IP ADDRESS": lambda session: session.ip,
    "LOCATION": lambda session: session.location,
    "STATUS": lambda session: session.end_reason or session.status,
    "LAST ACTIVE": lambda session: session.last_active_at,
    "CREATED": lambda session: session.created_at,
}
_network = output.parser_of(IPvAnyNetwork)


@app.command("list")
def list_sessions(
    q: Annotated[
        str | None,
        typer.Option(help="Beginning of an email address or a name; or a session ID, user ID, IP address or network"),
    ] = None,
    user_id: Annotated[UUID | None, typer.Option(help="Sessions of the user with this ID")] = None,
    ip: Annotated[str | None, typer.Option(help="Sessions from this IP address or network")] = None,
    status: Annotated[Status | None, typer.Option(help="Sessions with this status")] = None,
    limit: output.Limit = 50,
    cursor: output.Cursor = None,
    as_json: output.AsJson = False,
) -> None:
    """List sessions, by default all of them, newest first."""
    search = Search(q=q, user_id=user_id, ip=ip, status=status)
    page = with_connection(lambda runtime, connection: runtime.admin.list_sessions(connection, search, cursor, limit))
    output.print_page(page, _COLUMNS, as_json, none_found="No sessions found.")


@app.command()
def revoke(
    session_id: Annotated[
        UUID | None,
        typer.Argument(metavar="SESSION_ID", help="ID of one session; to revoke several, use the filter options"),
    ] = None,
    user: Annotated[UUID | None, typer.Option(help="Sessions of the user with this ID")] = None,
    network: Annotated[
        str | None,
        typer.Option(
            parser=lambda text: str(_network(text)),
            metavar="NETWORK",
            help="Sessions from this IP address or network, such as 198.51.100.0/24",
        ),
    ] = None,
    browser: Annotated[str | None, typer.Option(help="Sessions in this browser, such as Chrome")] = None,
    os: Annotated[str | None, typer.Option(help="Sessions on this operating system, such as Windows")] = None,
    kind: Annotated[DeviceKind | None, typer.Option(help="Sessions on this kind of device")] = None,
    signed_in_before: Annotated[datetime | None, output.time_option("Sessions created before this time")] = None,
    signed_in_after: Annotated[datetime | None, output.time_option("Sessions created after this time")] = None,
    inactive_since: Annotated[datetime | None, output.time_option("Sessions last active before this time")] = None,
    reason: output.OptionalReason = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the sessions that match the filter")] = False,
    notify: Annotated[bool, typer.Option("--notify", help="Notify each user by one email")] = False,
    yes: output.Yes = False,
    as_json: output.AsJson = False,
) -> None:
    """Revoke one session, or all active sessions that match the filter options.

    A --reason is required, except with --dry-run.
    """
    conditions: dict[str, Any] = {
        "user_ids": [user] if user else None,
        "network": network,
        "browser": browser,
        "os": os,
        "kind": kind,
        "signed_in_before": signed_in_before,
        "signed_in_after": signed_in_after,
        "inactive_since": inactive_since,
    }
    conditions = {name: value for name, value in conditions.items() if value is not None}
    if bool(session_id) == bool(conditions):
        message = "give either the ID of one session, or filter options such as --user and --network"
        raise typer.BadParameter(message, param_hint="SESSION_ID")
    if reason is None and not dry_run:
        raise typer.BadParameter("a reason is required for the audit log", param_hint="--reason")
    if session_id is not None:
        if dry_run or as_json:
            message = "--dry-run and --json need filter options instead"
            raise typer.BadParameter(message, param_hint="SESSION_ID")
        output.confirm(yes, f"Revoke session {session_id}?")
        _revoke_one(session_id, reason, notify)
        return
    # A dry run records nothing, so that its reason does not matter.
    request = RevokeSessions(
        filter=SessionFilter(**conditions), reason=reason or "dry run", dry_run=dry_run, notify=notify
    )
    _revoke_matching(request, yes, as_json)


def _revoke_one(session_id: UUID, reason: str | None, notify: bool) -> None:
    async def revoke_session(_: Runtime, connection: Connection) -> bool:
        revoked = await revoke_any_session(connection, session_id, output.ACTOR, reason, notify=notify)
        await output.record_command(connection, _COMMAND, f"session:{session_id}", reason)
        return revoked

    try:
        revoked = with_transaction(revoke_session)
    except NotFound:
        output.fail(f"No session with the ID {session_id}. List sessions with `gatepost sessions list`.")
    typer.echo(f"Revoked session {session_id}." if revoked else f"Session {session_id} had already ended.")


def _revoke_matching(request: RevokeSessions, yes: bool, as_json: bool) -> None:
    async def revoke_sessions(runtime: Runtime) -> RevokedByFilter:
        dry_run = request.model_copy(update={"dry_run": True})
        counted = await runtime.admin.revoke_matching_sessions(dry_run, output.ACTOR)
        if request.dry_run or not counted.matched:
            return counted
        output.confirm(yes, f"Revoke {output.counted(counted.matched, 'session')}?")
        async with runtime.database.transaction() as connection:
            conditions = request.filter.model_dump(mode="json", exclude_none=True)
            await output.record_command(connection, _COMMAND, None, request.reason, filter=conditions)
        with output.progress("Revoking sessions") as on_step:
            return await runtime.admin.revoke_matching_sessions(request, output.ACTOR, on_step)

    if not (yes or request.dry_run):
        output.require_terminal()
    result = with_runtime(revoke_sessions)
    if as_json:
        output.print_json(result)
    elif request.dry_run and result.matched:
        typer.echo(f"{output.counted(result.matched, 'session')} would be revoked.")
    elif result.matched:
        typer.echo(f"Revoked {output.counted(result.revoked, 'session')}.")
    if not result.matched:
        output.fail("No active session matches the filter.")
