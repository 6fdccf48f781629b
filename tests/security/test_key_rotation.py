"""Rotating the keys that sign access tokens, and the secret keys that everything else derives from."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import jwt
import pytest

from gatepost import Settings
from gatepost.errors import ConfigurationError
from tests.support import PASSWORD, RANDOM_SECRET, Device, Service, assert_problem, running_service
from tests.support.cli import run_here
from tests.support.mail import running_mail_service

OLD, NEW = "o" * 40, "n" * 40


def key_of(device: Device) -> str:
    return str(jwt.get_unverified_header(device.access_token)["kid"])


async def rotate(database_url: str, *options: str, secret_key: str = "s" * 40) -> str:
    """Run `gatepost keys rotate`, and return the id of the new key."""
    settings = {"database_url": database_url, "secret_key": secret_key}
    code, out, err = await asyncio.to_thread(run_here, ("keys", "rotate", *options), settings)
    assert (code, err) == (0, "")
    return out.removeprefix("Added signing key ").strip(".\n")


async def refused(device: Device) -> None:
    """Wait until a device's access token is rejected."""
    async with asyncio.timeout(20):
        while (await device.get("/v1/me")).is_success:
            await asyncio.sleep(0.01)
    assert_problem(await device.get("/v1/me"), 401, "token_invalid")


async def test_no_request_is_refused_while_keys_are_rotated_and_a_retired_key_is_refused_everywhere(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatepost.security.signing_keys._LEAD", timedelta(seconds=1))
    async with running_service(database_url) as one, running_service(database_url) as other:
        devices = [await one.register() for _ in range(4)]
        old_key, old_token = key_of(devices[0]), devices[0].access_token
        rotated: asyncio.Task[str] = asyncio.create_task(rotate(database_url))
        requests = 0
        async with asyncio.timeout(30):
            while not rotated.done() or {key_of(device) for device in devices} != {rotated.result()}:
                for device in devices:
                    for service in (one, other):
                        device.http = service.http
                        responses = [await device.get("/v1/me"), await device.refresh(), await device.get("/v1/me")]
                        assert [response.status_code for response in responses] == [200, 200, 200]
                        requests += 3
        assert requests > 0
        assert rotated.result() != old_key

        published = [(await service.http.get("/.well-known/jwks.json")).json()["keys"] for service in (one, other)]
        assert [{key["kid"] for key in keys} for keys in published] == [{old_key, rotated.result()}] * 2
        late = [Device(service.http, "", {"access_token": old_token}) for service in (one, other)]
        assert [(await device.get("/v1/me")).status_code for device in late] == [200, 200]
        await one.sql.execute("update gatepost.signing_keys set retired_at = clock_timestamp() where kid = $1", old_key)
        await asyncio.gather(*map(refused, late))
        assert (await devices[0].get("/v1/me")).status_code == 200


async def test_a_key_that_leaked_is_refused_at_once(service: Service, database_url: str) -> None:
    device = await service.register()
    new_key = await rotate(database_url, "--now", "--yes")
    await refused(device)
    assert (await device.refresh()).status_code == 200
    assert key_of(device) == new_key


async def test_an_old_key_is_accepted_until_its_last_token_has_expired(service: Service, database_url: str) -> None:
    await service.register()
    await rotate(database_url)
    overlap = await service.sql.fetchval(
        """
        select old.retired_at - new.signs_at from gatepost.signing_keys old, gatepost.signing_keys new
        where old.retired_at is not null and new.retired_at is null
        """
    )
    assert service.settings.access_token_ttl < overlap <= service.settings.access_token_ttl + timedelta(minutes=2)


async def test_secret_keys_are_rotated_and_the_old_one_is_dropped(database_url: str) -> None:
    async with running_mail_service(database_url, secret_key=OLD) as service:
        device = await service.register(email="ada@acme.com")
        await service.sql.execute("update gatepost.users set email_verified_at = now()")
        login = {"email": device.email, "password": PASSWORD, "transport": "cookie"}
        async with service.browser() as browser:
            assert (await browser.post("/v1/auth/login", json=login)).status_code == 200
            cookies = {cookie.name: cookie.value or "" for cookie in browser.cookies.jar}
        await service.http.post("/v1/auth/password/forgot", json={"email": device.email})
        link = await service.link_token("reset-password")

    async with running_service(database_url, secret_key=f"{NEW},{OLD}") as service:
        device.http = service.http
        assert (await device.get("/v1/me")).status_code == 200
        assert (await device.refresh()).status_code == 200
        browser = service.browser()
        browser.cookies.update(cookies)
        assert (await browser.post("/v1/auth/refresh")).status_code == 200
        await rotate(database_url, secret_key=f"{NEW},{OLD}")
        # The browser is still known: signing in there again sends no notification.
        sent = "select count(*) from gatepost.emails where template = 'new-device'"
        before = await service.sql.fetchval(sent)
        assert (await browser.post("/v1/auth/login", json=login)).status_code == 200
        await browser.aclose()
        assert await service.sql.fetchval(sent) == before
        assert (
            await service.http.post("/v1/auth/password/reset", json={"token": link, "password": "a new long password"})
        ).status_code == 204

    async with running_service(database_url, secret_key=NEW) as service:
        device = await service.login(device.email, password="a new long password")
        assert (await device.get("/v1/me")).status_code == 200


async def test_a_secret_key_that_is_missing_is_named(database_url: str) -> None:
    async with running_service(database_url, secret_key=OLD):
        pass
    settings = {"database_url": database_url, "secret_key": NEW}
    with pytest.raises(ConfigurationError, match="GATEPOST_SECRET_KEY: has none of the keys"):
        await asyncio.to_thread(run_here, ("keys", "rotate"), settings)


PRODUCTION: dict[str, Any] = {
    "environment": "production",
    "public_url": "https://acme.com",
    "mail_transport": "smtp",
    "smtp_url": "smtp://host",
    "mail_from": "a@acme.com",
}


@pytest.mark.parametrize(
    "secret",
    [
        "s" * 32,
        "ab" * 32,
        "0123456789abcdef" * 2,
        "abcdefghijklmnopqrstuvwxyz0123456789",
        f"{RANDOM_SECRET},{'s' * 32}",
        "passwordpasswordpasswordpassword",
    ],
)
def test_production_rejects_a_secret_key_that_is_not_random(secret: str) -> None:
    with pytest.raises(ConfigurationError, match=r"GATEPOST_SECRET_KEY: is not random enough .*openssl rand"):
        Settings(**PRODUCTION, secret_key=secret)


@pytest.mark.parametrize(
    "secret", [f"{RANDOM_SECRET[:31]}," + "x" * 32, ",".join([RANDOM_SECRET] * 2), f"{RANDOM_SECRET},"]
)
def test_short_repeated_and_empty_secret_keys_are_rejected(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="GATEPOST_SECRET_KEY: must"):
        Settings(secret_key=secret)
