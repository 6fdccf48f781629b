"""Measure how hostile previews affect other requests: their latency while idle and during each kind of preview.

The longest latency is what one preview can hold up the event loop by, at most: the budget is 50 ms.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

import httpx
from servers import database

_SECONDS = 3
_PASSWORD = "benchmark password"
_ADMIN = "admin@example.com"
_PREVIEW = "/v1/settings/email-templates/welcome/preview"
_MANY = {"name": "many", "type": "list", "example": list(range(1000))}
_FIFTY = [{"name": f"declared_{number:02}"} for number in range(50)]
_LOOPS = "{% for a in many %}{% for b in many %}{% if a == b and a > b %}x{% endif %}{% endfor %}{% endfor %}"
_ENTITIES = "&lt;" * 60_000
# What each preview costs the service, apart from its sandbox processes: the request, and what the answer contains.
_HOSTILE: dict[str, tuple[dict[str, object], str]] = {
    "loops that never end": ({"html": _LOOPS * 100, "declared": [_MANY]}, "too-slow"),
    "24,000 unknown names": (
        {"html": "x", "declared": _FIFTY, "variables": {f"declar_{number:05}": 1 for number in range(24_000)}},
        "more errors",
    ),
    "1,500 unknown variables": (
        {"html": "".join(f"{{{{ declar_{number:05} }}}}\n" for number in range(1500)), "declared": _FIFTY},
        "more-diagnostics",
    ),
    "5,000 bad images": ({"html": "<img src=x:>" * 5000}, "more-diagnostics"),
    "CSS in 2,000 attributes": ({"html": '<p style="color:red;background:url(x:y)">' * 2000}, "errors"),
    "a link in 1,600 places": (
        {
            "html": "x{{ go }}" * 1600,
            "declared": [{"name": "go", "type": "link", "example": "https://a.example/"}],
        },
        "link-variable",
    ),
    "250,000 empty lists": ({"html": "x", "variables": {"many": [[]] * 250_000}}, "json_too_complex"),
    "an example with 29,000 items": (
        {"html": "x", "declared": [{"name": "many", "type": "list", "example": [[]] * 29_000}]},
        "errors",
    ),
    "text from 240 KB of entities": ({"html": _ENTITIES, "text": None}, ""),
}


@contextmanager
def service(database_url: str) -> Iterator[str]:
    """Run a service with an admin for the length of a block. Yields its URL."""
    settings = {"DATABASE_URL": database_url, "ADMIN_EMAIL": _ADMIN, "ADMIN_PASSWORD": _PASSWORD, "ENVIRONMENT": "test"}
    settings["SECRET_KEY"] = "benchmark" * 4
    command = [str(Path(sys.executable).with_name("gatepost")), "serve", "--port", "0"]
    environment = os.environ | {f"GATEPOST_{name}": value for name, value in settings.items()}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


async def heartbeat(client: httpx.AsyncClient, done: asyncio.Event) -> list[float]:
    """Send guarded requests in sequence until an event, and return their latencies in milliseconds."""
    latencies: list[float] = []
    while not done.is_set() or not latencies:
        began = time.perf_counter()
        (await client.get("/v1/me")).raise_for_status()
        latencies.append((time.perf_counter() - began) * 1000)
    return latencies


async def during(client: httpx.AsyncClient, body: dict[str, object] | None, answer: str) -> tuple[list[float], int]:
    """Preview a template over and over, or nothing, while the heartbeat beats.

    Returns the latencies of the heartbeat, and how many previews were answered.
    """
    done, count, end = asyncio.Event(), 0, time.monotonic() + _SECONDS
    content = json.dumps({"subject": "x", "text": "x"} | body).encode() if body is not None else b""
    beating = asyncio.create_task(heartbeat(client, done))
    while time.monotonic() < end:
        if body is None:
            await asyncio.sleep(end - time.monotonic())
            break
        headers = {"Content-Type": "application/json"}
        response = await client.post(_PREVIEW, content=content, headers=headers, timeout=60)
        assert response.status_code < 500, response.text[:500]
        assert answer in response.text, response.text[:500]
        count += 1
    done.set()
    return await beating, count


async def run(url: str) -> None:
    """Measure and print."""
    async with httpx.AsyncClient(base_url=url) as client:
        signed_in = await client.post("/v1/auth/login", json={"email": _ADMIN, "password": _PASSWORD})
        client.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
        # The sandbox processes start with the first preview.
        await client.post(_PREVIEW, json={})
        idle, _ = await during(client, None, "")
        print(f"{'latency of guarded requests':<34}{'p50':>9}{'p99':>11}{'longest':>11}   previews")
        print(row("idle", idle, 0))
        for name, (body, answer) in _HOSTILE.items():
            busy, count = await during(client, body, answer)
            print(row(name, busy, count))


def row(name: str, latencies: list[float], count: int) -> str:
    """Return a line of the table."""
    p99 = quantiles(latencies, n=100)[98] if len(latencies) > 1 else latencies[0]
    return f"{name:<34}{median(latencies):>6.2f} ms{p99:>8.2f} ms{max(latencies):>8.2f} ms{count:>11}"


if __name__ == "__main__":
    with database() as server, service(server.url) as url:
        asyncio.run(run(url))
