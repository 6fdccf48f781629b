"""The log: what it contains of a request, and that it contains no secret."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from tests.support import PASSWORD, Service
from tests.support.waiting import eventually


async def test_no_secret_is_logged(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "gatepost")
    user = await service.register()
    secrets = [user.access_token, user.refresh_token, PASSWORD]
    await user.refresh()
    secrets += [user.access_token, user.refresh_token]
    await user.get(f"/v1/sessions?cursor={user.access_token[:150]}")
    await service.http.get(f"/v1/me?token={user.access_token}")
    await service.http.post("/v1/auth/refresh", json={"refresh_token": user.refresh_token + "x"})
    async with service.browser() as browser:
        form = {"email": user.email, "password": PASSWORD, "transport": "cookie"}
        await browser.post("/v1/auth/login", json=form)
        secrets += [*browser.cookies.values()]
        await browser.post("/v1/auth/logout")
    await service.http.post("/v1/auth/login", json={"email": user.email, "password": "a wrong secret"})
    await service.http.post("/v1/auth/login", json={"email": "x", "password": PASSWORD})
    await service.sql.execute("alter table gatepost.sessions rename column ip to oops")
    assert (await service.http.post("/v1/auth/refresh", json={"refresh_token": user.refresh_token})).status_code == 500

    # Without the lines of the test's own HTTP client, which logs URLs.
    log = "\n".join(r.getMessage() + (r.exc_text or "") for r in caplog.records if not r.name.startswith("http"))
    assert '"event": "request answered"' in log
    assert '"event": "unhandled exception"' in log
    for secret in [*secrets, "a wrong secret"]:
        assert secret not in log
        assert secret[:100] not in log


async def test_each_request_is_one_line_with_its_id_and_route(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gatepost")
    user = await service.register()
    await user.request("DELETE", f"/v1/sessions/{user.id}", headers={"X-Request-ID": "trace-7"})

    async def lines() -> list[dict[str, Any]]:
        found = [json.loads(record.getMessage()) for record in caplog.records if record.name == "gatepost"]
        return [line for line in found if line["request_id"] == "trace-7"]

    # It is logged after the response was sent.
    [line] = await eventually(lines)
    assert line["method"] == "DELETE"
    assert line["route"] == "/v1/sessions/{session_id}"
    assert line["status"] == 204
    assert line["ms"] > 0


async def test_a_host_sees_structured_events_that_read_as_json(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    handlers = [*logging.getLogger("gatepost").handlers]
    caplog.set_level(logging.INFO, "gatepost")
    await service.register()

    async def records() -> list[logging.LogRecord]:
        return [record for record in caplog.records if record.name == "gatepost"]

    # It is logged after the response was sent.
    [record] = await eventually(records)
    # What formatters such as python-json-logger take the fields from.
    assert isinstance(record.msg, dict)
    assert record.msg["route"] == "/v1/auth/register"
    assert json.loads(record.getMessage()) == record.msg
    assert (record.levelno, record.args, handlers) == (logging.INFO, (), [])
