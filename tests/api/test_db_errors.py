"""Each error of our SQL as its caller sees it: over HTTP, from `send_email`, or from our own connection pool."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from gatepost import ApiError, Attachment, send_email
from gatepost.db import Database
from gatepost.db.errors import DATABASE_ERRORS
from gatepost.errors import Conflict, InternalError, NotFound, ValidationFailed
from tests.support import Device, Service, assert_problem, running_service
from tests.support.mail import WELCOME, wait_for_status

TEMPLATES = "/v1/settings/email-templates"
BODY: dict[str, Any] = {"template": "welcome", "to": "ada@acme.com", "variables": WELCOME}


def sentence(state: str) -> str:
    return DATABASE_ERRORS[state].sentence


@pytest.fixture
async def admin(service: Service) -> Device:
    return await service.register_admin()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(database_url, size=2)
    yield database
    await database.close()


async def test_what_is_not_found_is_named(service: Service, admin: Device) -> None:
    own = assert_problem(await admin.delete(f"/v1/sessions/{uuid4()}"), 404, "not_found")
    of_any_user = assert_problem(await admin.delete(f"/v1/admin/sessions/{uuid4()}?reason=x"), 404, "not_found")
    assert own["detail"] == of_any_user["detail"] == sentence("GP001")
    other = await service.register()
    assert assert_problem(await admin.delete(f"/v1/sessions/{other.id}"), 404, "not_found")["detail"] == own["detail"]

    for action in ("disable", "enable"):
        response = await admin.post(f"/v1/admin/users/{uuid4()}/{action}", {"reason": "x"})
        assert assert_problem(response, 404, "not_found")["detail"] == sentence("GP002")
    for action in ("cancel", "resend"):
        response = await admin.post(f"/v1/emails/{uuid4()}/{action}")
        assert assert_problem(response, 404, "not_found")["detail"] == sentence("GP004")


async def test_a_template_that_was_deleted_meanwhile(service: Service, database: Database) -> None:
    for call in (
        "select gatepost.save_template_draft('gone', 'en', null, '{}', '[]', 'template.drafted', 'x', null)",
        "select gatepost.delete_template('gone', 'x', null)",
    ):
        with pytest.raises(NotFound) as rejected:
            await database.execute(call)
        assert rejected.value.detail == sentence("GP003")


async def test_an_idempotency_key_that_was_used_for_another_email(service: Service, admin: Device) -> None:
    key = {"Idempotency-Key": "order-1"}
    await admin.post("/v1/emails", BODY, headers=key)
    other = await admin.post("/v1/emails", BODY | {"to": "bob@acme.com"}, headers=key)
    assert assert_problem(other, 409, "conflict")["detail"] == sentence("GP011")
    await admin.post("/v1/emails/batch", [BODY], headers=key)
    other = await admin.post("/v1/emails/batch", [BODY | {"to": "bob@acme.com"}], headers=key)
    assert assert_problem(other, 409, "conflict")["detail"] == sentence("GP011")


async def test_a_draft_that_has_changed(service: Service, admin: Device) -> None:
    async def save(tag: str | None) -> Any:
        body = {"subject": "Hello", "html": "<p>{{ name }} {{ login_url }}</p>"}
        headers = {"If-Match": tag} if tag else {}
        return await admin.request("PUT", f"{TEMPLATES}/welcome/draft", json=body, headers=headers)

    first = await save(None)
    await save(first.headers["etag"])
    stale = await save(first.headers["etag"])
    assert assert_problem(stale, 409, "conflict")["detail"] == sentence("GP012")
    headers = {"If-Match": first.headers["etag"]}
    stale = await admin.request("POST", f"{TEMPLATES}/welcome/publish", headers=headers)
    assert assert_problem(stale, 409, "conflict")["detail"] == sentence("GP012")


@pytest.fixture
async def sending_service(database_url: str) -> AsyncIterator[Service]:
    """A service whose mail is not paused."""
    async with running_service(database_url) as service:
        yield service


async def test_an_email_that_cannot_be_canceled_or_resent_says_why(sending_service: Service) -> None:
    admin = await sending_service.register_admin()

    async def rejected(action: str, email_id: str) -> str:
        problem = assert_problem(await admin.post(f"/v1/emails/{email_id}/{action}"), 409, "conflict")
        return str(problem["detail"])

    async def sent(path: str, body: dict[str, Any]) -> str:
        response = await admin.post(path, body)
        assert response.status_code == 202, response.text
        email_id = str(response.json().get("id") or response.json()["email_id"])
        await wait_for_status(sending_service, email_id, "sent")
        return email_id

    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    scheduled = (await admin.post("/v1/emails", BODY | {"send_at": tomorrow})).json()["id"]
    assert await rejected("resend", scheduled) == sentence("GP014")
    plain = await sent("/v1/emails", BODY)
    assert await rejected("cancel", plain) == sentence("GP013")
    await sending_service.sql.execute("update gatepost.emails set expires_at = now() where id = $1", plain)
    assert await rejected("resend", plain) == sentence("GP015")
    test = await sent(f"{TEMPLATES}/welcome/test", {"to": "ada@acme.com", "variables": WELCOME})
    await sending_service.sql.execute("update gatepost.emails set version = null where id = $1", test)
    assert await rejected("resend", test) == sentence("GP016")
    values = {"reset_url": "https://acme.com/reset", "expires_in": "1 hour"}
    security = await sent("/v1/emails", BODY | {"template": "reset-password", "variables": values})
    assert await rejected("resend", security) == sentence("GP017")


@pytest.mark.parametrize(
    ("state", "changed", "api_error"),
    [
        ("GP005", {"template": "nothing-like-it"}, NotFound),
        ("GP011", {"to": "bob@acme.com", "idempotency_key": "1"}, Conflict),
        ("GP021", {"to": "nobody"}, ValidationFailed),
        ("GP021", {"reply_to": "Ada <ada@acme.com>"}, ValidationFailed),
        ("GP022", {"variables": ["Ada"]}, ValidationFailed),
        ("GP023", {"attachments": [Attachment(None, "text/plain", b"a")]}, ValidationFailed),  # type: ignore[arg-type]
        ("GP024", {"idempotency_key": ""}, ValidationFailed),
        ("GP025", {"expires_at": datetime(2001, 1, 1, tzinfo=UTC)}, ValidationFailed),
    ],
)
async def test_what_send_email_raises(
    service: Service, state: str, changed: dict[str, Any], api_error: type[ApiError]
) -> None:
    await send_email(service.sql, **BODY, idempotency_key="1")
    with pytest.raises(api_error) as raised:
        await send_email(service.sql, **{**BODY, **changed})
    assert type(raised.value) is api_error
    argument = next(iter(changed))
    if api_error is ValidationFailed:
        [field] = raised.value.errors or []
        assert field.model_dump() == {
            "loc": [argument],
            "msg": sentence(state),
            "type": DATABASE_ERRORS[state].name,
        }
        assert raised.value.detail == f"{argument} {sentence(state)}"
    else:
        assert raised.value.detail == sentence(state)
    # The driver's own error, with what a developer needs, is its cause.
    cause = raised.value.__cause__
    assert isinstance(cause, asyncpg.PostgresError)
    assert (cause.sqlstate, str(cause).splitlines()[0]) == (state, DATABASE_ERRORS[state].name)


async def test_the_same_over_http_names_the_body(service: Service, admin: Device) -> None:
    late = BODY | {"expires_at": "2001-01-01T00:00:00Z"}
    problem = assert_problem(await admin.post("/v1/emails", late), 422, "validation_failed")
    assert problem["detail"] == f"expires_at {sentence('GP025')}"
    assert [error["loc"] for error in problem["errors"]] == [["body", "expires_at"]]
    problem = assert_problem(await admin.post("/v1/emails/batch", [BODY, late]), 422, "validation_failed")
    assert [error["loc"] for error in problem["errors"]] == [["body", 1, "expires_at"]]
    unknown = assert_problem(
        await admin.post("/v1/emails", BODY | {"template": "nothing-like-it"}), 422, "validation_failed"
    )
    assert [error["loc"] for error in unknown["errors"]] == [["body", "template"]]


@pytest.mark.parametrize(
    ("state", "statement"),
    [
        ("GP031", "update gatepost.audit_log set reason = 'other'"),
        ("GP031", "truncate gatepost.audit_seals"),
        (
            "GP032",
            """
            select gatepost.record_audit('x', 'x', null);
            insert into gatepost.audit_log (id, actor, action) overriding system value values (-1, 'x', 'x')
            """,
        ),
        ("GP033", "update gatepost.email_template_versions set published_by = 'x'"),
    ],
)
async def test_what_must_never_change_is_our_own_mistake(
    service: Service, admin: Device, database: Database, state: str, statement: str
) -> None:
    body = {"subject": "Hello", "html": "<p>{{ name }} {{ login_url }}</p>"}
    await admin.request("PUT", f"{TEMPLATES}/welcome/draft", json=body)
    await admin.post(f"{TEMPLATES}/welcome/publish")
    with pytest.raises(InternalError) as raised:
        await database.execute(statement)
    assert raised.value.detail == sentence(state)


async def test_a_password_that_was_changed_meanwhile(database: Database) -> None:
    call = "select gatepost.change_password(gen_random_uuid(), null, 'old', 'new', null, '1 day')"
    with pytest.raises(Conflict) as raised:
        await database.execute(call)
    assert raised.value.detail == sentence("GP045")


@pytest.mark.parametrize(
    ("state", "statement"),
    [
        ("GP057", "select gatepost.take_over_api_key(gen_random_uuid(), $1, 'cli', null)"),
        (
            "GP058",
            "select gatepost.take_over_api_key(id, $1, 'cli', null) from gatepost.api_keys where name = 'revoked'",
        ),
        ("GP059", "update gatepost.api_keys set owner_id = gen_random_uuid() where $1::uuid is not null"),
        ("GP060", "update gatepost.users set role = 'user' where id = $1"),
        ("GP061", "select gatepost.resend_email(id, 'cli', null) from gatepost.emails where $1::uuid is not null"),
        (
            "GP062",
            """
            insert into gatepost.sessions (user_id, device_kind, expires_at)
            select id, 'unknown', 'infinity' from gatepost.users where disabled_at is not null and $1::uuid is not null
            """,
        ),
    ],
)
async def test_what_the_state_of_a_user_forbids(
    service: Service, admin: Device, database: Database, state: str, statement: str
) -> None:
    await service.sql.execute(
        """
        insert into gatepost.api_keys (name, prefix, secret_hash, scopes, created_by, revoked_at)
        values ('revoked', 'gp_1', sha256('1'), '{}', 'cli', now());
        insert into gatepost.users (email, password_hash, disabled_at) values ('off@example.com', '!', now());
        insert into gatepost.emails (
          template, version, locale, recipient, variables, security, alone, queued_by, status
        )
        values ('x', 1, 'en', 'gone@example.com', '{}', false, false, 'cli', 'sent');
        update gatepost.emails set erased_at = now();
        """
    )
    with pytest.raises(DATABASE_ERRORS[state].api_error) as raised:
        await database.execute(statement, admin.user_id)
    assert raised.value.detail == sentence(state)


def test_every_error_is_raised_by_a_test_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert {state for state in DATABASE_ERRORS if f'"{state}"' not in source} == set()
