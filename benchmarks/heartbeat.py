"""Measure for how long a hostile body holds the event loop: every operation with a body, at its limit, in many shapes.

A heartbeat in the service's process measures. Each body is sent without credentials and as an admin.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import servers
from fastapi.routing import APIRoute

import gatepost

_BUDGET = 50.0
_ADMIN = ("admin@example.com", "benchmark password")
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Operation:
    """An operation with a body."""

    name: str
    method: str
    path: str
    limit: int
    fields: list[str]


@dataclass(frozen=True)
class Shape:
    """A body and its media type."""

    name: str
    content: bytes
    media_type: str = _JSON
    slow: bool = False


@dataclass(frozen=True)
class Measured:
    """For how long one request held the loop, in milliseconds."""

    operation: str
    shape: str
    sender: str
    status: int
    gap: float
    held: float
    gc: float


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Return the operations of an OpenAPI document that have a body, with the limits of their routes."""
    routes = [route for route in gatepost.create_router().routes if isinstance(route, APIRoute)]
    limits = {
        (method, route.name): getattr(route, "max_body_bytes")  # noqa: B009 - of our own route class
        for route in routes
        for method in route.methods or ()
    }
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if "requestBody" in operation:
                name = operation["operationId"]
                limit = limits[method.upper(), name]
                url = path.replace("{key}", "welcome").replace("{version}", "1")
                for parameter in ("session_id", "user_id", "email_id"):
                    url = url.replace(f"{{{parameter}}}", _UNKNOWN_ID)
                yield Operation(name, method.upper(), url, limit, fields(document, operation))


def fields(document: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    """Return the names of the fields that a body has."""
    schema = operation["requestBody"]["content"][_JSON]["schema"]
    found: list[str] = []
    for each in (schema, schema.get("items", {}), *schema.get("anyOf", [])):
        name = each.get("$ref", "").rpartition("/")[2]
        found += document["components"]["schemas"].get(name, each).get("properties", {})
    return found


def shapes(operation: Operation) -> Iterator[Shape]:
    """Return hostile bodies of an operation, as large as it accepts."""
    size, names = operation.limit, operation.fields or ["x"]
    yield Shape("empty lists", filled(b"[[]", b",[]", b"]", size))
    yield Shape("deep lists", b"[" * (size // 2) + b"]" * (size // 2))
    yield Shape("deep objects", b'{"a":' * (size // 5))
    yield Shape("many keys", b"{" + b",".join(b'"%x":1' % n for n in range(size // 11)) + b"}")
    yield Shape("many numbers", filled(b"[0", b",1", b"]", size))
    yield Shape("just below the limits", filled(b"[0", b",1", b"]", min(size, 90_000)))
    yield Shape("many unknown keys", b"{" + b",".join(b'"k%d":1' % n for n in range(min(size // 10, 15_000))) + b"}")
    yield Shape("one huge number", b"9" * size)
    yield Shape("huge numbers", filled(b"[0", b"," + b"9" * 4000, b"]", size))
    yield Shape("white space", b" " * (size - 1) + b"1")
    long = size // len(names) - 40
    for label, text in (
        ("long strings", b"a" * long),
        ("not ASCII", "é".encode() * (long // 2)),
        ("escapes", rb"\u0041" * (long // 6)),
        ("quotes", rb"\"" * (long // 2)),
        ("signs", b"@.{%<&+" * (long // 7)),
    ):
        yield Shape(label, b"{" + b",".join(b'"%s":"%s"' % (name.encode(), text) for name in names) + b"}")
    yield Shape("many errors", json.dumps([{name: [] for name in names}] * 100)[:size].encode())
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    yield Shape("multipart", filled(b"", part, b"--x--", size), "multipart/form-data; boundary=x")
    yield Shape("form fields", filled(b"a=1", b"&a=1", b"", size), _FORM)
    yield Shape("escaped form", filled(b"html=", b"%41", b"", size), _FORM)
    yield Shape("slow", filled(b"[[]", b",[]", b"]", min(size, 16_000)), slow=True)
    yield from valid(operation)


def valid(operation: Operation) -> Iterator[Shape]:
    """Return valid bodies as large as an operation accepts."""
    email = {"template": "welcome", "to": "ada@acme.com", "variables": {"name": "A", "login_url": "https://a.com"}}
    if operation.name == "queue_email":
        file = base64.b64encode(b"x" * (10 * 1024 * 1024)).decode()
        yield Shape(
            "10 MB attached", json.dumps({**email, "attachments": [{"filename": "a.txt", "content": file}]}).encode()
        )
        values = {**email["variables"], "more": [{"a": n, "b": str(n)} for n in range(5_000)]}  # type: ignore[dict-item]
        yield Shape("many values", json.dumps({**email, "variables": values}).encode())
    elif operation.name == "queue_emails":
        file = base64.b64encode(b"x" * (100 * 1024)).decode()
        yield Shape(
            "100 emails",
            json.dumps([{**email, "attachments": [{"filename": "a.txt", "content": file}]}] * 100).encode(),
        )
    elif operation.name in ("save_template_draft", "preview_template"):
        html = "<p>{{ name }}</p>" * (operation.limit // 20)
        yield Shape("long template", json.dumps({"subject": "x", "html": html, "text": "x"}).encode())


def filled(begin: bytes, repeated: bytes, end: bytes, size: int) -> bytes:
    """Return a body of at most this size that repeats something."""
    return begin + repeated * ((size - len(begin) - len(end)) // len(repeated)) + end


async def slowly(content: bytes) -> AsyncIterator[bytes]:
    """Send a body in many small pieces."""
    for start in range(0, len(content), 200):
        yield content[start : start + 200]
        await asyncio.sleep(0.002)


async def measure(client: httpx.AsyncClient, operation: Operation, shape: Shape, token: str | None) -> Measured:
    """Send one body and return what the heartbeat noticed meanwhile."""
    headers = {"Content-Type": shape.media_type} | ({"Authorization": f"Bearer {token}"} if token else {})
    content: Any = slowly(shape.content) if shape.slow else shape.content
    await client.get("/heartbeat")
    response = await client.request(operation.method, operation.path, content=content, headers=headers)
    noticed = (await client.get("/heartbeat")).json()
    sender = "admin" if token else "nobody"
    return Measured(
        operation.name, shape.name, sender, response.status_code, noticed["gap"], noticed["held"], noticed["gc"]
    )


def hostile_headers() -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Return requests without a body: a name, a path and headers."""
    yield "query parameters", "/v1/me?" + "&".join(f"{n:x}" for n in range(11_000)), []
    yield "escaped query", "/v1/me?a=" + "%41" * 21_000, []
    for name, text in (
        ("cookie", "gatepost=a;"),
        ("cookie", ";"),
        ("authorization", "Bearer "),
        ("authorization", "."),
        ("x-forwarded-for", "1.2.3.4,"),
        ("user-agent", "Mozilla/5.0 ("),
        ("accept-language", "de;q=0.1,"),
        ("accept", "text/html,"),
        ("host", "a.b"),
    ):
        yield f"{name}: {text}…"[:22], "/v1/me", [(name, (text * (1_000_000 // len(text))).strip())]


async def measure_headers(client: httpx.AsyncClient) -> list[Measured]:
    """Send hostile heads, which need no credentials."""
    measured = []
    for shape, path, headers in hostile_headers():
        await client.get("/heartbeat")
        response = await client.get(path, headers=headers)
        noticed = (await client.get("/heartbeat")).json()
        measured.append(
            Measured("(head)", shape, "nobody", response.status_code, noticed["gap"], noticed["held"], noticed["gc"])
        )
    return measured


async def sign_in(client: httpx.AsyncClient) -> str:
    """Return an access token of the admin."""
    response = await client.post("/v1/auth/login", json={"email": _ADMIN[0], "password": _ADMIN[1]})
    return str(response.raise_for_status().json()["access_token"])


async def run(url: str, only: str | None) -> list[Measured]:
    """Send everything, one request after another."""
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        # The first request loads what later ones use.
        await sign_in(client)
        await client.get("/v1/me")
        measured = await measure_headers(client)
        document = (await client.get("/openapi.json")).json()
        for operation in operations(document):
            if only not in (None, operation.name):
                continue
            token = await sign_in(client)
            for shape in shapes(operation):
                measured += [await measure(client, operation, shape, sender) for sender in (None, token)]
    return measured


def report(measured: list[Measured]) -> None:
    """Print the longest gaps."""
    count = len({each.operation for each in measured})
    print(f"{len(measured)} hostile requests to {count} operations; longest gaps of the event loop in milliseconds\n")
    print(f"{'operation':26}{'body':24}{'sender':9}{'status':>7}{'gap':>9}{'of CPU':>9}{'of GC':>9}")
    for each in sorted(measured, key=lambda each: each.held, reverse=True)[:12]:
        print(f"{each.operation:26}{each.shape:24}{each.sender:9}{each.status:7}", end="")
        print(f"{each.gap:9.1f}{each.held:9.1f}{each.gc:9.1f}")
    for sender in ("nobody", "admin"):
        of_sender = [each for each in measured if each.sender == sender]
        gap = max((each.gap for each in of_sender), default=0.0)
        held = max((each.held for each in of_sender), default=0.0)
        print(
            f"\nlongest, sent by {sender}: {held:.1f} ms of CPU (budget {_BUDGET:.0f} ms), {gap:.1f} ms by the clock",
            end="",
        )
    failed = [each for each in measured if each.status >= 500]
    print(f"\n{len(failed)} of the responses were 5xx", *(f"{each.operation}: {each.shape}" for each in failed))


if __name__ == "__main__":
    cores = sorted(os.sched_getaffinity(0))
    with servers.database() as server, servers.serving("heartbeat_host", sys.executable, server.url, cores[0]) as url:
        report(asyncio.run(run(url, sys.argv[1] if len(sys.argv) > 1 else None)))
