"""Cookies of our names are read from the raw header: no look-alike and no duplicate is ever used for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support import Device, Service, assert_problem, running_service

ORIGIN = "https://app.example.com"


@pytest.fixture
async def https_service(database_url: str) -> AsyncIterator[Service]:
    """A service whose cookies have the `__Host-` prefix."""
    async with running_service(database_url, public_url=ORIGIN) as service:
        yield service


def cookie(value: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"Cookie", value), (b"Origin", ORIGIN.encode())]


async def whose(service: Service, header: bytes) -> str | None:
    """Return the user of a request with a Cookie header; None if it is not signed in."""
    response = await service.http.get("/v1/me", headers=cookie(header))
    if response.status_code == 401:
        assert_problem(response, 401, "not_authenticated")
        return None
    return str(response.json()["user"]["id"])


@pytest.mark.parametrize(
    "name",
    [
        *(b"\xa0__Host-gatepost", b"__Host-gatepost\xa0", b"\x85__Host-gatepost", b"\xc2\xa0__Host-gatepost"),
        *(b"\xe2\x80\x83__Host-gatepost", b"\xef\xbb\xbf__Host-gatepost"),
        *(b"__host-gatepost", b'"__Host-gatepost"', b"__Host-gatepos\xf4", b"__Host-gatepost\xad", b"=__Host-gatepost"),
    ],
)
async def test_a_name_that_only_looks_like_ours_is_never_used(https_service: Service, name: bytes) -> None:
    victim, attacker = await https_service.register(), await https_service.register()
    planted = name + b"=" + attacker.access_token.encode()
    own = b"__Host-gatepost=" + victim.access_token.encode()
    assert await whose(https_service, planted) is None
    assert await whose(https_service, planted + b"; " + own) == str(victim.user_id)
    assert await whose(https_service, own + b"; " + planted) == str(victim.user_id)


async def test_of_two_cookies_with_our_name_neither_is_used(https_service: Service) -> None:
    one, other = (await https_service.register(), await https_service.register())
    pairs = [b"__Host-gatepost=" + each.access_token.encode() for each in (one, other)]
    assert await whose(https_service, pairs[0]) == str(one.user_id)
    assert await whose(https_service, b"; ".join(pairs)) is None
    assert await whose(https_service, b"; ".join([pairs[0], b"__Host-gatepost="])) is None
    two_headers = [*cookie(pairs[0]), *cookie(pairs[1])[:1]]
    assert_problem(await https_service.http.get("/v1/me", headers=two_headers), 401, "not_authenticated")


@pytest.mark.parametrize("value", [b'"%s"', b"%s\xa0", b"\xa0%s", b"%s\xff", b"%s x", b"%s\\x"])
async def test_a_value_that_we_never_set_is_no_token(https_service: Service, value: bytes) -> None:
    user = await https_service.register()
    assert await whose(https_service, b"__Host-gatepost=" + value % user.access_token.encode()) is None


async def test_spaces_and_other_cookies_around_ours_do_not_matter(https_service: Service) -> None:
    user = await https_service.register()
    token = user.access_token.encode()
    for header in (b"a=b; __Host-gatepost=%s;c=d", b";;\t__Host-gatepost=%s ;", b"a;b=\xff\xfe; __Host-gatepost=%s"):
        assert await whose(https_service, header % token) == str(user.user_id)


def refresh(service: Service, device: Device, name: bytes) -> list[tuple[bytes, bytes]]:
    return cookie(name + b"=" + device.refresh_token.encode())


async def test_a_refresh_cookie_is_read_as_strictly(https_service: Service) -> None:
    user = await https_service.register()
    for name in (b"\xa0__Host-gatepost_refresh", b"__Host-gatepost_refresh\x85"):
        headers = refresh(https_service, user, name)
        assert_problem(await https_service.http.post("/v1/auth/refresh", headers=headers), 401, "not_authenticated")
        assert (await https_service.http.post("/v1/auth/logout", headers=headers)).status_code == 204
    assert (await user.get("/v1/me")).status_code == 200
    exact = refresh(https_service, user, b"__Host-gatepost_refresh")
    assert (await https_service.http.post("/v1/auth/refresh", headers=exact)).status_code == 200
