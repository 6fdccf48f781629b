"""The log helps whoever runs the service, and nobody who steals it."""

from __future__ import annotations

import json
import logging

import pytest
from tests.support import PASSWORD, Service


async def test_no_secret_is_ever_logged(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "gatepost")
    person = await service.register()
    secrets = [person.access_token, person.refresh_token, PASSWORD]
    await person.refresh()
    secrets += [person.access_token, person.refresh_token]
    await person.get(f"/v1/sessions?cursor={person.access_token[:150]}")
    await service.http.get(f"/v1/me?token={person.access_token}")
    await service.http.post("/v1/auth/refresh", json={"refresh_token": person.refresh_token + "x"})
    async with service.browser() as browser:
        form = {"email": person.email, "password": PASSWORD, "transport": "cookie"}
        await browser.post("/v1/auth/login", json=form)
        secrets += [*browser.cookies.values()]
        await browser.post("/v1/auth/logout")
    await service.http.post("/v1/auth/login", json={"email": person.email, "password": "a wrong secret"})
    await service.http.post("/v1/auth/login", json={"email": "x", "password": PASSWORD})
    await service.sql.execute("alter table gatepost.sessions rename column ip to oops")
    assert (
        await service.http.post("/v1/auth/refresh", json={"refresh_token": person.refresh_token})
    ).status_code == 500

    # The test's own client logs the addresses it calls; what counts is ours and the server's.
    log = "\n".join(r.getMessage() + (r.exc_text or "") for r in caplog.records if not r.name.startswith("http"))
    assert "answered" in log
    assert "crashed" in log
    for secret in [*secrets, "a wrong secret"]:
        assert secret not in log
        assert secret[:100] not in log


async def test_one_line_a_request_with_its_id_and_the_routes_template(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gatepost")
    person = await service.register()
    caplog.clear()
    await person.request("DELETE", f"/v1/sessions/{person.id}", headers={"X-Request-ID": "trace-7"})
    [line] = [json.loads(record.message) for record in caplog.records if record.name == "gatepost"]
    assert line["request_id"] == "trace-7"
    assert line["method"] == "DELETE"
    assert line["route"] == "/v1/sessions/{session_id}"
    assert line["status"] == 204
    assert line["ms"] > 0
