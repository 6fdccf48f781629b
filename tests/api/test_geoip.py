"""Locations by IP address, from a small database in MaxMind's format: in responses, in email and on the CLI."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from mmdb_writer import MMDBWriter
from netaddr import IPSet

import gatepost
from gatepost import ConfigurationError, Session
from tests.support import (
    PASSWORD,
    SAFARI_ON_IPHONE,
    Device,
    Service,
    http_client,
    make_settings,
    running_service,
    serve_app,
)
from tests.support.cli import configuration_error, run_here, run_process
from tests.support.mail import running_mail_service

GERMANY = {"names": {"en": "Germany", "de": "Deutschland"}}
RECORDS: dict[str, Any] = {
    "81.2.69.0/24": {"city": {"names": {"en": "Munich", "de": "München"}}, "country": GERMANY},
    "2a02:cf40::/32": {"city": {"names": {"en": "Oslo"}}, "country": {"names": {"en": "Norway", "de": "Norwegen"}}},
    "89.160.20.0/24": {"country": {"names": {"en": "Sweden"}}},
    "18.141.0.0/16": {"city": {"names": {"en": "Singapore"}}, "country": {"names": {"en": "Singapore"}}},
    "10.0.0.0/8": {"city": {"names": {"en": "Our office"}}, "country": GERMANY},
    "1.1.1.0/24": {"country": {"iso_code": "AU"}},
    "1.2.3.0/24": {"country": "FR", "city": {"names": {"en": 7}}},
    "1.2.4.0/24": "Paris",
}
MUNICH = "81.2.69.160"
LOCATIONS = {
    MUNICH: "Munich, Germany",
    "2a02:cf40::7": "Oslo, Norway",
    "89.160.20.112": "Sweden",
    "18.141.1.1": "Singapore",
    "10.1.2.3": None,
    "8.8.8.8": None,
    "2001:4860::8": None,
    # Records of another shape.
    "1.1.1.1": None,
    "1.2.3.4": None,
    "1.2.4.4": None,
}


@pytest.fixture(scope="module")
def database_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    writer = MMDBWriter(6, "GeoLite2-City", languages=["en", "de"], ipv4_compatible=True)
    for network, record in RECORDS.items():
        writer.insert_network(IPSet([network]), record)
    path = tmp_path_factory.mktemp("geoip") / "city.mmdb"
    writer.to_db_file(str(path))
    return path


@pytest.fixture
def damaged_file(database_file: Path, tmp_path: Path) -> Path:
    """A file that opens, for its end is intact, but lacks most of its data."""
    path = tmp_path / "damaged.mmdb"
    path.write_bytes(database_file.read_bytes()[300:])
    return path


def geoip_settings(database_file: Path) -> dict[str, Any]:
    """Return the settings of a service with the database that trusts forwarded headers."""
    return {"geoip_database": database_file, "trusted_proxies": "127.0.0.1"}


@asynccontextmanager
async def service_with_geoip(database_url: str, database_file: Path) -> AsyncIterator[Service]:
    async with running_service(database_url, **geoip_settings(database_file)) as service:
        yield service


async def sign_in(service: Service, email: str, ip: str) -> Device:
    headers = {"X-Forwarded-For": ip, "User-Agent": SAFARI_ON_IPHONE}
    form = {"email": email, "password": PASSWORD}
    response = await service.http.post("/v1/auth/login", json=form, headers=headers)
    assert response.status_code == 200, response.text
    return Device(service.http, email, response.json(), {"X-Forwarded-For": ip})


async def test_every_response_with_a_session_has_its_location(database_url: str, database_file: Path) -> None:
    async with service_with_geoip(database_url, database_file) as service:
        user = await service.register()
        device = await sign_in(service, user.email, MUNICH)
        await service.sql.execute("update gatepost.users set role = 'admin' where id = $1", user.user_id)
        renamed = await device.patch(f"/v1/sessions/{device.id}", {"name": "Mine"})
        found = [
            device.sign_in["session"],
            renamed.json(),
            (await device.post("/v1/sessions", {})).json(),
            (await device.get("/v1/me")).json()["session"],
            (await device.get("/v1/sessions")).json()["items"][0],
            (await device.get(f"/v1/admin/sessions?q={device.id}")).json()["items"][0],
            (await device.get("/v1/admin/sessions?ip=81.2.0.0/16")).json()["items"][0],
            (await device.get(f"/v1/admin/users/{user.user_id}/sessions?q=81.2.69.160")).json()["items"][0],
        ]
        form = {"refresh_token": device.refresh_token}
        response = await service.http.post("/v1/auth/refresh", json=form, headers=device.headers)
        found.append(response.json()["session"])
        assert {session["id"] for session in found} == {device.id}
        assert [session["location"] for session in found] == ["Munich, Germany"] * len(found)
        # From 127.0.0.1.
        assert user.sign_in["session"]["location"] is None


async def test_the_location_is_city_and_country_or_what_is_known(database_url: str, database_file: Path) -> None:
    async with running_service(database_url, **geoip_settings(database_file), max_sessions=50) as service:
        user = await service.register()
        found = {ip: await sign_in(service, user.email, ip) for ip in LOCATIONS}
        assert {ip: device.sign_in["session"]["location"] for ip, device in found.items()} == LOCATIONS
        assert [device.sign_in["session"]["ip"] for device in found.values()] == list(LOCATIONS)


async def test_evicted_and_ended_sessions_have_a_location(database_url: str, database_file: Path) -> None:
    async with running_service(database_url, **geoip_settings(database_file), max_sessions=1) as service:
        user = await service.register()
        first = await sign_in(service, user.email, MUNICH)
        second = await sign_in(service, user.email, "89.160.20.112")
        assert [(session["id"], session["location"]) for session in second.sign_in["evicted"]] == [
            (first.id, "Munich, Germany")
        ]
        ended = (await second.get("/v1/sessions?include=ended")).json()["items"]
        assert {session["location"] for session in ended} == {"Sweden", "Munich, Germany", None}


async def test_without_a_database_the_location_is_null(database_url: str) -> None:
    async with running_service(database_url, trusted_proxies="127.0.0.1") as service:
        user = await service.register()
        session = (await sign_in(service, user.email, MUNICH)).sign_in["session"]
        assert (session["ip"], session["location"]) == (MUNICH, None)


async def test_a_host_app_reads_the_location(database_url: str, database_file: Path) -> None:
    ended: asyncio.Queue[Session] = asyncio.Queue()
    app = FastAPI()
    app.include_router(
        gatepost.create_router(make_settings(database_url, **geoip_settings(database_file)), on_session_ended=ended.put)
    )

    @app.get("/where")
    async def where(session: gatepost.CurrentSession) -> str | None:
        return session.location

    async with serve_app(app) as url, http_client(url, headers={"X-Forwarded-For": MUNICH}) as client:
        form = {"email": "ada@example.com", "password": PASSWORD}
        token = (await client.post("/v1/auth/register", json=form)).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await client.get("/where", headers=bearer)).json() == "Munich, Germany"
        await client.post("/v1/auth/logout", headers=bearer)
        async with asyncio.timeout(15):
            session = await ended.get()
        assert session.location == "Munich, Germany"
        assert pickle.loads(pickle.dumps(session)).id == session.id
    # The location was looked up before the hook was called: it stays when the service has stopped.
    assert session.location == "Munich, Germany"


@pytest.mark.parametrize(
    ("ip", "language", "line"),
    [
        (MUNICH, "en", "Location:    Munich, Germany"),
        (MUNICH, "de-AT", "Ort:         München, Deutschland"),
        ("2a02:cf40::7", "de", "Ort:         Oslo, Norwegen"),
        ("89.160.20.112", "de", "Ort:         Sweden"),
        ("8.8.8.8", "en", "Location:    Unknown"),
        ("8.8.8.8", "de", "Ort:         Unbekannt"),
    ],
)
async def test_email_names_the_location_in_its_language(
    database_url: str, database_file: Path, ip: str, language: str, line: str
) -> None:
    async with running_mail_service(database_url, **geoip_settings(database_file)) as service:
        form = {"email": "ada@example.com", "password": PASSWORD}
        await service.http.post("/v1/auth/register", json=form, headers={"Accept-Language": language})
        await service.sql.execute("update gatepost.users set email_verified_at = now()")
        await sign_in(service, form["email"], ip)
        email = await service.sent_email("new-device")
        lines = email["text"].splitlines()
        assert sum(ip in each for each in lines) == 1
        assert [each for each in lines if each.startswith(("Location", "Ort"))] == [line]
        label, _, location = line.partition(":")
        for heading in ("Location", "Ort"):
            assert (f">{heading}</th>" in email["html"]) == (heading == label)
        assert location.strip() in email["html"]


async def test_the_cli_shows_the_location(database_url: str, database_file: Path) -> None:
    async with service_with_geoip(database_url, database_file) as service:
        user = await service.register()
        await sign_in(service, user.email, MUNICH)
    settings = {"database_url": database_url, "geoip_database": database_file}
    code, out, _ = await asyncio.to_thread(run_here, ("sessions", "list", "--q", MUNICH), settings)
    heading, row = (line.split("\t") for line in out.splitlines())
    assert (code, row[heading.index("LOCATION")]) == (0, "Munich, Germany")
    _, out, _ = await asyncio.to_thread(run_here, ("sessions", "list", "--json"), settings)
    assert '"location": "Munich, Germany"' in out

    settings["geoip_database"] = database_file.parent / "none.mmdb"
    code, out, err = await asyncio.to_thread(run_process, ("sessions", "list"), settings)
    assert (code, out) == (2, "")
    assert err.startswith("gatepost: GATEPOST_GEOIP_DATABASE: ")
    assert err.count("\n") == 1


async def test_a_damaged_file_prevents_no_sign_in(
    database_url: str, damaged_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with service_with_geoip(database_url, damaged_file) as service:
        user = await service.register()
        device = await sign_in(service, user.email, MUNICH)
    assert device.sign_in["session"]["location"] is None
    assert "GATEPOST_GEOIP_DATABASE is damaged" in caplog.text


def test_an_invalid_file_stops_the_start(database_file: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.mmdb").touch()
    (tmp_path / "text.mmdb").write_text("81.2.69.0/24,Munich\n" * 1000)
    (tmp_path / "half.mmdb").write_bytes(database_file.read_bytes()[: database_file.stat().st_size // 2])
    (tmp_path / "directory").mkdir()
    data_dir = tmp_path / "data"
    settings = {"data_dir": data_dir}
    missing = configuration_error(("serve", "--port", 0), settings | {"geoip_database": tmp_path / "none.mmdb"})
    assert missing.startswith("GATEPOST_GEOIP_DATABASE: ")
    assert missing.endswith("No such file or directory")
    for name in ("directory", "empty.mmdb", "text.mmdb", "half.mmdb", "text.mmdb/city.mmdb"):
        with pytest.raises(ConfigurationError, match="GATEPOST_GEOIP_DATABASE: ") as caught:
            run_here(("work",), settings | {"geoip_database": tmp_path / name})
        assert str(tmp_path / name) in str(caught.value)
        assert name != "text.mmdb" or str(caught.value).endswith("is not a MaxMind DB file")
    # The database was not started.
    assert not (data_dir / "postgres").exists()
