"""The headers that tell a browser what it may do with a response, on every operation (OWASP ASVS 3.2.1 and 3.4)."""

from __future__ import annotations

import httpx
import pytest

from tests.support import PASSWORD, Service, running_service
from tests.support.forgery import bearer
from tests.support.operations import OPERATIONS, create_belongings, request_for


def assert_headers(response: httpx.Response, where: str) -> None:
    headers = response.headers
    assert headers["x-content-type-options"] == "nosniff", where
    assert headers["x-request-id"], where
    assert "server" not in headers, where
    assert "x-powered-by" not in headers, where
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy, where
    assert "frame-ancestors 'none'" in policy or "frame-ancestors 'self'" in policy, where
    if headers.get("content-type", "").startswith("text/html"):
        # The HTML of an email: not a page of ours, although it comes from our origin.
        assert policy.startswith("sandbox; "), where
        assert "script-src" not in policy, where
        assert "allow-" not in policy, where
        assert headers["referrer-policy"] == "no-referrer", where
    elif response.content:
        assert "charset=utf-8" in headers["content-type"] or "json" in headers["content-type"], where


async def test_every_response_of_the_api_has_its_headers(database_url: str) -> None:
    async with running_service(database_url) as service:
        admin = await service.register_admin()
        theirs = await create_belongings(service, admin)
        headers = bearer(admin.access_token)
        for operation in OPERATIONS.values():
            if operation.id != "logout":
                signed_in = await service.http.request(**request_for(operation, theirs), headers=headers)
                anonymous = await service.http.request(**request_for(operation, theirs))
                for response in (signed_in, anonymous):
                    assert_headers(response, f"{operation.id}: {response.status_code}")
                    cached = operation.id == "list_public_keys"
                    expected = "public, max-age=600" if cached else "no-store"
                    assert response.headers["cache-control"] == expected, operation.id
        for path in ("/v1/nothing", "/v1/sessions/x/y", "/healthz/x"):
            assert_headers(await service.http.get(path), path)


async def test_the_html_of_an_email_and_of_a_preview_is_sandboxed(database_url: str) -> None:
    async with running_service(database_url) as service:
        admin = await service.register_admin()
        theirs = await create_belongings(service, admin)
        for path in (f"/v1/emails/{theirs.email_id}/html", f"/v1/mailbox/{theirs.email_id}/html"):
            response = await admin.get(path)
            assert response.headers["content-type"].startswith("text/html")
            assert_headers(response, path)
        preview = await admin.request(
            "POST",
            f"/v1/settings/email-templates/{theirs.template}/preview",
            data={"html": "<script>alert(1)</script><p>Hi</p>", "subject": "Hi"},
        )
        assert preview.headers["content-type"].startswith("text/html")
        assert_headers(preview, "preview")


@pytest.mark.parametrize("public_url", ["https://app.example.com", "http://app.example.com", None])
async def test_https_is_demanded_where_it_is_spoken(database_url: str, public_url: str | None) -> None:
    async with running_service(database_url, public_url=public_url) as service:
        for path in ("/healthz", "/v1/me", "/v1/nothing", "/"):
            response = await service.http.get(path, headers={"Host": "app.example.com"} if public_url else {})
            found = response.headers.get("strict-transport-security")
            assert (found is not None) == (public_url is not None and public_url.startswith("https"))
            if found:
                assert int(found.partition("max-age=")[2].partition(";")[0]) >= 365 * 24 * 3600


async def test_a_page_of_the_api_is_no_script(service: Service) -> None:
    """A response cannot be loaded as a script or a style, nor guessed to be HTML."""
    user = await service.register(device_name="<script>alert(1)</script>")
    response = await user.get("/v1/sessions", headers={"Accept": "text/html"})
    assert response.headers["content-type"] == "application/json"
    form = {"email": "<script>alert(1)</script>", "password": PASSWORD}
    rejected = await service.http.post("/v1/auth/login", json=form, headers={"Accept": "text/html"})
    assert rejected.headers["content-type"] == "application/problem+json"
    for callback in ("callback", "jsonp", "cb"):
        wrapped = await user.get("/v1/sessions", params={callback: "alert"})
        assert "alert" not in wrapped.text.replace("alert(1)", "")
