"""Who may do what: every operation of the OpenAPI document, on one user's things, as every kind of caller.

The rules are those of docs/security/authorization.md; `expected` says what follows for each caller. An operation
without a rule fails the test, and so does one whose rejected request changed anything in the database.

OWASP ASVS 8.2.1, 8.2.2 and 8.3.1.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import get_args
from uuid import uuid4

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from gatepost.security import Scope
from tests.support import Device, Service, running_service
from tests.support.forgery import bearer, steal_signing_key
from tests.support.mail import pause_mail
from tests.support.operations import (
    OPERATIONS,
    Belongings,
    Operation,
    create_belongings,
    digest_tables,
    outcome,
    request_for,
)


@dataclass(frozen=True)
class Access:
    """Who may use an operation: everyone, users, or admins and the API keys with a scope.

    `owned` things exist for their owner only; `recent` demands a recently entered password.
    """

    role: str
    scope: str | None = None
    owned: bool = False
    recent: bool = False


EVERYONE, USERS, ADMINS = "everyone", "users", "admins"
PAGE = Path(__file__).parents[2] / "docs" / "security" / "authorization.md"


def read_rules() -> dict[str, Access]:
    """Return the rules of the documentation, by operation."""
    rules: dict[str, Access] = {}
    rows = PAGE.read_text(encoding="utf-8").partition("| Who | Scope |")[2].partition("\n\n")[0]
    for row in rows.splitlines()[2:]:
        role, scope, owned, recent, operations = (cell.strip() for cell in row.strip("|").split("|"))
        access = Access(role, scope.strip("`") or None, owned=owned == "yes", recent=recent == "yes")
        for operation in operations.split():
            assert operation.strip("`") not in rules, f"{operation} has two rules"
            rules[operation.strip("`")] = access
    return rules


# What an allowed request may meet that comes too late, or without the ETag of a draft.
CONFLICTS = ("409 conflict", "428 precondition_required")
RULES = read_rules()


@dataclass(frozen=True)
class Caller:
    """Who sends a request: a user or an admin, an API key with one scope, or nobody, with the problem that shows it."""

    name: str
    token: str | None
    role: str = EVERYONE
    scope: str | None = None
    recent: bool = True
    problem: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.token is None else bearer(self.token)


def expected(access: Access, caller: Caller, *, is_owner: bool = False) -> str | None:
    """Return the problem that a caller gets, or None if the request is allowed."""
    if access.role == EVERYONE or (caller.scope is not None and caller.scope == access.scope):
        return None
    if caller.scope is not None:
        # A key is nobody in particular: it has no devices and no settings of its own.
        return "401 token_invalid" if access.role == USERS else "403 forbidden"
    if caller.problem:
        return caller.problem
    if access.role == ADMINS and caller.role != ADMINS:
        return "403 forbidden"
    if access.recent and not caller.recent:
        return "403 reauthentication_required"
    return "404 not_found" if access.owned and not is_owner else None


class Walk:
    """Sends requests, and collects what was not as expected."""

    def __init__(self, service: Service) -> None:
        self._http = service.http
        self._sql = service.sql
        self.faults: list[str] = []

    async def send(
        self, operation: Operation, caller: Caller, theirs: Belongings, **path_values: str
    ) -> httpx.Response:
        response = await self._http.request(**request_for(operation, theirs, **path_values), headers=caller.headers)
        if response.status_code >= 500:
            self.fault(operation, caller, outcome(response))
        return response

    async def _read_user(self, theirs: Belongings) -> str:
        query = """
            select u::text || coalesce(string_agg(s::text, '' order by s.id), '')
            from gatepost.users u left join gatepost.sessions s on s.user_id = u.id where u.id = $1 group by u
        """
        return str(await self._sql.fetchval(query, theirs.owner.user_id))

    async def set_back(self, caller: Caller) -> None:
        """Have a user's last authentication lie an hour back."""
        claims = jwt.decode(caller.token or "", options={"verify_signature": False})
        query = "update gatepost.sessions set authenticated_at = now() - interval '1 hour' where id = $1"
        assert await self._sql.execute(query, claims["session_id"]) == "UPDATE 1"

    def fault(self, operation: Operation | str, caller: Caller, what: str) -> None:
        name = operation if isinstance(operation, str) else f"{operation.id} ({operation.method} {operation.path})"
        self.faults.append(f"{name} as {caller.name}: {what}")

    async def rejected(self, caller: Caller, theirs: Belongings) -> None:
        """Send every request that must be rejected; none of them may change anything."""
        before = await digest_tables(self._sql)
        for operation in OPERATIONS.values():
            problem = expected(RULES[operation.id], caller)
            if problem is not None:
                response = await self.send(operation, caller, theirs)
                if outcome(response) != problem:
                    self.fault(operation, caller, f"{outcome(response)}, expected {problem}: {response.text[:200]}")
        after = await digest_tables(self._sql)
        if changed := sorted(name for name in after if after[name] != before.get(name)):
            self.fault("a rejected request", caller, f"changed {changed}")

    async def public(self, callers: list[Caller], theirs: Belongings) -> None:
        """Send every request that needs no authentication: who sends it makes no difference."""
        before = await self._read_user(theirs)
        for operation in OPERATIONS.values():
            # Signing out ends the caller's own session.
            if RULES[operation.id].role == EVERYONE and operation.id != "logout":
                outcomes = {outcome(await self.send(operation, caller, theirs)) for caller in callers}
                if len(outcomes) > 1:
                    self.fault(operation, callers[0], f"and as others: {sorted(outcomes)}")
        if await self._read_user(theirs) != before:
            self.fault("a public request", callers[0], "changed a user")

    async def hidden(self, caller: Caller, theirs: Belongings) -> None:
        """Send every request for what only its owner may see: it looks as if it did not exist."""
        for operation in OPERATIONS.values():
            if RULES[operation.id].owned:
                real = await self.send(operation, caller, theirs)
                imagined = await self.send(operation, caller, theirs, session_id=str(uuid4()))
                if len({each.text.replace(each.headers["x-request-id"], "") for each in (real, imagined)}) > 1:
                    self.fault(operation, caller, "shows that it exists")

    async def allowed(self, caller: Caller, theirs: Belongings, *, is_owner: bool = False) -> None:
        """Send every request that is allowed; a caller who is neither admin nor owner learns nothing from it."""
        before = await self._read_user(theirs)
        is_stranger = caller.role == USERS and not is_owner
        for operation in OPERATIONS.values():
            access = RULES[operation.id]
            if access.role == EVERYONE or expected(access, caller, is_owner=is_owner) is not None:
                continue
            response = await self.send(operation, caller, theirs)
            if operation.id == "reauthenticate" and not caller.recent:
                await self.set_back(caller)
            if not response.is_success and outcome(response) not in CONFLICTS:
                self.fault(operation, caller, f"{outcome(response)}, expected success: {response.text[:200]}")
            if is_stranger and any(secret in response.text for secret in theirs.secrets):
                self.fault(operation, caller, "was shown what is not theirs")
        if is_stranger and await self._read_user(theirs) != before:
            self.fault("an allowed request", caller, "changed what is not theirs")


@dataclass(frozen=True)
class Scene:
    """A service with one caller of each kind."""

    service: Service
    admin: Device
    rejected_callers: list[Caller]
    user: Caller
    admins: list[Caller]
    keys: list[Caller]


async def wait_until_sent(service: Service) -> None:
    """Wait until every email that was queued is in the mailbox."""
    async with asyncio.timeout(20):
        while await service.sql.fetchval("select count(*) from gatepost.emails where status in ('queued', 'sending')"):
            await asyncio.sleep(0.01)


async def invite(service: Service) -> Scene:
    admin, stale = await service.register_admin(), await service.register_admin()
    user, ended, disabled = [await service.register() for _ in range(3)]
    forger = await steal_signing_key(service)
    keys = [await service.create_api_key(admin, scope, name=scope) for scope in get_args(Scope)]
    await ended.post("/v1/auth/logout")
    await admin.post(f"/v1/admin/users/{disabled.user_id}/disable", {"reason": "fraud"})
    expired = forger.sign(user, exp=int(time.time()) - 1)
    forged = forger.sign(admin, key=generate_private_key(SECP256R1()))
    return Scene(
        service,
        admin,
        [
            Caller("nobody", None, problem="401 not_authenticated"),
            Caller("a user who signed out", ended.access_token, USERS, problem="401 session_revoked"),
            Caller("a disabled user", disabled.access_token, USERS, problem="401 session_revoked"),
            Caller("an expired token", expired, USERS, problem="401 token_expired"),
            Caller("a forged token", forged, ADMINS, problem="401 token_invalid"),
        ],
        Caller("another user", user.access_token, USERS),
        [
            Caller("an admin without recent authentication", stale.access_token, ADMINS, recent=False),
            Caller("an admin", admin.access_token, ADMINS),
        ],
        [
            Caller(f"a key for {scope}", key.access_token, scope=scope)
            for scope, key in zip(get_args(Scope), keys, strict=True)
        ],
    )


def test_every_operation_has_a_rule() -> None:
    assert RULES.keys() == OPERATIONS.keys()
    assert {access.role for access in RULES.values()} == {EVERYONE, USERS, ADMINS}
    assert {access.scope for access in RULES.values()} - {None} == {*get_args(Scope)}


def test_the_document_demands_authentication_where_the_rules_do() -> None:
    for operation in OPERATIONS.values():
        assert operation.security == (RULES[operation.id].role != EVERYONE), operation.id


async def test_every_operation_as_every_caller(database_url: str) -> None:
    async with running_service(database_url) as service:
        scene = await invite(service)
        theirs = await create_belongings(service, scene.admin)
        own = {each.name: await create_belongings(service, scene.admin) for each in [*scene.keys, *scene.admins]}
        await wait_until_sent(service)
        await pause_mail(service)
        walk = Walk(service)

        [stale, admin] = scene.admins
        await walk.set_back(stale)
        for caller in [*scene.rejected_callers, scene.user, *scene.admins, *scene.keys]:
            await walk.rejected(caller, theirs)
        await walk.public([*scene.rejected_callers, scene.user, *scene.admins, *scene.keys], theirs)
        await walk.hidden(scene.user, theirs)
        await walk.allowed(scene.user, theirs)
        await walk.allowed(Caller("the owner", theirs.owner.access_token, USERS), theirs, is_owner=True)
        for caller in [*scene.keys, stale, admin]:
            await walk.allowed(caller, own[caller.name])
    assert not walk.faults, "\n".join(walk.faults)
