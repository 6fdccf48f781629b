"""Templates over HTTP: reading, drafts, previews, publishing, restoring and resetting."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.support import Device, Service, assert_problem

BASE = "/v1/settings/email-templates"
KEYS = [
    "account-exists",
    "admin-added",
    "api-key-created",
    "email-changed",
    "new-device",
    "new-invoice",
    "notification-summary",
    "password-changed",
    "reset-password",
    "session-revoked",
    "suspicious-refresh",
    "verify-email",
    "welcome",
]
CONTENT: dict[str, Any] = {
    "subject": "Hello {{ name }}",
    "html": '<p>Hello {{ name }}, see <a href="{{ link }}">this</a>.</p>',
    "variables": [
        {"name": "name", "type": "string", "example": "Ada"},
        {"name": "link", "type": "url", "example": "https://example.com/x"},
    ],
}
NEW_TEMPLATE: dict[str, Any] = CONTENT | {"key": "hello", "name": "Hello"}


async def save_draft(admin: Device, key: str, body: dict[str, Any], etag: str | None = None) -> Any:
    headers = {"If-Match": etag} if etag else {}
    return await admin.request("PUT", f"{BASE}/{key}/draft", json=body, headers=headers)


async def test_a_template_is_edited_previewed_published_restored_and_reset(service: Service) -> None:
    admin = await service.register_admin()
    listed = (await admin.get(BASE)).json()["items"]
    assert [item["key"] for item in listed] == KEYS
    assert {item["source"] for item in listed} == {"builtin"}

    template = (await admin.get(f"{BASE}/welcome")).json()
    content = {part: template["default"][part] for part in ("subject", "preheader", "html", "text")}
    saved = await save_draft(admin, "welcome", content | {"subject": "Good to have you, {{ name }}"})
    assert saved.status_code == 200, saved.text
    preview = await admin.post(f"{BASE}/welcome/preview", {"variables": {"name": "Ada & Bob"}})
    assert preview.status_code == 200, preview.text
    assert preview.json()["subject"] == "Good to have you, Ada & Bob"
    assert preview.json()["sender"] == "Gatepost <no-reply@example.com>"
    assert preview.json()["size_bytes"] == len(preview.json()["html"].encode())

    first = await admin.post(f"{BASE}/welcome/publish")
    assert (first.status_code, first.json()) == (201, {"version": 1})
    await save_draft(admin, "welcome", content | {"subject": "Second"})
    assert (await admin.post(f"{BASE}/welcome/publish")).json() == {"version": 2}
    assert [each["version"] for each in (await admin.get(f"{BASE}/welcome/versions")).json()["items"]] == [2, 1]
    restored = await admin.post(f"{BASE}/welcome/versions/1/restore")
    assert restored.json()["draft"]["subject"] == "Good to have you, {{ name }}"
    assert (await admin.post(f"{BASE}/welcome/publish")).json() == {"version": 3}
    third = (await admin.get(f"{BASE}/welcome")).json()["published"]
    assert (third["version"], third["subject"]) == (3, "Good to have you, {{ name }}")
    assert (await admin.delete(f"{BASE}/welcome")).status_code == 204
    template = (await admin.get(f"{BASE}/welcome")).json()
    assert (template["draft"], template["published"]) == (None, None)
    audited = (await admin.get("/v1/admin/audit?target=template:welcome")).json()["items"]
    assert [entry["action"].partition(".")[2] for entry in audited] == [
        "reset",
        "published",
        "restored",
        "published",
        "drafted",
        "published",
        "drafted",
    ]
    assert audited[0]["actor"] == f"user:{admin.user_id}"


async def test_every_operation_needs_the_role_or_the_scope(service: Service) -> None:
    user = await service.register()
    document = (await service.http.get("/openapi.json")).json()
    checked = 0
    for path, operations in document["paths"].items():
        if path.startswith("/v1/settings/email-template"):
            for method, operation in operations.items():
                url = path.replace("{key}", "welcome").replace("{version}", "1")
                options: dict[str, Any] = {"json": NEW_TEMPLATE} if "requestBody" in operation else {}
                assert_problem(await service.http.request(method, url, **options), 401, "not_authenticated")
                assert_problem(await user.request(method.upper(), url, **options), 403, "forbidden")
                checked += 1
    assert checked == 14


async def test_a_custom_template_is_created_published_and_deleted(service: Service) -> None:
    admin = await service.register_admin()
    created = await admin.post(BASE, NEW_TEMPLATE)
    assert created.status_code == 201, created.text
    assert created.json()["source"] == "custom"
    assert created.headers["etag"] == f'"{created.json()["draft"]["etag"]}"'
    assert created.json()["draft"]["diagnostics"] == []
    assert_problem(await admin.post(BASE, NEW_TEMPLATE), 409, "conflict")
    assert_problem(await admin.post(BASE, NEW_TEMPLATE | {"key": "welcome"}), 409, "conflict")
    assert (await admin.post(f"{BASE}/hello/publish")).status_code == 201
    assert (await admin.delete(f"{BASE}/hello")).status_code == 204
    assert_problem(await admin.get(f"{BASE}/hello"), 404, "not_found")
    again = await admin.post(BASE, NEW_TEMPLATE)
    assert again.status_code == 201
    assert (await admin.post(f"{BASE}/hello/publish")).json() == {"version": 2}


async def test_a_draft_is_only_saved_over_the_one_that_if_match_names(service: Service) -> None:
    admin = await service.register_admin()
    first = await save_draft(admin, "welcome", CONTENT)
    assert_problem(await save_draft(admin, "welcome", CONTENT), 428, "precondition_required")
    second = await save_draft(admin, "welcome", CONTENT, first.headers["etag"])
    assert second.status_code == 200
    assert_problem(await save_draft(admin, "welcome", CONTENT, first.headers["etag"]), 409, "conflict")
    assert_problem(await save_draft(admin, "welcome", CONTENT, '"nonsense"'), 409, "conflict")
    assert_problem(await save_draft(admin, "new-invoice", CONTENT, first.headers["etag"]), 409, "conflict")
    etag = second.headers["etag"]
    responses = await asyncio.gather(*(save_draft(admin, "welcome", CONTENT, etag) for _ in range(8)))
    assert sorted(response.status_code for response in responses) == [200] + [409] * 7


async def test_an_invalid_draft_is_saved_with_diagnostics_and_not_published(service: Service) -> None:
    admin = await service.register_admin()
    saved = await save_draft(
        admin, "welcome", CONTENT | {"html": "<p>\n  {{ nmae }} {{ link }}</p>", "subject": "Hi {{ name }}"}
    )
    assert saved.status_code == 200
    [found] = [each for each in saved.json()["draft"]["diagnostics"] if each["severity"] == "error"]
    assert (found["part"], found["line"], found["column"], found["rule"]) == ("html", 2, 6, "unknown-variable")
    assert "name" in found["msg"]
    problem = assert_problem(await admin.post(f"{BASE}/welcome/publish"), 422, "template_invalid")
    assert [each["rule"] for each in problem["errors"] if each["severity"] == "error"] == ["unknown-variable"]
    template = (await admin.get(f"{BASE}/welcome")).json()
    assert template["published"] is None
    assert template["draft"]["html"] == "<p>\n  {{ nmae }} {{ link }}</p>"


async def test_a_published_version_is_immutable(service: Service) -> None:
    admin = await service.register_admin()
    await admin.post(BASE, NEW_TEMPLATE)
    await admin.post(f"{BASE}/hello/publish")
    for change in (
        "update gatepost.email_template_versions set version = 9",
        "delete from gatepost.email_template_versions",
    ):
        with pytest.raises(asyncpg.PostgresError, match="immutable"):
            await service.sql.execute(change)
    one = (await admin.get(f"{BASE}/hello/versions/1")).json()
    assert one["subject"] == CONTENT["subject"]
    assert one["published_by"] == f"user:{admin.user_id}"
    assert_problem(await admin.get(f"{BASE}/hello/versions/2"), 404, "not_found")


async def test_locales_fall_back(service: Service) -> None:
    admin = await service.register_admin()
    german = (await admin.post(f"{BASE}/welcome/preview?locale=de-AT", {})).json()
    assert german["subject"] == (await admin.post(f"{BASE}/welcome/preview?locale=de", {})).json()["subject"]
    english = (await admin.post(f"{BASE}/welcome/preview?locale=fr-CA", {})).json()
    assert english["subject"] == (await admin.post(f"{BASE}/welcome/preview", {})).json()["subject"]
    assert english["subject"] != german["subject"]
    assert_problem(await admin.get(f"{BASE}/welcome?locale=../en"), 422, "validation_failed")


async def test_a_new_locale_starts_with_the_variables_of_the_others(service: Service) -> None:
    admin = await service.register_admin()
    await admin.post(BASE, NEW_TEMPLATE)
    body = {"subject": "Hallo {{ name }}", "html": "<p>{{ link }}</p>"}
    saved = await admin.request("PUT", f"{BASE}/hello/draft?locale=de", json=body)
    assert saved.status_code == 200, saved.text
    assert [each["name"] for each in saved.json()["draft"]["variables"]] == ["name", "link"]
    assert saved.json()["draft"]["diagnostics"] == []
    assert saved.json()["locales"] == ["de", "en"]


async def test_a_hostile_value_is_rendered_as_text(service: Service) -> None:
    admin = await service.register_admin()
    name = ("<b>\u202eevil\r\nBcc: x@example.org {{ 7 * 7 }} =?utf-8?q?x?= 🎉" * 300)[:10_000]
    response = await admin.post(
        f"{BASE}/welcome/preview",
        CONTENT | {"text": None, "variables": {"name": name}, "declared": CONTENT["variables"]},
    )
    assert response.status_code == 200, response.text
    mail = response.json()
    assert "<b>" not in mail["html"]
    assert "\u202e" not in mail["html"] + mail["subject"] + mail["text"]
    assert "{{ 7 * 7 }}" in mail["html"]
    assert not any(character in mail["subject"] for character in "\r\n\u2028\u2029")
    assert "=?" not in mail["subject"]


@pytest.mark.parametrize(
    "html",
    [
        "{{ ''.__class__.__mro__ }}",
        "{% for a in range(10 ** 9) %}{% endfor %}",
        "{{ 'x'|center(300000000) }}",
        "{% autoescape false %}{{ name }}{% endautoescape %}",
        "{{ name|safe }}",
        "{% include 'x' %}",
        "{{ cycler.__init__ }}",
        "<script>alert(1)</script>",
        '<a href="javascript:alert(1)">x</a>',
        '<p onclick="x">x</p>',
    ],
)
async def test_hostile_templates_are_rejected(service: Service, html: str) -> None:
    admin = await service.register_admin()
    body = {"subject": "x", "html": html, "variables": {}}
    assert_problem(await admin.post(f"{BASE}/welcome/preview", body), 422, "template_invalid")
    await save_draft(admin, "welcome", CONTENT | {"html": html})
    assert_problem(await admin.post(f"{BASE}/welcome/publish"), 422, "template_invalid")


async def test_an_api_key_with_the_scope_may_write_templates(service: Service) -> None:
    admin = await service.register_admin()
    key = await service.create_api_key(admin, "templates:write")
    assert (await key.post(BASE, NEW_TEMPLATE)).status_code == 201
    assert (await key.post(f"{BASE}/hello/publish")).status_code == 201
    template = next(item for item in (await key.get(BASE)).json()["items"] if item["key"] == "hello")
    assert template["published_version"] == 1
    assert template["updated_by"].startswith("key:")


async def test_the_list_shows_which_locales_are_customised(service: Service) -> None:
    admin = await service.register_admin()
    await admin.request("PUT", f"{BASE}/welcome/draft?locale=fr", json=CONTENT)
    await admin.post(f"{BASE}?locale=de", NEW_TEMPLATE)

    async def list_locales() -> dict[str, tuple[list[str], list[str]]]:
        items = (await admin.get(BASE)).json()["items"]
        return {item["key"]: (item["locales"], item["changed"]) for item in items}

    listed = await list_locales()
    assert listed["welcome"] == (["de", "en", "fr"], ["fr"])
    assert listed["hello"] == (["de"], ["de"])
    assert listed["new-device"] == (["de", "en"], [])
    await admin.delete(f"{BASE}/welcome")
    assert (await list_locales())["welcome"] == (["de", "en"], [])


async def test_changes_of_another_editor_are_not_overwritten(service: Service) -> None:
    """An editor who started from a version that is no longer the current one gets a conflict, draft or not."""
    admin = await service.register_admin()
    initial_etag = (await admin.get(f"{BASE}/welcome")).headers["etag"]
    assert initial_etag == '"v0"'
    await save_draft(admin, "welcome", CONTENT, initial_etag)
    await admin.post(f"{BASE}/welcome/publish")
    assert_problem(await save_draft(admin, "welcome", CONTENT, initial_etag), 409, "conflict")

    current_etag = (await admin.get(f"{BASE}/welcome")).headers["etag"]
    assert current_etag == '"v1"'
    saved = await save_draft(admin, "welcome", CONTENT | {"subject": "Another"}, current_etag)
    assert saved.status_code == 200
    restore = f"{BASE}/welcome/versions/1/restore"
    assert_problem(await admin.post(restore), 428, "precondition_required")
    assert_problem(await admin.post(restore, headers={"If-Match": current_etag}), 409, "conflict")
    assert (await admin.post(restore, headers={"If-Match": saved.headers["etag"]})).status_code == 200


async def test_sample_values_are_stored_with_a_template(service: Service) -> None:
    admin = await service.register_admin()
    samples = {"name": "Ada", "items": [{"label": "Tea", "price": 2.5}], "lost": "\0"}
    assert (await admin.get(f"{BASE}/welcome")).json()["samples"] == {}
    saved = await admin.put(f"{BASE}/welcome/samples", {"variables": samples})
    assert saved.status_code == 204, saved.text
    template = (await admin.get(f"{BASE}/welcome?locale=de")).json()
    assert template["samples"] == samples | {"lost": " "}
    assert template["draft"] is None

    invalid_bodies: tuple[dict[str, Any], ...] = ({}, {"variables": []}, {"variables": {"name": "x" * 70_000}})
    for invalid in invalid_bodies:
        rejected = await admin.request("PUT", f"{BASE}/welcome/samples", json=invalid)
        assert_problem(rejected, 422, "validation_failed")
    assert_problem(await admin.request("PUT", f"{BASE}/nonsense/samples", json={"variables": {}}), 404, "not_found")
    await admin.delete(f"{BASE}/welcome")
    assert (await admin.get(f"{BASE}/welcome")).json()["samples"] == {}
