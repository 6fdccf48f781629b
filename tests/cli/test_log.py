"""What `gatepost serve` and `gatepost work` write to the console, read from real processes."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from tests.support import PASSWORD
from tests.support.cli import run_process, started_process, wait_for_exit
from tests.support.database import application_url

SERVE = ("serve", "--port", 0)
ROOT = Path(__file__).resolve().parents[2]
TIME = r"\d{2}:\d{2}:\d{2}"
REQUEST_ID = r"request_id=[A-Za-z0-9._-]+"
# An app with our exception handlers, whose crash reaches uvicorn too.
CRASHING = """
import asyncio, httpx
from fastapi import FastAPI
from gatepost import log
from gatepost.http import EXCEPTION_HANDLERS
from tests.support.service import serve_app

app = FastAPI(exception_handlers=dict(EXCEPTION_HANDLERS))

@app.get("/")
def crash() -> None:
    raise RuntimeError("out of order")

async def run() -> None:
    async with serve_app(app) as url, httpx.AsyncClient() as client:
        assert (await client.get(url)).status_code == 500

log.configure("info", "text")
asyncio.run(run())
"""
USER = {"email": "ada@example.com", "password": PASSWORD}


@pytest.fixture(scope="module")
def data(open_directory: Path) -> Path:
    """The data directory that these tests share."""
    return open_directory / "cli-log"


@contextmanager
def logging_service(data: Path, **settings: object) -> Iterator[tuple[str, list[str]]]:
    """A service on a free port: its URL, and after the block the lines of its standard error."""
    lines: list[str] = []
    with started_process(SERVE, {"data_dir": data, **settings}) as process:
        yield _url(process), lines
        process.send_signal(signal.SIGTERM)
        code, _, err = wait_for_exit(process)
        assert code == 0, err
        lines += err.splitlines()


def _url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return next(line.split()[-1] for line in process.stdout if " listens on " in line)


def send(url: str, data: bytes) -> None:
    """Send bytes that are no HTTP and wait for the end of the response."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
        connection.sendall(data)
        while connection.recv(4096):
            pass


def documents(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def test_text_is_one_short_line_per_request_without_secrets(data: Path) -> None:
    with logging_service(data) as (url, lines), httpx.Client(base_url=url) as client:
        client.post("/v1/auth/register", json=USER)
        signed_in = client.post("/v1/auth/login?code=hunter2", json=USER, headers={"X-Request-ID": "trace-7"}).json()
        bearer = {"Authorization": f"Bearer {signed_in['access_token']}"}
        client.delete(f"/v1/sessions/{signed_in['session']['id']}", headers=bearer)
        client.get("/nowhere/hunter2")
        # The files of the web app are not worth a line each.
        assert client.get("/", headers={"Accept": "text/html"}).status_code == 200
    requests = [line for line in lines if "request_id=" in line]
    patterns = [
        rf"{TIME} INFO  POST /v1/auth/register 201 \d+ ms  {REQUEST_ID}",
        rf"{TIME} INFO  POST /v1/auth/login 200 \d+ ms  request_id=trace-7",
        rf"{TIME} INFO  DELETE /v1/sessions/{{session_id}} 204 \d+(\.\d)? ms  {REQUEST_ID}",
        rf"{TIME} INFO  GET \(no route\) 404 \d+(\.\d)? ms  {REQUEST_ID}",
    ]
    assert len(requests) == len(patterns), lines
    for line, pattern in zip(requests, patterns, strict=True):
        assert re.fullmatch(pattern, line), line
    log = "\n".join(lines)
    for secret in ("hunter2", PASSWORD, signed_in["access_token"], signed_in["refresh_token"]):
        assert secret not in log


def test_json_is_one_object_per_line_uvicorns_messages_included(data: Path) -> None:
    with logging_service(data, log_format="json") as (url, lines):
        assert httpx.get(f"{url}/v1/me").status_code == 401
        send(url, b"NOT HTTP\r\n\r\n")
    request = next(each for each in documents(lines) if "route" in each)
    assert (request["level"], request["method"], request["route"], request["status"]) == ("info", "GET", "/v1/me", 401)
    assert {"timestamp", "event", "ms", "request_id"} < request.keys()
    [invalid] = [each for each in documents(lines) if each.get("logger", "").startswith("uvicorn")]
    assert invalid["level"] == "warning"
    assert invalid["event"] == "Invalid HTTP request received."
    assert invalid["timestamp"][:10] == request["timestamp"][:10]


def test_uvicorns_messages_are_text_lines_like_ours(data: Path) -> None:
    with logging_service(data, log_level="debug") as (url, lines):
        send(url, b"NOT HTTP\r\n\r\n")
        assert httpx.get(url, headers={"Accept": "text/html"}).status_code == 200
    [invalid] = [line for line in lines if "Invalid HTTP" in line]
    assert re.fullmatch(rf"{TIME} WARN  Invalid HTTP request received\.  logger=uvicorn\.error", invalid)
    [startup] = [line for line in lines if "Application startup complete" in line]
    assert re.fullmatch(rf"{TIME} INFO  Application startup complete\.  logger=uvicorn\.error", startup)
    [page] = [line for line in lines if "(no route)" in line]
    assert page.split()[1] == "DEBUG"


def test_the_level_leaves_out_what_is_below_it(data: Path) -> None:
    with logging_service(data, log_level="error") as (url, lines):
        assert httpx.get(f"{url}/v1/me").status_code == 401
        send(url, b"NOT HTTP\r\n\r\n")
    assert lines == []


@pytest.mark.parametrize("form", ["text", "json"])
async def test_a_crash_is_logged_once_with_its_traceback(database_url: str, form: str) -> None:
    sql = await asyncpg.connect(database_url)
    settings = {"database_url": application_url(database_url), "secret_key": "s" * 40, "log_format": form}
    with started_process(SERVE, settings) as process:
        url = _url(process)
        await sql.execute("alter table gatepost.users rename column email to oops")
        async with httpx.AsyncClient(base_url=url) as client:
            answer = await client.post("/v1/auth/login", json=USER)
        assert answer.status_code == 500
        process.terminate()
        _, _, err = wait_for_exit(process)
    await sql.close()
    assert err.count("Traceback (most recent call last)") == 1
    assert PASSWORD not in err
    identifier = answer.json()["request_id"]
    if form == "json":
        [crash] = [each for each in documents(err.splitlines()) if each["level"] == "error"]
        assert crash["request_id"] == identifier
        assert "UndefinedColumnError" in crash["exception"]
    else:
        head, *rest = err.splitlines()
        assert re.fullmatch(rf"{TIME} ERROR \S.*  request_id={identifier}", head)
        traceback = [line for line in rest if line.startswith("    ")]
        assert traceback[0] == "    Traceback (most recent call last):"
        assert "UndefinedColumnError" in traceback[-1]
        assert "POST /v1/auth/login 500 " in rest[len(traceback)]


def test_a_crash_outside_our_routes_is_logged_once() -> None:
    done = subprocess.run([sys.executable, "-c", CRASHING], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.count("RuntimeError: out of order") == 1


async def test_a_wrong_admin_email_is_reported_once(database_url: str) -> None:
    sql = await asyncpg.connect(database_url)
    await sql.execute("insert into gatepost.users (email, password_hash) values ('ada@example.com', 'none')")
    await sql.close()
    settings = {"database_url": database_url, "secret_key": "s" * 40}
    settings |= {"admin_email": "ada@example.com", "admin_password": PASSWORD}
    with started_process(SERVE, settings) as process:
        async with httpx.AsyncClient(base_url=_url(process)) as client:
            (await client.get("/healthz")).raise_for_status()
        process.terminate()
        _, _, err = wait_for_exit(process)
    assert err.count("GATEPOST_ADMIN_EMAIL") == 1
    assert PASSWORD not in err


def test_work_logs_in_the_same_way(data: Path) -> None:
    # The demo queues mail.
    code, _, err = run_process(["seed"], {"data_dir": data / "work"})
    assert code == 0, err
    with started_process(["work"], {"data_dir": data / "work"}) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "mail" in line)
        process.terminate()
        wait_for_exit(process)
    assert re.match(rf"{TIME} INFO  \S.*  .*transport=capture", line), line
