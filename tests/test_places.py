"""About where sessions are: by a small database in MaxMind's format, wherever a session or a mail goes out."""

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
from gatepost import Session
from tests.post.mail import Post
from tests.post.support import by_resend
from tests.resend import FakeResend
from tests.shell import run_here, run_process
from tests.support import PASSWORD, SAFARI_ON_IPHONE, Device, Service, client_of, running_service, serving, settings_for
from tests.test_cli import at_once, refusal

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
PLACES = {
    MUNICH: "Munich, Germany",
    "2a02:cf40::7": "Oslo, Norway",
    "89.160.20.112": "Sweden",
    "18.141.1.1": "Singapore",
    "10.1.2.3": None,
    "8.8.8.8": None,
    "2001:4860::8": None,
    # Files of other makes.
    "1.1.1.1": None,
    "1.2.3.4": None,
    "1.2.4.4": None,
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    writer = MMDBWriter(6, "GeoLite2-City", languages=["en", "de"], ipv4_compatible=True)
    for network, record in RECORDS.items():
        writer.insert_network(IPSet([network]), record)
    path = tmp_path_factory.mktemp("places") / "city.mmdb"
    writer.to_db_file(str(path))
    return path


@pytest.fixture
def damaged_file(file: Path, tmp_path: Path) -> Path:
    """One that opens, for its end says what it is, but lacks what it should find."""
    path = tmp_path / "damaged.mmdb"
    path.write_bytes(file.read_bytes()[300:])
    return path


def placed(file: Path) -> dict[str, Any]:
    """The settings of a service that knows places, and believes its callers where they are."""
    return {"geoip_database": file, "trusted_proxies": "127.0.0.1"}


@asynccontextmanager
async def service_with(database_url: str, file: Path) -> AsyncIterator[Service]:
    async with running_service(database_url, **placed(file)) as service:
        yield service


async def sign_in(service: Service, email: str, address: str) -> Device:
    headers = {"X-Forwarded-For": address, "User-Agent": SAFARI_ON_IPHONE}
    form = {"email": email, "password": PASSWORD}
    answer = await service.http.post("/v1/auth/login", json=form, headers=headers)
    assert answer.status_code == 200, answer.text
    return Device(service.http, email, answer.json(), {"X-Forwarded-For": address})


async def test_a_session_says_about_where_it_is_wherever_it_goes_out(database_url: str, file: Path) -> None:
    async with service_with(database_url, file) as service:
        person = await service.register()
        device = await sign_in(service, person.email, MUNICH)
        await service.sql.execute("update gatepost.users set role = 'admin' where id = $1", person.user_id)
        renamed = await device.patch(f"/v1/sessions/{device.id}", {"name": "Mine"})
        found = [
            device.answer["session"],
            renamed.json(),
            (await device.post("/v1/sessions", {})).json(),
            (await device.get("/v1/me")).json()["session"],
            (await device.get("/v1/sessions")).json()["items"][0],
            (await device.get(f"/v1/admin/sessions?q={device.id}")).json()["items"][0],
            (await device.get("/v1/admin/sessions?ip=81.2.0.0/16")).json()["items"][0],
            (await device.get(f"/v1/admin/users/{person.user_id}/sessions?q=81.2.69.160")).json()["items"][0],
        ]
        form = {"refresh_token": device.refresh_token}
        answer = await service.http.post("/v1/auth/refresh", json=form, headers=device.headers)
        found.append(answer.json()["session"])
        assert {each["id"] for each in found} == {device.id}
        assert [each["location"] for each in found] == ["Munich, Germany"] * len(found)
        # From 127.0.0.1.
        assert person.answer["session"]["location"] is None


async def test_city_and_country_or_what_is_known(database_url: str, file: Path) -> None:
    async with running_service(database_url, **placed(file), max_sessions=50) as service:
        person = await service.register()
        found = {address: await sign_in(service, person.email, address) for address in PLACES}
        assert {address: each.answer["session"]["location"] for address, each in found.items()} == PLACES
        assert [each.answer["session"]["ip"] for each in found.values()] == list(PLACES)


async def test_evicted_and_ended_ones_too(database_url: str, file: Path) -> None:
    async with running_service(database_url, **placed(file), max_sessions=1) as service:
        person = await service.register()
        first = await sign_in(service, person.email, MUNICH)
        second = await sign_in(service, person.email, "89.160.20.112")
        assert [(each["id"], each["location"]) for each in second.answer["evicted"]] == [(first.id, "Munich, Germany")]
        ended = (await second.get("/v1/sessions?include=ended")).json()["items"]
        assert {each["location"] for each in ended} == {"Sweden", "Munich, Germany", None}


async def test_without_a_database_there_are_no_places(database_url: str) -> None:
    async with running_service(database_url, trusted_proxies="127.0.0.1") as service:
        person = await service.register()
        session = (await sign_in(service, person.email, MUNICH)).answer["session"]
        assert (session["ip"], session["location"]) == (MUNICH, None)


async def test_a_host_reads_it_too(database_url: str, file: Path) -> None:
    told: asyncio.Queue[Session] = asyncio.Queue()
    app = FastAPI()
    app.include_router(gatepost.create_router(settings_for(database_url, **placed(file)), on_session_ended=told.put))

    @app.get("/where")
    async def where(session: gatepost.CurrentSession) -> str | None:
        return session.location

    async with serving(app) as url, client_of(url, headers={"X-Forwarded-For": MUNICH}) as client:
        form = {"email": "ada@example.com", "password": PASSWORD}
        token = (await client.post("/v1/auth/register", json=form)).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await client.get("/where", headers=bearer)).json() == "Munich, Germany"
        await client.post("/v1/auth/logout", headers=bearer)
        async with asyncio.timeout(15):
            session = await told.get()
        assert session.location == "Munich, Germany"
        assert pickle.loads(pickle.dumps(session)).id == session.id
    # The service is down, and its file is closed.
    assert session.location is None


@pytest.mark.parametrize(
    ("address", "language", "line"),
    [
        (MUNICH, "en", "Place:       Munich, Germany"),
        (MUNICH, "de-AT", "Ort:         München, Deutschland"),
        ("2a02:cf40::7", "de", "Ort:         Oslo, Norwegen"),
        ("89.160.20.112", "de", "Ort:         Sweden"),
        ("8.8.8.8", "en", None),
        ("8.8.8.8", "de", None),
    ],
)
async def test_mail_names_the_place_in_its_language_or_has_no_such_row(
    database_url: str, file: Path, address: str, language: str, line: str | None
) -> None:
    async with (
        FakeResend(rate=None, keep_bodies=True) as resend,
        running_service(database_url, **by_resend(resend), **placed(file)) as service,
    ):
        form = {"email": "ada@example.com", "password": PASSWORD}
        await service.http.post("/v1/auth/register", json=form, headers={"Accept-Language": language})
        await sign_in(service, form["email"], address)
        mail = await Post(service, resend).mail("new-device")
        lines = mail["text"].splitlines()
        assert sum(address in each for each in lines) == 1
        assert [each for each in lines if each.startswith(("Place", "Ort"))] == ([line] if line else [])
        label, _, place = (line or "").partition(":")
        for heading in ("Place", "Ort"):
            assert (f">{heading}</th>" in mail["html"]) == (heading == label)
        assert place.strip() in mail["html"]


async def test_the_shell_shows_it(database_url: str, file: Path) -> None:
    async with service_with(database_url, file) as service:
        person = await service.register()
        await sign_in(service, person.email, MUNICH)
    settings = {"database_url": database_url, "geoip_database": file}
    code, out, _ = await asyncio.to_thread(run_here, ("sessions", "list", "--q", MUNICH), settings)
    heading, row = (line.split("\t") for line in out.splitlines())
    assert (code, row[heading.index("PLACE")]) == (0, "Munich, Germany")
    _, out, _ = await asyncio.to_thread(run_here, ("sessions", "list", "--json"), settings)
    assert '"location": "Munich, Germany"' in out

    settings["geoip_database"] = file.parent / "none.mmdb"
    code, out, err = await asyncio.to_thread(run_process, ("sessions", "list"), settings)
    assert (code, out) == (2, "")
    assert err.startswith("gatepost: GATEPOST_GEOIP_DATABASE: ")
    assert err.count("\n") == 1


async def test_a_damaged_file_costs_nobody_a_sign_in(
    database_url: str, damaged_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with service_with(database_url, damaged_file) as service:
        person = await service.register()
        device = await sign_in(service, person.email, MUNICH)
    assert device.answer["session"]["location"] is None
    assert "GATEPOST_GEOIP_DATABASE is damaged" in caplog.text


def test_a_file_that_is_none_stops_the_start(file: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.mmdb").touch()
    (tmp_path / "text.mmdb").write_text("81.2.69.0/24,Munich\n" * 1000)
    (tmp_path / "half.mmdb").write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    (tmp_path / "directory").mkdir()
    wrong = ["none.mmdb", "directory", "empty.mmdb", "text.mmdb", "half.mmdb", "text.mmdb/city.mmdb"]
    data = tmp_path / "data"

    def refused(name: str) -> str:
        command = ("serve", "--port", 0) if name == wrong[0] else ("work",)
        return refusal(*command, GATEPOST_DATA_DIR=data, GATEPOST_GEOIP_DATABASE=tmp_path / name)

    lines = at_once(refused, wrong)
    for name, line in zip(wrong, lines, strict=True):
        assert line.startswith("GATEPOST_GEOIP_DATABASE: ")
        assert str(tmp_path / name) in line
    assert lines[0].endswith("No such file or directory")
    assert lines[3].endswith("is no MaxMind DB file")
    # Before the database is started.
    assert not (data / "postgres").exists()
