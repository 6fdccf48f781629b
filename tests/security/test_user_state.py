"""Disabling, demoting and deleting users: by the API, the command line and plain SQL alike."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import asyncpg
import pytest

from tests.support import Device, Service, assert_problem
from tests.support.waiting import eventually

DISABLE = "update gatepost.users set disabled_at = now() where id = $1"
DELETE = "delete from gatepost.users where id = $1"
DEMOTE = "update gatepost.users set role = 'user' where id = $1"


async def two_admins(service: Service) -> tuple[Device, Device]:
    return await service.register_admin(), await service.register_admin()


@pytest.mark.parametrize("statement", [DISABLE, DELETE])
async def test_disabling_and_deleting_by_sql_ends_the_sessions_at_once(service: Service, statement: str) -> None:
    user = await service.register()
    second = await service.login(user.email)
    await service.sql.execute(statement, user.user_id)
    for device in (user, second):
        problem = assert_problem(await device.get("/v1/me"), 401, "session_revoked")
        assert problem["reason"] == "signed_out_by_admin"
        assert (await device.refresh()).status_code == 401
    rows = await service.sql.fetch(
        "select end_reason, ended_at from gatepost.sessions where user_id = $1", user.user_id
    )
    assert [row["end_reason"] for row in rows] == ["signed_out_by_admin"] * 2
    audited = await service.sql.fetch(
        "select action, actor from gatepost.audit_log where target = $1 and action ~ '^user[.](disabled|deleted)'",
        f"user:{user.user_id}",
    )
    action = "user.disabled" if statement == DISABLE else "user.deleted"
    assert [tuple(row) for row in audited] == [(action, "system")]


async def test_a_disabled_user_gets_no_session_by_sql_either(service: Service) -> None:
    user = await service.register()
    await service.sql.execute(DISABLE, user.user_id)
    with pytest.raises(asyncpg.PostgresError) as raised:
        await service.sql.execute(
            "insert into gatepost.sessions (user_id, device_kind, expires_at) values ($1, 'unknown', 'infinity')",
            user.user_id,
        )
    assert raised.value.sqlstate == "GP062"


async def test_a_sign_in_that_runs_while_sql_disables_the_user_leaves_no_session(service: Service) -> None:
    user = await service.register()
    form = {"email": user.email, "password": "correct horse battery"}
    answers = [service.http.post("/v1/auth/login", json=form) for _ in range(6)]
    await asyncio.gather(*answers, service.sql.execute(DISABLE, user.user_id))
    active = "select count(*) from gatepost.sessions where user_id = $1 and ended_at is null"
    assert await service.sql.fetchval(active, user.user_id) == 0


async def test_an_action_of_an_admin_is_audited_once_and_in_their_name(service: Service) -> None:
    admin = await service.register_admin()
    user = await service.register()
    path = f"/v1/admin/users/{user.user_id}"
    assert (await admin.post(f"{path}/disable", {"reason": "stolen"})).status_code == 200
    assert (await admin.post(f"{path}/enable", {"reason": "found"})).status_code == 200
    assert (await admin.delete(f"{path}?reason=gone")).status_code == 204
    rows = await service.sql.fetch(
        "select actor, action, reason from gatepost.audit_log where target = $1 and actor like 'user:%' "
        "and action ~ '^user[.](dis|en)abled|^user[.]deleted' order by id",
        f"user:{user.user_id}",
    )
    actor = f"user:{admin.user_id}"
    assert [tuple(row) for row in rows] == [
        (actor, "user.disabled", "stolen"),
        (actor, "user.enabled", "found"),
        (actor, "user.deleted", "gone"),
    ]


@pytest.mark.parametrize("statement", [DISABLE, DEMOTE, DELETE])
async def test_sql_cannot_take_the_last_admin_away(service: Service, statement: str) -> None:
    first, second = await two_admins(service)
    await service.sql.execute(statement, first.user_id)
    with pytest.raises(asyncpg.PostgresError) as raised:
        await service.sql.execute(statement, second.user_id)
    assert raised.value.sqlstate == "GP060"
    assert (await second.get("/v1/admin/users")).status_code == 200


@pytest.mark.parametrize(
    "statement",
    [
        "update gatepost.users set disabled_at = now()",
        "update gatepost.users set role = 'user'",
        "delete from gatepost.users",
        "truncate gatepost.users cascade",
    ],
)
async def test_sql_cannot_take_all_admins_away_in_one_statement(service: Service, statement: str) -> None:
    await two_admins(service)
    with pytest.raises(asyncpg.PostgresError) as raised:
        await service.sql.execute(statement)
    assert raised.value.sqlstate == "GP060"


async def test_the_api_cannot_take_the_last_admin_away(service: Service) -> None:
    admin = await service.register_admin()
    path = f"/v1/admin/users/{admin.user_id}"
    for response in (
        await admin.post(f"{path}/disable", {"reason": "by mistake"}),
        await admin.delete(f"{path}?reason=by+mistake"),
    ):
        assert "last admin" in assert_problem(response, 409, "conflict")["detail"]
    assert (await admin.get("/v1/admin/users")).status_code == 200


async def test_of_admins_who_disable_each_other_one_stays(service: Service) -> None:
    admins = [await service.register_admin() for _ in range(4)]
    answers = await asyncio.gather(
        *(
            admin.post(f"/v1/admin/users/{admins[number - 1].user_id}/disable", {"reason": "conflict"})
            for number, admin in enumerate(admins)
        )
    )
    assert {answer.status_code for answer in answers} <= {200, 401, 403, 409}
    enabled = "select count(*) from gatepost.users where role = 'admin' and disabled_at is null"
    assert await service.sql.fetchval(enabled) >= 1


async def test_deleting_a_user_erases_what_is_known_about_them(service: Service) -> None:
    user = await service.register(device_name="Ada's laptop")
    other = await service.register()
    sql = service.sql
    waiting = "select count(*) = 0 from gatepost.emails where status in ('queued', 'sending')"
    await eventually(lambda: sql.fetchval(waiting))
    await sql.execute(
        "update gatepost.sessions set ip = '203.0.113.9', browser = 'Chrome', os = 'Windows' where user_id = $1",
        user.user_id,
    )
    emails = await queue_emails(service, user)
    kept = await sql.fetchval(
        "insert into gatepost.emails (template, version, locale, recipient, variables, security, alone, queued_by) "
        "values ('x', 1, 'en', $1, '{\"n\": 1}', false, false, 'sql') returning id",
        other.email,
    )
    await sql.execute(
        "insert into gatepost.email_suppressions (email, reason, created_by) values ($1, 'manual', 'cli')", user.email
    )
    await sql.execute(DELETE, user.user_id)

    row = await sql.fetchrow("select * from gatepost.sessions where user_id = $1", user.user_id)
    assert row is not None
    assert [row[name] for name in ("name", "browser", "os", "ip", "device_kind")] == [None, None, None, None, "unknown"]
    assert row["end_reason"] == "signed_out_by_admin"
    for table in ("refresh_tokens", "sessions", "emails", "email_events", "email_attachments", "links", "users"):
        dump = str(await sql.fetch(f"select t::text from gatepost.{table} t"))
        for secret in (user.email, "Ada", "203.0.113.9", "launch code"):
            assert secret not in dump, (table, secret)
    statuses = await sql.fetch("select id, status from gatepost.emails where id = any ($1)", list(emails.values()))
    assert {row["id"]: row["status"] for row in statuses} == {
        emails["queued"]: "canceled",
        emails["delivered"]: "delivered",
    }
    assert await sql.fetchval("select variables from gatepost.emails where id = $1", kept) == '{"n": 1}'
    # The audit log keeps ids, and the suppression list belongs to the email address.
    assert user.email not in str(await sql.fetch("select t::text from gatepost.audit_log t"))
    assert await sql.fetchval("select count(*) from gatepost.email_suppressions") == 1


async def queue_emails(service: Service, user: Device) -> dict[str, UUID]:
    """Queue one email, and add one that was delivered, with an attachment and an event that names the recipient."""
    insert = """
        insert into gatepost.emails (
          template, version, locale, recipient, reply_to, variables, security, alone, queued_by, status, subject,
          payload, error_code, error_message, idempotency_key, request_hash, provider, send_at, due_at
        )
        values ('x', 1, 'en', $1, $1, $2, false, false, 'sql', $3, 'launch code', 'launch code', 'x', 'for ' || $1,
                $1 || $3, 'launch code', 'capture', 'infinity', 'infinity')
        returning id
    """
    ids = {}
    for status in ("queued", "delivered"):
        variables = json.dumps({"text": "launch code"})
        ids[status] = await service.sql.fetchval(insert, user.email.upper(), variables, status)
        await service.sql.execute(
            "insert into gatepost.email_attachments values ($1, 1, 'a.txt', 'text/plain', 'launch code')", ids[status]
        )
        await service.sql.execute(
            "insert into gatepost.email_events (email_id, type, detail) values ($1, 'delayed', $2)",
            ids[status],
            json.dumps({"code": "delayed", "message": f"no mailbox for {user.email}"}),
        )
    return ids


async def test_an_email_that_is_being_sent_is_erased_when_its_outcome_is_known(service: Service) -> None:
    user = await service.register()
    email = (await queue_emails(service, user))["queued"]
    await service.sql.execute("update gatepost.emails set status = 'sending' where id = $1", email)
    await service.sql.execute(DELETE, user.user_id)
    payload = "select payload from gatepost.emails where id = $1"
    assert await service.sql.fetchval(payload, email) == "launch code"
    await service.sql.execute("update gatepost.emails set status = 'sent' where id = $1", email)
    assert await service.sql.fetchval(payload, email) is None
    # A late report of the provider adds neither the email address nor a suppression.
    await service.sql.execute(
        "select gatepost.record_provider_event('1', null, $1, now(), 'bounced', $2)",
        email,
        json.dumps({"message": f"no mailbox for {user.email}", "suppress": "bounce"}),
    )
    assert user.email not in str(await service.sql.fetch("select t::text from gatepost.email_events t"))
    assert await service.sql.fetchval("select count(*) from gatepost.email_suppressions") == 0


async def test_an_erased_email_cannot_be_resent(service: Service) -> None:
    admin, user = await service.register_admin(), await service.register()
    email = (await queue_emails(service, user))["delivered"]
    await service.sql.execute(DELETE, user.user_id)
    problem = assert_problem(await admin.post(f"/v1/emails/{email}/resend"), 409, "conflict")
    assert "account was deleted" in problem["detail"]
    shown = (await admin.get(f"/v1/emails/{email}")).json()
    assert (shown["to"], shown["subject"], shown["html"]) == ("deleted@deleted.invalid", None, None)
