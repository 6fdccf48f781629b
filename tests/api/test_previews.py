"""Previews over HTTP: as JSON for a program, as a page for a frame."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.post.workers import children_of
from tests.support import Service, admin, assert_problem

from gatepost.mail.rendering.language.filters import FILTERS, TESTS
from gatepost.mail.rendering.language.variables import ALWAYS_THERE

PREVIEW = "/v1/settings/email-templates/welcome/preview"
DECLARED = [
    {"name": "name", "type": "string", "example": "Ada"},
    {"name": "link", "type": "url", "example": "https://example.com/x"},
]


async def test_a_form_is_answered_by_a_page_that_can_run_nothing(service: Service) -> None:
    boss = await admin(service)
    form = {"subject": "x", "html": "<p>Hi {{ name }}</p>", "variables": '{"name": "<script>alert(1)</script>"}'}
    answer = await boss.request("POST", PREVIEW, data=form)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "<script" not in answer.text
    broken = await boss.request("POST", PREVIEW, data=form | {"html": "{{ <b>"})
    assert broken.status_code == 422
    assert broken.headers["content-security-policy"] == policy
    assert "<b>" not in broken.text
    odd = await boss.request("POST", PREVIEW, data=form | {"variables": "{"})
    assert (odd.status_code, odd.headers["content-security-policy"]) == (422, policy)
    plain = await boss.request("POST", PREVIEW, content=b"x", headers={"Content-Type": "text/plain"})
    assert_problem(plain, 415, "unsupported_media_type")


async def test_a_form_can_leave_the_text_to_the_html(service: Service) -> None:
    """A field left out is the draft's, and an empty one is empty: neither says null."""
    boss = await admin(service)
    words = {"subject": "Hi", "html": "<p>Hi</p>", "text": "{{ nonsense }}"}
    await boss.request("PUT", PREVIEW.replace("preview", "draft"), json=words)
    form = {"html": "<p>Hi</p>"}
    left_out = await boss.request("POST", PREVIEW, data=form)
    assert left_out.status_code == 422
    assert "text, line 1" in left_out.text
    for more in ({"text_from_html": "true"}, {"text_from_html": "true", "text": "{{ nonsense }}"}):
        made = await boss.request("POST", PREVIEW, data=form | more)
        assert made.status_code == 200, made.text
    kept = await boss.request("POST", PREVIEW, data=form | {"text_from_html": "false"})
    assert kept.status_code == 422


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
async def test_values_that_do_not_fit_are_refused(service: Service, values: dict[str, Any], name: str) -> None:
    boss = await admin(service)
    body = {"subject": "Hi", "html": "<p>{{ name }} {{ link }}</p>", "variables": values, "declared": DECLARED}
    problem = assert_problem(await boss.post(PREVIEW, body), 422, "validation_failed")
    assert problem["errors"][0]["loc"] == ["body", "variables", name]


@contextmanager
def no_rendering() -> Iterator[None]:
    """The processes that render stand still meanwhile."""
    rendering = [pid for pid in children_of(os.getpid()) if b"rendering" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert rendering
    for pid in rendering:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in rendering:
            os.kill(pid, signal.SIGCONT)


async def test_what_a_program_was_shown_its_frame_is_shown_without_another_rendering(service: Service) -> None:
    boss = await admin(service)
    html = "<p>\n  Hi {{ name }}\n</p>\n"
    shown = await boss.post(PREVIEW, {"subject": "Hi", "html": html, "variables": {"name": "Ada"}})
    with no_rendering():
        form = {"subject": "Hi", "html": html.replace("\n", "\r\n"), "variables": '{"name": "Ada"}'}
        framed = await boss.request("POST", PREVIEW, data=form)
        assert framed.text == shown.json()["html"]


async def test_a_page_can_be_looked_at_in_the_colours_that_are_forced_on_it(service: Service) -> None:
    boss = await admin(service)
    shown = await boss.request("POST", PREVIEW, data={"forced_dark": "true"})
    plain = await boss.request("POST", PREVIEW, data={"forced_dark": "false"})
    assert shown.text.startswith(plain.text)
    assert "filter: invert" in shown.text[len(plain.text) :]
    assert "sandbox" in shown.headers["content-security-policy"]


async def test_the_language_describes_everything_that_may_be_written(service: Service) -> None:
    boss = await admin(service)
    language = (await boss.get("/v1/settings/email-template-language")).json()
    assert {each["name"] for each in language["filters"]} == set(FILTERS)
    assert {each["name"] for each in language["tests"]} == set(TESTS)
    assert [each["name"] for each in language["variables"]] == list(ALWAYS_THERE)
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
        shown = await boss.post(PREVIEW, body)
        assert shown.status_code == 200, (each, shown.text)
