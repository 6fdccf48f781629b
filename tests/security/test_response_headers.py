"""The security headers of every kind of response (OWASP ASVS 3.2.1 and 3.4)."""

from __future__ import annotations

import pytest

from tests.support import Service, running_service
from tests.support.mail import queue_email, wait_for_status

CSP = "content-security-policy"


def policy(header: str) -> dict[str, str]:
    """Return the directives of a Content-Security-Policy."""
    return {name: value for name, _, value in (part.strip().partition(" ") for part in header.split(";"))}


@pytest.mark.parametrize(
    "path", ["/healthz", "/v1/me", "/nowhere", "/openapi.json", "/.well-known/jwks.json", "/", "/login", "/metrics"]
)
async def test_every_response_forbids_frames_sniffing_and_referrers(service: Service, path: str) -> None:
    response = await service.http.get(path, headers={"Accept": "text/html"})
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] in ("no-referrer", "same-origin")
    directives = policy(response.headers[CSP])
    assert directives["frame-ancestors"] == "'none'"
    assert directives["base-uri"] == "'none'"
    assert directives["default-src"] == "'none'"
    assert "unsafe" not in response.headers[CSP]
    assert response.headers["content-type"].startswith("text/html") == (path in ("/", "/login", "/nowhere"))


async def test_a_page_that_was_not_modified_keeps_its_policy(service: Service) -> None:
    """The headers of a 304 replace those that the browser has stored."""
    page = await service.http.get("/", headers={"Accept": "text/html"})
    response = await service.http.get("/", headers={"Accept": "text/html", "If-None-Match": page.headers["etag"]})
    assert response.status_code == 304
    for name in (CSP, "referrer-policy"):
        assert response.headers.get(name, page.headers[name]) == page.headers[name]


async def test_what_is_no_page_runs_nothing_even_if_a_browser_shows_it(service: Service) -> None:
    user = await service.register()
    for response in (await user.get("/v1/me"), await user.get("/v1/sessions"), await service.http.get("/v1/me")):
        assert "sandbox" in policy(response.headers[CSP])


async def test_rendered_email_is_sandboxed(service: Service) -> None:
    admin = await service.register_admin()
    email_id = await queue_email(service)
    await wait_for_status(service, email_id, "sent")
    for path in (f"/v1/emails/{email_id}/html", f"/v1/mailbox/{email_id}/html"):
        response = await admin.get(path)
        directives = policy(response.headers[CSP])
        assert directives["sandbox"] == ""
        assert directives["frame-ancestors"] == "'self'"
        assert "script-src" not in directives
        assert response.headers["referrer-policy"] == "no-referrer"


async def test_with_https_browsers_use_nothing_else(database_url: str) -> None:
    async with running_service(database_url, public_url="https://app.example.com") as service:
        for path in ("/", "/v1/me", "/nowhere"):
            hsts = (await service.http.get(path)).headers["strict-transport-security"]
            assert hsts == "max-age=31536000; includeSubDomains"


async def test_only_allowed_origins_may_read_responses(database_url: str) -> None:
    async with running_service(database_url, allowed_origins="https://spa.example.com") as service:
        for origin in ("https://evil.example", "null", "https://spa.example.com.evil.example"):
            response = await service.http.get("/v1/me", headers={"Origin": origin})
            assert "access-control-allow-origin" not in response.headers
        allowed = await service.http.get("/v1/me", headers={"Origin": "https://spa.example.com"})
        assert allowed.headers["access-control-allow-origin"] == "https://spa.example.com"


async def test_the_documentation_page_works_and_is_in_no_frame(service: Service) -> None:
    response = await service.http.get("/docs")
    assert response.status_code == 200
    directives = policy(response.headers[CSP])
    assert directives["frame-ancestors"] == "'none'"
    assert "default-src" not in directives
