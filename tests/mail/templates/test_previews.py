"""Previews over HTTP: as JSON, and as a page for an iframe."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gatepost.mail.rendering.language.filters import FILTERS, TESTS
from gatepost.mail.rendering.language.variables import BUILT_IN_VARIABLES
from tests.support import Service, assert_problem
from tests.support.processes import children

PREVIEW = "/v1/settings/email-templates/welcome/preview"
DECLARED = [
    {"name": "name", "type": "string", "example": "Ada"},
    {"name": "link", "type": "url", "example": "https://example.com/x"},
]


async def test_a_form_is_answered_by_a_sandboxed_page(service: Service) -> None:
    admin = await service.register_admin()
    form = {"subject": "x", "html": "<p>Hi {{ name }}</p>", "variables": '{"name": "<script>alert(1)</script>"}'}
    response = await admin.request("POST", PREVIEW, data=form)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/html")
    policy = response.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "<script" not in response.text
    broken = await admin.request("POST", PREVIEW, data=form | {"html": "{{ <b>"})
    assert broken.status_code == 422
    assert broken.headers["content-security-policy"] == policy
    assert "<b>" not in broken.text
    invalid = await admin.request("POST", PREVIEW, data=form | {"variables": "{"})
    assert (invalid.status_code, invalid.headers["content-security-policy"]) == (422, policy)
    unsupported = await admin.request("POST", PREVIEW, content=b"x", headers={"Content-Type": "text/plain"})
    assert_problem(unsupported, 415, "unsupported_media_type")


async def test_the_text_can_be_generated_from_the_html(service: Service) -> None:
    """A missing field is the draft's and an empty field is empty, so a form cannot send null for the text."""
    admin = await service.register_admin()
    draft = {"subject": "Hi", "html": "<p>Hi</p>", "text": "{{ nonsense }}"}
    await admin.request("PUT", PREVIEW.replace("preview", "draft"), json=draft)
    form = {"html": "<p>Hi</p>"}
    left_out = await admin.request("POST", PREVIEW, data=form)
    assert left_out.status_code == 422
    assert "text, line 1" in left_out.text
    for fields in ({"text_from_html": "true"}, {"text_from_html": "true", "text": "{{ nonsense }}"}):
        response = await admin.request("POST", PREVIEW, data=form | fields)
        assert response.status_code == 200, response.text
    from_draft = await admin.request("POST", PREVIEW, data=form | {"text_from_html": "false"})
    assert from_draft.status_code == 422


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"link": "javascript:alert(1)"}, "link"),
        ({"link": "//example.com"}, "link"),
        ({"name": {"a": 1}}, "name"),
        ({"nonsense": "x"}, "nonsense"),
        ({"name": 7}, "name"),
    ],
)
async def test_invalid_values_are_rejected(service: Service, values: dict[str, Any], name: str) -> None:
    admin = await service.register_admin()
    body = {"subject": "Hi", "html": "<p>{{ name }} {{ link }}</p>", "variables": values, "declared": DECLARED}
    problem = assert_problem(await admin.post(PREVIEW, body), 422, "validation_failed")
    assert problem["errors"][0]["loc"] == ["body", "variables", name]


@contextmanager
def paused_renderers() -> Iterator[None]:
    """Stop the sandbox processes until the end of the block."""
    renderers = [pid for pid in children(os.getpid()) if b"rendering" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert renderers
    for pid in renderers:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in renderers:
            os.kill(pid, signal.SIGCONT)


async def test_a_page_for_a_preview_that_was_just_rendered_is_not_rendered_again(service: Service) -> None:
    admin = await service.register_admin()
    html = "<p>\n  Hi {{ name }}\n</p>\n"
    shown = await admin.post(PREVIEW, {"subject": "Hi", "html": html, "variables": {"name": "Ada"}})
    with paused_renderers():
        form = {"subject": "Hi", "html": html.replace("\n", "\r\n"), "variables": '{"name": "Ada"}'}
        framed = await admin.request("POST", PREVIEW, data=form)
        assert framed.text == shown.json()["html"]


async def test_a_page_can_be_shown_in_forced_dark_colours(service: Service) -> None:
    admin = await service.register_admin()
    shown = await admin.request("POST", PREVIEW, data={"forced_dark": "true"})
    plain = await admin.request("POST", PREVIEW, data={"forced_dark": "false"})
    assert shown.text.startswith(plain.text)
    assert "filter: invert" in shown.text[len(plain.text) :]
    assert "sandbox" in shown.headers["content-security-policy"]


async def test_the_language_endpoint_describes_every_filter_test_and_variable(service: Service) -> None:
    admin = await service.register_admin()
    language = (await admin.get("/v1/settings/email-template-language")).json()
    assert {each["name"] for each in language["filters"]} == set(FILTERS)
    assert {each["name"] for each in language["tests"]} == set(TESTS)
    assert [each["name"] for each in language["variables"]] == list(BUILT_IN_VARIABLES)
    declared = [
        {"name": "name", "example": "x"},
        {"name": "code", "example": "x"},
        {"name": "currency", "example": "x"},
        {"name": "status", "example": "x"},
        {"name": "note", "example": "x"},
        {"name": "amount", "type": "number", "example": 1},
        {"name": "balance", "type": "number", "example": -1},
        {"name": "items", "type": "list", "example": ["a"]},
    ]
    for each in language["filters"]:
        body = {"html": each["example"], "text": None, "declared": declared, "variables": {"name": "Ada"}}
        shown = await admin.post(PREVIEW, body)
        assert shown.status_code == 200, (each, shown.text)


async def test_a_preview_has_the_text_before_its_variables_are_filled_in(service: Service) -> None:
    admin = await service.register_admin()
    body = {"html": "<p>Hello {{ name }}</p>", "text": None, "declared": DECLARED, "variables": {"name": "Bob"}}
    generated = (await admin.request("POST", PREVIEW, json=body)).json()
    assert "Hello Bob" in generated["text"]
    assert "Hello {{ name }}" in generated["text_source"]
    written = (await admin.request("POST", PREVIEW, json=body | {"text": "Hi {{ name }}."})).json()
    assert (written["text"].strip(), written["text_source"]) == ("Hi Bob.", "Hi {{ name }}.")
