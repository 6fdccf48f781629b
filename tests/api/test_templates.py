"""Templates over HTTP: read, drafted, previewed, published, restored and taken back."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.support import Device, Service, admin, assert_problem

BASE = "/v1/settings/email-templates"
KEYS = [
    "new-device",
    "new-invoice",
    "reset-password",
    "session-revoked",
    "suspicious-refresh",
    "verify-email",
    "welcome",
]
WORDS: dict[str, Any] = {
    "subject": "Hello {{ name }}",
    "html": '<p>Hello {{ name }}, see <a href="{{ link }}">this</a>.</p>',
    "variables": [
        {"name": "name", "type": "string", "example": "Ada"},
        {"name": "link", "type": "url", "example": "https://example.com/x"},
    ],
}
NEW: dict[str, Any] = WORDS | {"key": "hello", "name": "Hello"}


async def put(boss: Device, key: str, body: dict[str, Any], tag: str | None = None) -> Any:
    headers = {"If-Match": tag} if tag else {}
    return await boss.request("PUT", f"{BASE}/{key}/draft", json=body, headers=headers)


async def test_the_story(service: Service) -> None:
    """An admin changes the words, sees what would be sent, publishes, changes again, and goes back."""
    boss = await admin(service)
    listed = (await boss.get(BASE)).json()["items"]
    assert [item["key"] for item in listed] == KEYS
    assert {item["source"] for item in listed} == {"builtin"}

    there = (await boss.get(f"{BASE}/welcome")).json()
    words = {part: there["default"][part] for part in ("subject", "preheader", "html", "text")}
    saved = await put(boss, "welcome", words | {"subject": "Good to have you, {{ name }}"})
    assert saved.status_code == 200, saved.text
    preview = await boss.post(f"{BASE}/welcome/preview", {"variables": {"name": "Ada & Bob"}})
    assert preview.status_code == 200, preview.text
    assert preview.json()["subject"] == "Good to have you, Ada & Bob"
    assert preview.json()["sender"] == "Gatepost <no-reply@example.com>"
    assert preview.json()["size_bytes"] == len(preview.json()["html"].encode())

    first = await boss.post(f"{BASE}/welcome/publish")
    assert (first.status_code, first.json()) == (201, {"version": 1})
    await put(boss, "welcome", words | {"subject": "Second"})
    assert (await boss.post(f"{BASE}/welcome/publish")).json() == {"version": 2}
    assert [each["version"] for each in (await boss.get(f"{BASE}/welcome/versions")).json()["items"]] == [2, 1]
    restored = await boss.post(f"{BASE}/welcome/versions/1/restore")
    assert restored.json()["draft"]["subject"] == "Good to have you, {{ name }}"
    assert (await boss.post(f"{BASE}/welcome/publish")).json() == {"version": 3}
    third = (await boss.get(f"{BASE}/welcome")).json()["published"]
    assert (third["version"], third["subject"]) == (3, "Good to have you, {{ name }}")
    assert (await boss.delete(f"{BASE}/welcome")).status_code == 204
    there = (await boss.get(f"{BASE}/welcome")).json()
    assert (there["draft"], there["published"]) == (None, None)
    acts = (await boss.get("/v1/admin/audit?target=template:welcome")).json()["items"]
    assert [act["action"].partition(".")[2] for act in acts] == [
        "reset",
        "published",
        "restored",
        "published",
        "drafted",
        "published",
        "drafted",
    ]
    assert acts[0]["actor"] == f"person:{boss.user_id}"


async def test_every_operation_is_for_writers_alone(service: Service) -> None:
    person = await service.register()
    document = (await service.http.get("/openapi.json")).json()
    walked = 0
    for path, operations in document["paths"].items():
        if path.startswith("/v1/settings/email-template"):
            for method, operation in operations.items():
                url = path.replace("{key}", "welcome").replace("{version}", "1")
                options: dict[str, Any] = {"json": NEW} if "requestBody" in operation else {}
                assert_problem(await service.http.request(method, url, **options), 401, "not_authenticated")
                assert_problem(await person.request(method.upper(), url, **options), 403, "forbidden")
                walked += 1
    assert walked == 13


async def test_a_template_of_ones_own(service: Service) -> None:
    boss = await admin(service)
    made = await boss.post(BASE, NEW)
    assert made.status_code == 201, made.text
    assert made.json()["source"] == "custom"
    assert made.headers["etag"] == f'"{made.json()["draft"]["etag"]}"'
    assert made.json()["draft"]["diagnostics"] == []
    assert_problem(await boss.post(BASE, NEW), 409, "conflict")
    assert_problem(await boss.post(BASE, NEW | {"key": "welcome"}), 409, "conflict")
    assert (await boss.post(f"{BASE}/hello/publish")).status_code == 201
    assert (await boss.delete(f"{BASE}/hello")).status_code == 204
    assert_problem(await boss.get(f"{BASE}/hello"), 404, "not_found")
    again = await boss.post(BASE, NEW)
    assert again.status_code == 201
    assert (await boss.post(f"{BASE}/hello/publish")).json() == {"version": 2}


async def test_a_draft_is_not_overwritten_unseen(service: Service) -> None:
    boss = await admin(service)
    first = await put(boss, "welcome", WORDS)
    assert_problem(await put(boss, "welcome", WORDS), 428, "precondition_required")
    second = await put(boss, "welcome", WORDS, first.headers["etag"])
    assert second.status_code == 200
    assert_problem(await put(boss, "welcome", WORDS, first.headers["etag"]), 409, "conflict")
    assert_problem(await put(boss, "welcome", WORDS, '"nonsense"'), 409, "conflict")
    assert_problem(await put(boss, "new-invoice", WORDS, first.headers["etag"]), 409, "conflict")
    tag = second.headers["etag"]
    answers = await asyncio.gather(*(put(boss, "welcome", WORDS, tag) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


async def test_a_broken_draft_is_kept_and_told_of_but_never_published(service: Service) -> None:
    boss = await admin(service)
    saved = await put(boss, "welcome", WORDS | {"html": "<p>\n  {{ nmae }} {{ link }}</p>", "subject": "Hi {{ name }}"})
    assert saved.status_code == 200
    [found] = [each for each in saved.json()["draft"]["diagnostics"] if each["severity"] == "error"]
    assert (found["part"], found["line"], found["column"], found["rule"]) == ("html", 2, 6, "unknown-variable")
    assert "name" in found["msg"]
    problem = assert_problem(await boss.post(f"{BASE}/welcome/publish"), 422, "template_invalid")
    assert [each["rule"] for each in problem["errors"] if each["severity"] == "error"] == ["unknown-variable"]
    there = (await boss.get(f"{BASE}/welcome")).json()
    assert there["published"] is None
    assert there["draft"]["html"] == "<p>\n  {{ nmae }} {{ link }}</p>"


async def test_a_published_version_never_changes(service: Service) -> None:
    boss = await admin(service)
    await boss.post(BASE, NEW)
    await boss.post(f"{BASE}/hello/publish")
    for change in (
        "update gatepost.email_template_versions set version = 9",
        "delete from gatepost.email_template_versions",
    ):
        with pytest.raises(Exception, match="never changes"):
            await service.sql.execute(change)
    one = (await boss.get(f"{BASE}/hello/versions/1")).json()
    assert one["subject"] == WORDS["subject"]
    assert one["published_by"] == f"person:{boss.user_id}"
    assert_problem(await boss.get(f"{BASE}/hello/versions/2"), 404, "not_found")


async def test_languages_fall_back(service: Service) -> None:
    boss = await admin(service)
    german = (await boss.post(f"{BASE}/welcome/preview?locale=de-AT", {})).json()
    assert german["subject"] == (await boss.post(f"{BASE}/welcome/preview?locale=de", {})).json()["subject"]
    english = (await boss.post(f"{BASE}/welcome/preview?locale=fr-CA", {})).json()
    assert english["subject"] == (await boss.post(f"{BASE}/welcome/preview", {})).json()["subject"]
    assert english["subject"] != german["subject"]
    assert_problem(await boss.get(f"{BASE}/welcome?locale=../en"), 422, "validation_failed")


async def test_a_new_language_begins_with_what_the_others_declare(service: Service) -> None:
    boss = await admin(service)
    await boss.post(BASE, NEW)
    body = {"subject": "Hallo {{ name }}", "html": "<p>{{ link }}</p>"}
    saved = await boss.request("PUT", f"{BASE}/hello/draft?locale=de", json=body)
    assert saved.status_code == 200, saved.text
    assert [each["name"] for each in saved.json()["draft"]["variables"]] == ["name", "link"]
    assert saved.json()["draft"]["diagnostics"] == []
    assert saved.json()["locales"] == ["de", "en"]


async def test_a_name_is_a_name_and_nothing_else(service: Service) -> None:
    boss = await admin(service)
    name = ("<b>\u202eevil\r\nBcc: x@example.org {{ 7 * 7 }} =?utf-8?q?x?= 🎉" * 300)[:10_000]
    answer = await boss.post(
        f"{BASE}/welcome/preview", WORDS | {"text": None, "variables": {"name": name}, "declared": WORDS["variables"]}
    )
    assert answer.status_code == 200, answer.text
    mail = answer.json()
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
async def test_what_a_hostile_author_writes_is_refused(service: Service, html: str) -> None:
    boss = await admin(service)
    body = {"subject": "x", "html": html, "variables": {}}
    assert_problem(await boss.post(f"{BASE}/welcome/preview", body), 422, "template_invalid")
    await put(boss, "welcome", WORDS | {"html": html})
    assert_problem(await boss.post(f"{BASE}/welcome/publish"), 422, "template_invalid")


async def test_a_key_with_the_scope_writes(service: Service) -> None:
    boss = await admin(service)
    made = await boss.post("/v1/admin/api-keys", {"name": "words", "scopes": ["templates:write"]})
    key = Device(boss.http, "", {"access_token": made.json()["secret"]})
    assert (await key.post(BASE, NEW)).status_code == 201
    assert (await key.post(f"{BASE}/hello/publish")).status_code == 201
    entry = next(item for item in (await key.get(BASE)).json()["items"] if item["key"] == "hello")
    assert entry["published_version"] == 1
    assert entry["updated_by"].startswith("key:")


async def test_the_list_tells_which_words_are_somebodys_own(service: Service) -> None:
    boss = await admin(service)
    await boss.request("PUT", f"{BASE}/welcome/draft?locale=fr", json=WORDS)
    await boss.post(f"{BASE}?locale=de", NEW)

    async def languages() -> dict[str, tuple[list[str], list[str]]]:
        items = (await boss.get(BASE)).json()["items"]
        return {item["key"]: (item["locales"], item["changed"]) for item in items}

    listed = await languages()
    assert listed["welcome"] == (["de", "en", "fr"], ["fr"])
    assert listed["hello"] == (["de"], ["de"])
    assert listed["new-device"] == (["de", "en"], [])
    await boss.delete(f"{BASE}/welcome")
    assert (await languages())["welcome"] == (["de", "en"], [])


async def test_no_words_are_lost_between_two_editors(service: Service) -> None:
    """Somebody who began with what another has published over since learns of it, draft or not."""
    boss = await admin(service)
    began = (await boss.get(f"{BASE}/welcome")).headers["etag"]
    assert began == '"v0"'
    await put(boss, "welcome", WORDS, began)
    await boss.post(f"{BASE}/welcome/publish")
    assert_problem(await put(boss, "welcome", WORDS, began), 409, "conflict")

    now = (await boss.get(f"{BASE}/welcome")).headers["etag"]
    assert now == '"v1"'
    saved = await put(boss, "welcome", WORDS | {"subject": "Another"}, now)
    assert saved.status_code == 200
    restore = f"{BASE}/welcome/versions/1/restore"
    assert_problem(await boss.post(restore), 428, "precondition_required")
    assert_problem(await boss.post(restore, headers={"If-Match": now}), 409, "conflict")
    assert (await boss.post(restore, headers={"If-Match": saved.headers["etag"]})).status_code == 200


async def test_sample_values_are_kept_with_a_template(service: Service) -> None:
    boss = await admin(service)
    samples = {"name": "Ada", "items": [{"label": "Tea", "price": 2.5}], "lost": "\0\ud800"}
    assert (await boss.get(f"{BASE}/welcome")).json()["samples"] == {}
    body = json.dumps({"variables": samples})
    kept = await boss.request(
        "PUT", f"{BASE}/welcome/samples", content=body, headers={"Content-Type": "application/json"}
    )
    assert kept.status_code == 204, kept.text
    there = (await boss.get(f"{BASE}/welcome?locale=de")).json()
    assert there["samples"] == samples | {"lost": " \N{REPLACEMENT CHARACTER}"}
    assert there["draft"] is None

    nonsense: tuple[dict[str, Any], ...] = ({}, {"variables": []}, {"variables": {"name": "x" * 70_000}})
    for wrong in nonsense:
        refused = await boss.request("PUT", f"{BASE}/welcome/samples", json=wrong)
        assert_problem(refused, 422, "validation_failed")
    assert_problem(await boss.request("PUT", f"{BASE}/nonsense/samples", json={"variables": {}}), 404, "not_found")
    await boss.delete(f"{BASE}/welcome")
    assert (await boss.get(f"{BASE}/welcome")).json()["samples"] == {}
