"""The service sends nobody to another site (OWASP ASVS 3.7.2). The pages' own redirects are tested in tests/e2e."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from tests.support import PASSWORD, Service
from tests.support.operations import OPERATIONS

SENDS_NO_MAIL = True

TARGETS = ["https://evil.example", "//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)"]
NAMES = ["redirect", "redirect_to", "next", "return_to", "url", "continue", "to"]


async def test_no_response_leads_to_another_site(service: Service) -> None:
    own = urlsplit(str(service.http.base_url)).netloc
    paths = ["/", "/login", "/docs", *(operation.path for operation in OPERATIONS.values())]
    paths += [f"{path}/" for path in paths]
    paths += [f"/{target}" for target in TARGETS] + [f"/{target}/.." for target in TARGETS]
    paths += [f"{path}?{name}={quote(target)}" for path in ("/", "/login") for name in NAMES for target in TARGETS]
    for path in paths:
        for headers in ({"Accept": "text/html"}, {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}):
            response = await service.http.get(path, headers=headers, follow_redirects=False)
            location = response.headers.get("location")
            if location is not None:
                assert urlsplit(location).netloc in ("", own), (path, location)
                assert not location.startswith(("//", "/\\")), (path, location)
            assert "refresh" not in response.headers


async def test_signing_in_over_http_redirects_nowhere(service: Service) -> None:
    user = await service.register()
    form = {"email": user.email, "password": PASSWORD, **dict.fromkeys(NAMES, "https://evil.example")}
    response = await service.http.post("/v1/auth/login?next=https://evil.example", json=form)
    assert response.status_code in (200, 422)
    assert "location" not in response.headers
    assert "evil.example" not in response.text
