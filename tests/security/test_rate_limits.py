"""Guessing is slowed down, whoever guesses from wherever, and never keeps the owner out (OWASP ASVS 6.1.1, 6.3.1)."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import redis

from gatepost.security import LinkTokens
from tests.support import PASSWORD, Device, Service, assert_problem, running_service
from tests.support.cli import started_process
from tests.support.database import connect
from tests.support.mail import pause_mail

_LIMITED: dict[str, Any] = {"environment": "development", "trusted_proxies": "127.0.0.1"}
_INTERVAL = 30


@asynccontextmanager
async def _limited_service(database_url: str, **changes: Any) -> AsyncIterator[Service]:
    async with running_service(database_url, **_LIMITED, **changes) as service:
        await pause_mail(service)
        yield service


@pytest.fixture
async def limited(database_url: str) -> AsyncIterator[Service]:
    """A service that limits attempts, and believes the IP addresses that the tests send."""
    async with _limited_service(database_url) as service:
        yield service


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = (
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(tmp_path_factory.mktemp("redis")),
    )
    with subprocess.Popen(["redis-server", *arguments], stdout=subprocess.DEVNULL) as server:
        client = redis.Redis(port=port)
        while not _answers(client):
            assert server.poll() is None
        client.close()
        yield f"redis://127.0.0.1:{port}/0"
        server.terminate()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


async def _log_in(
    http: httpx.AsyncClient, email: str, password: str = "a wrong password", ip: str = "203.0.113.1", **form: Any
) -> httpx.Response:
    body = {"email": email, "password": password, **form}
    return await http.post("/v1/auth/login", json=body, headers={"X-Forwarded-For": ip})


async def _use_up(service: Service, email: str) -> None:
    """Guess from many networks at once until the account's attempts are used up."""
    guesses = [_log_in(service.http, email, ip=f"198.51.100.{number}") for number in range(20)]
    statuses = Counter(response.status_code for response in await asyncio.gather(*guesses))
    assert statuses == {401: 10, 429: 10}


@asynccontextmanager
async def _known_browser(service: Service, user: Device) -> AsyncIterator[httpx.AsyncClient]:
    async with service.browser() as browser:
        response = await _log_in(browser, user.email, PASSWORD, transport="cookie")
        assert response.status_code == 200, response.text
        yield browser


async def test_guesses_from_many_networks_count_together(limited: Service) -> None:
    user = await limited.register()
    await _use_up(limited, user.email)
    assert_problem(await _log_in(limited.http, user.email, PASSWORD, "192.0.2.9"), 429, "rate_limited")


async def test_missing_accounts_are_limited_alike(limited: Service) -> None:
    await _use_up(limited, "nobody@example.com")


async def test_processes_count_together(database_url: str, limited: Service) -> None:
    user = await limited.register()
    async with running_service(database_url, **_LIMITED) as other:
        guesses = [_log_in(each.http, user.email) for each in (limited, other) for _ in range(15)]
        statuses = Counter(response.status_code for response in await asyncio.gather(*guesses))
    assert statuses == {401: 10, 429: 20}


async def test_an_attempt_becomes_possible_every_thirty_seconds_instead_of_a_lock(limited: Service) -> None:
    user = await limited.register()
    await _use_up(limited, user.email)
    rejected = await _log_in(limited.http, user.email)
    assert 0 < int(rejected.headers["retry-after"]) <= _INTERVAL
    # Rejected attempts do not extend the wait: time passes, and one attempt is allowed.
    query = "update gatepost.rate_limits set empty_at = empty_at - make_interval(secs => $1)"
    await limited.sql.execute(query, _INTERVAL)
    statuses = [(await _log_in(limited.http, user.email)).status_code for _ in range(2)]
    assert statuses == [401, 429]


async def test_waits_get_longer_while_guessing_goes_on(limited: Service) -> None:
    user = await limited.register()
    query = "update gatepost.rate_limits set empty_at = empty_at - make_interval(secs => $1)"
    waits = []
    for _ in range(7):
        responses = await asyncio.gather(*(_log_in(limited.http, user.email) for _ in range(12)))
        waits.append(max(int(each.headers.get("retry-after", 0)) for each in responses))
        await limited.sql.execute(query, 300)
    assert 0 < waits[0] <= _INTERVAL
    assert _INTERVAL < waits[-1] <= 300


async def test_wrong_passwords_of_others_never_lock_out_a_known_device(limited: Service) -> None:
    user = await limited.register()
    async with _known_browser(limited, user) as browser:
        await _use_up(limited, user.email)
        assert_problem(await _log_in(limited.http, user.email, PASSWORD), 429, "rate_limited")
        # Not even from the owner's own network.
        await limited.sql.execute("update gatepost.rate_limits set empty_at = now() + interval '1 year'")
        assert (await _log_in(browser, user.email, PASSWORD, transport="cookie")).status_code == 200


async def test_a_known_device_has_a_limit_of_its_own(limited: Service) -> None:
    user = await limited.register()
    async with _known_browser(limited, user) as browser:
        statuses = [(await _log_in(browser, user.email, transport="cookie")).status_code for _ in range(12)]
        assert statuses == [401] * 10 + [429] * 2
    assert (await _log_in(limited.http, user.email, PASSWORD)).status_code == 200


async def test_a_device_known_to_one_user_is_not_known_to_another(limited: Service) -> None:
    user, other = await limited.register(), await limited.register()
    async with _known_browser(limited, other) as browser:
        await _use_up(limited, user.email)
        assert_problem(await _log_in(browser, user.email, PASSWORD, transport="cookie"), 429, "rate_limited")


async def test_wrong_passwords_of_others_do_not_hinder_a_session(limited: Service) -> None:
    user = await limited.register()
    await _use_up(limited, user.email)
    assert (await user.post("/v1/auth/reauthenticate", {"password": PASSWORD})).status_code == 204
    statuses = [(await user.post("/v1/auth/reauthenticate", {"password": "wrong"})).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]


async def _try_links(service: Service, addresses: list[str]) -> Counter[int]:
    requests = [
        service.http.post("/v1/auth/email/verify", json={"token": "x"}, headers={"X-Forwarded-For": ip})
        for ip in addresses
    ]
    return Counter(response.status_code for response in await asyncio.gather(*requests))


async def test_an_ipv6_network_of_64_bits_is_one_client(limited: Service) -> None:
    statuses = await _try_links(limited, [f"2001:db8:1:1::{number:x}" for number in range(90)])
    # Some more than 60 on a slow machine: one every five seconds.
    assert statuses[404] >= 60
    assert statuses[429] > 0
    assert await _try_links(limited, ["2001:db8:1:2::1"]) == {404: 1}


async def test_an_ipv6_network_of_48_bits_has_a_limit_too(limited: Service) -> None:
    statuses = await _try_links(limited, [f"2001:db8:2:{number:x}::1" for number in range(400)])
    assert statuses[404] >= 300
    assert statuses[429] > 0
    assert await _try_links(limited, ["2001:db8:3::1"]) == {404: 1}


async def test_an_ipv4_address_in_ipv6_form_is_one_client(limited: Service) -> None:
    mapped = [f"::ffff:198.51.100.{number}" for number in range(70)]
    assert await _try_links(limited, mapped) == {404: 70}
    assert (await _try_links(limited, ["198.51.100.1"] * 90))[429] > 0


@pytest.mark.parametrize(
    ("path", "template", "is_confirmed"),
    [
        ("/v1/auth/password/forgot", "reset-password", True),
        ("/v1/auth/register", "account-exists", True),
        ("/v1/auth/register", "verify-email", False),
    ],
)
async def test_emails_with_links_are_limited_under_parallel_requests(
    database_url: str, path: str, template: str, is_confirmed: bool
) -> None:
    async with _limited_service(database_url, registration="confirm") as service:
        await service.http.post("/v1/auth/register", json={"email": "ada@example.com"})
        if is_confirmed:
            await service.sql.execute("update gatepost.users set email_verified_at = now()")
        requests = [
            service.http.post(path, json={"email": "ada@example.com"}, headers={"X-Forwarded-For": f"198.51.100.{n}"})
            for n in range(20)
        ]
        assert {response.status_code for response in await asyncio.gather(*requests)} == {202}
        count = "select count(*) from gatepost.emails where template = $1"
        assert await service.sql.fetchval(count, template) == 5


async def test_a_new_password_by_link_lets_the_owner_in_at_once(limited: Service) -> None:
    user = await limited.register()
    await _use_up(limited, user.email)
    link_id = await limited.sql.fetchval("select gatepost.create_reset_link($1)", user.user_id)
    token = LinkTokens([b"s" * 40]).create("reset_password", link_id)
    reset = await limited.http.post("/v1/auth/password/reset", json={"token": token, "password": "a new one entirely"})
    assert reset.status_code == 204, reset.text
    assert (await _log_in(limited.http, user.email, "a new one entirely")).status_code == 200


async def test_the_table_holds_no_addresses_and_is_cleaned(database_url: str, limited: Service) -> None:
    await _log_in(limited.http, "nobody@example.com")
    assert await limited.sql.fetchval("select count(*) from gatepost.rate_limits") == 4
    rows = await limited.sql.fetch("select r::text as text from gatepost.rate_limits r")
    assert not any("nobody" in row["text"] or "203.0" in row["text"] for row in rows)
    await limited.sql.execute(
        """
        update gatepost.rate_limits set empty_at = now() - interval '1 second'
        where key in (select key from gatepost.rate_limits limit 3)
        """
    )
    async with connect(database_url) as locked, locked.transaction():
        await locked.execute("select from gatepost.rate_limits where empty_at < now() limit 1 for update")
        # It waits for nobody.
        await limited.sql.execute("select gatepost.delete_empty_rate_limits(100)")
        assert await limited.sql.fetchval("select count(*) from gatepost.rate_limits") == 2
    await limited.sql.execute("select gatepost.delete_empty_rate_limits(100)")
    assert await limited.sql.fetchval("select count(*) from gatepost.rate_limits") == 1


async def test_rejected_attempts_write_nothing(limited: Service) -> None:
    await _use_up(limited, "nobody@example.com")
    query = "select xmin::text || xmax::text as version from gatepost.rate_limits order by key"
    before = await limited.sql.fetch(query)
    assert (await _log_in(limited.http, "nobody@example.com", ip="198.51.100.1")).status_code == 429
    assert await limited.sql.fetch(query) == before


def test_nothing_about_attempts_is_printed(database_url: str) -> None:
    settings = {"database_url": database_url, **_LIMITED}
    with started_process(("serve", "--port", 0), settings) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]

        async def attack() -> None:
            async with httpx.AsyncClient(base_url=url, timeout=30) as http:
                form = {"email": "ada@example.com", "password": PASSWORD}
                assert (await http.post("/v1/auth/register", json=form)).status_code == 201
                for _ in range(3):
                    passwords = [PASSWORD, "a wrong password"] * 8
                    await asyncio.gather(*(_log_in(http, "ada@example.com", password) for password in passwords))

        asyncio.run(attack())
        process.terminate()
        stdout, stderr = process.communicate(timeout=30)
    assert "Traceback" not in stderr
    assert "KeyError" not in stderr
    for printed in (stdout, stderr):
        assert "ada@example.com" not in printed
        assert "203.0.113.1" not in printed


async def test_redis_counts_for_all_processes(database_url: str, redis_url: str) -> None:
    async with (
        _limited_service(database_url, redis_url=redis_url) as one,
        running_service(database_url, redis_url=redis_url, **_LIMITED) as other,
    ):
        user = await one.register()
        async with _known_browser(one, user) as browser:
            guesses = [_log_in(each.http, user.email) for each in (one, other) for _ in range(15)]
            responses = await asyncio.gather(*guesses)
            assert Counter(response.status_code for response in responses) == {401: 10, 429: 20}
            waits = [int(each.headers["retry-after"]) for each in responses if each.status_code == 429]
            assert all(0 < wait <= 300 for wait in waits)
            assert (await _log_in(browser, user.email, PASSWORD, transport="cookie")).status_code == 200
        assert await one.sql.fetchval("select count(*) from gatepost.rate_limits") == 0
    with redis.Redis.from_url(redis_url) as client:
        keys = " ".join(key.decode() for key in client.scan_iter())
    assert "gatepost" in keys
    assert user.email not in keys
    assert "203.0.113.1" not in keys


async def test_without_redis_nobody_guesses(database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with _limited_service(database_url, redis_url=f"redis://:secret@127.0.0.1:{port}/0") as service:
        response = await _log_in(service.http, "ada@example.com")
        assert_problem(response, 503, "service_unavailable")
        assert "secret" not in response.text
