"""Every operation of the OpenAPI document with a request that is valid, and users with something in every path."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gatepost.db import Connection
from tests.support.mail import WELCOME, queue_email, wait_for_status
from tests.support.service import PASSWORD, Device, Service

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8"))
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# The order in which the operations on one user's things all still find them.
_ORDER = ("GET", "PUT", "PATCH", "POST", "DELETE")
_LAST = ("disable_user", "enable_user", "delete_user", "logout")
_CONTENT = {"subject": "Hello", "html": "<p>Hello</p>"}
_FORGED = "A" * 43
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Operation:
    """One operation: `security` says whether the document demands authentication."""

    id: str
    method: str
    path: str
    security: bool
    required_query: tuple[str, ...]
    has_body: bool

    @property
    def is_safe(self) -> bool:
        return self.method in SAFE_METHODS


@dataclass(frozen=True)
class Belongings:
    """A user on two devices, and what the paths of the API can name: things of theirs, or about them."""

    owner: Device
    other: Device
    key_id: str
    template: str
    email_id: str
    suppression_id: str

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody else may be shown."""
        return (self.owner.email, str(self.owner.user_id), self.owner.id, self.other.id)

    def path_values(self, operation: Operation) -> dict[str, str]:
        """Return the values for the path of an operation."""
        return {
            "session_id": self.other.id,
            "user_id": str(self.owner.user_id),
            "key_id": self.key_id,
            "key": "new-device" if operation.path.startswith("/v1/me/") else self.template,
            "version": "1",
            "email_id": self.email_id,
            "suppression_id": self.suppression_id,
        }


def _operations() -> dict[str, Operation]:
    found = []
    for path, methods in DOCUMENT["paths"].items():
        for method, described in methods.items():
            query = [each["name"] for each in described.get("parameters", []) if each["in"] == "query"]
            required = [each["name"] for each in described.get("parameters", []) if each.get("required")]
            found.append(
                Operation(
                    described["operationId"],
                    method.upper(),
                    path,
                    "security" in described,
                    tuple(name for name in query if name in required),
                    "requestBody" in described,
                )
            )
    found.sort(key=lambda each: (each.id in _LAST and _LAST.index(each.id) + 1, _ORDER.index(each.method)))
    return {each.id: each for each in found}


OPERATIONS = _operations()

# A valid body for every operation that has one; `theirs` is whose path is requested.
BODIES: dict[str, Callable[[Belongings], Any]] = {
    "register": lambda theirs: {"email": f"new{next(_numbers)}@example.org", "password": PASSWORD},
    "login": lambda theirs: {"email": theirs.owner.email, "password": "wrong password"},
    "refresh": lambda theirs: {"refresh_token": "forged"},
    "logout": lambda theirs: {"refresh_token": "forged"},
    "reauthenticate": lambda theirs: {"password": PASSWORD},
    "change_password": lambda theirs: {"current_password": PASSWORD, "new_password": PASSWORD},
    "request_password_reset": lambda theirs: {"email": "nobody@example.org"},
    "reset_password": lambda theirs: {"token": _FORGED, "password": PASSWORD},
    "verify_email": lambda theirs: {"token": _FORGED},
    "report_session": lambda theirs: {"token": _FORGED},
    "register_session": lambda theirs: {},
    "rename_session": lambda theirs: {"name": "mine now"},
    "revoke_sessions": lambda theirs: {"filter": {"user_ids": [str(theirs.owner.user_id)]}, "reason": "lost"},
    "disable_user": lambda theirs: {"reason": "lost"},
    "enable_user": lambda theirs: {"reason": "found"},
    "create_api_key": lambda theirs: {"name": "mine", "scopes": ["users:read"]},
    "create_template": lambda theirs: {**_CONTENT, "key": f"new-{next(_numbers)}", "name": "New"},
    "save_template_draft": lambda theirs: {**_CONTENT, "subject": "Changed"},
    "save_template_samples": lambda theirs: {"variables": {}},
    "send_test_email": lambda theirs: {"to": "nobody@example.org"},
    "preview_template": lambda theirs: {**_CONTENT},
    "queue_email": lambda theirs: {"template": "welcome", "to": "nobody@example.org", "variables": WELCOME},
    "queue_emails": lambda theirs: [{"template": "welcome", "to": "nobody@example.org", "variables": WELCOME}],
    "suppress_email": lambda theirs: {"email": f"no{next(_numbers)}@example.org", "reason": "asked"},
    "receive_resend_event": lambda theirs: {},
    "update_notification": lambda theirs: {"enabled": True},
}


async def create_belongings(service: Service, admin: Device) -> Belongings:
    """Create a user with something in every path; their email is in the mailbox."""
    number = next(_numbers)
    owner = await service.register(email=f"owner{number}@example.net")
    other = await service.login(owner.email)
    key = await admin.post("/v1/admin/api-keys", {"name": "theirs", "scopes": ["users:read"]})
    template = f"theirs-{number}"
    created = await admin.post("/v1/settings/email-templates", {**_CONTENT, "key": template, "name": "Theirs"})
    assert created.status_code == 201, created.text
    published = await admin.post(f"/v1/settings/email-templates/{template}/publish")
    assert published.status_code == 201, published.text
    form = {"email": f"suppressed{number}@example.net", "reason": "asked"}
    suppressed = await admin.post("/v1/settings/email-suppressions", form)
    email_id = await queue_email(service, owner.email)
    await wait_for_status(service, email_id, "sent")
    return Belongings(owner, other, key.json()["id"], template, email_id, suppressed.json()["id"])


def request_for(operation: Operation, theirs: Belongings, **path_values: str) -> dict[str, Any]:
    """Return the arguments of an HTTP client for an operation on somebody's things; `path_values` replace theirs.

    Raises:
        KeyError: the operation has a body or a path parameter without an example. Add one above.
    """
    arguments: dict[str, Any] = {
        "method": operation.method,
        "url": operation.path.format_map(theirs.path_values(operation) | path_values),
        "params": dict.fromkeys(operation.required_query, "lost"),
    }
    if operation.has_body:
        arguments["json"] = BODIES[operation.id](theirs)
    return arguments


def outcome(response: httpx.Response) -> str:
    """Return the status of a response and, if it is a problem, its code: `204`, `404 not_found`."""
    problem = response.headers.get("content-type") == "application/problem+json"
    return f"{response.status_code} {response.json()['code']}" if problem else str(response.status_code)


async def digest_tables(sql: Connection) -> dict[str, str]:
    """Return a digest of each table, to show that a request changed nothing.

    When a key was last used is not counted, for any request with it is a use; nor are the seals that a timer writes.
    """
    tables = await sql.fetch("select tablename from pg_tables where schemaname = 'gatepost' order by 1")
    row = "md5((to_jsonb(t) - 'last_used_at')::text)"
    query = " union all ".join(
        f"select '{name}', md5(coalesce(string_agg({row}, '' order by {row}), '')) from gatepost.{name} t"
        for [name] in tables
        if name != "audit_seals"
    )
    return {name: digest for name, digest in await sql.fetch(query)}  # noqa: C416 - mypy: a record is no tuple
