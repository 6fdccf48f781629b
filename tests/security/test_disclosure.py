"""What is not for the public: provider errors, and the files in the data directory."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from gatepost.db.embedded import running
from tests.support import Service, assert_problem

PROVIDER_ERROR = "The API key re_123 of acme is invalid"


async def test_readyz_does_not_show_why_a_transport_cannot_send(service: Service) -> None:
    admin, user = await service.register_admin(), await service.register()
    await service.sql.execute(
        "update gatepost.email_transports set error_code = 'invalid_key', error_message = $1, error_since = now()",
        PROVIDER_ERROR,
    )
    response = await service.http.get("/readyz")
    assert response.json() == {"status": "ok", "database": "ok", "migrations": "ok", "mail": "degraded"}
    assert_problem(await service.http.get("/v1/settings/email-transports"), 401, "not_authenticated")
    assert_problem(await user.get("/v1/settings/email-transports"), 403, "forbidden")
    [error] = (await admin.get("/v1/settings/email-transports")).json()["items"]
    assert (error["code"], error["message"]) == ("invalid_key", PROVIDER_ERROR)
    reader = await service.create_api_key(admin, "emails:read")
    assert (await reader.get("/v1/settings/email-transports")).status_code == 200


def test_nobody_else_can_read_a_file_in_the_data_directory(open_directory: Path) -> None:
    directory = open_directory / "private"
    before = os.umask(0)
    try:
        with running(directory):
            files = [path for path in directory.iterdir() if path.is_file()]
            assert {path.name for path in files} >= {"postgres.lock", "postgres.users"}
            for path in directory.iterdir():
                assert stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO) == 0, path
            others = stat.S_IMODE(directory.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
            assert others & ~(stat.S_IXGRP | stat.S_IXOTH) == 0
    finally:
        os.umask(before)
