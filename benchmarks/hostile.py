"""Measure how previews of slow templates affect other requests: their latency while idle and during such previews."""

from __future__ import annotations

import asyncio
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

_SECONDS = 6
_PASSWORD = "benchmark password"
_ADMIN = "admin@example.com"
_LIST = {"name": "many", "type": "list", "example": list(range(1000))}
_SLOW_TEMPLATE = {
    "subject": "x",
    "html": "{% for a in many %}{% for b in many %}{% if a == b and a > b %}x{% endif %}{% endfor %}{% endfor %}" * 100,
    "text": "x",
    "declared": [_LIST],
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


async def requests(client: httpx.AsyncClient) -> list[float]:
    """Send guarded requests in sequence and return their latencies in milliseconds."""
    latencies, end = [], time.monotonic() + _SECONDS
    while time.monotonic() < end:
        began = time.perf_counter()
        (await client.get("/v1/me")).raise_for_status()
        latencies.append((time.perf_counter() - began) * 1000)
    return latencies


async def preview(client: httpx.AsyncClient, rejections: list[float]) -> None:
    """Preview a template that is too slow, over and over, and record after how many seconds each one was rejected."""
    while True:
        began = time.perf_counter()
        response = await client.post("/v1/settings/email-templates/welcome/preview", json=_SLOW_TEMPLATE, timeout=30)
        assert "too-slow" in response.text, response.text
        rejections.append(time.perf_counter() - began)


async def run(url: str) -> None:
    """Measure and print."""
    async with httpx.AsyncClient(base_url=url) as client:
        signed_in = await client.post("/v1/auth/login", json={"email": _ADMIN, "password": _PASSWORD})
        client.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
        idle = await requests(client)
        rejections: list[float] = []
        previewing = asyncio.create_task(preview(client, rejections))
        busy = await requests(client)
        previewing.cancel()
        await asyncio.wait([previewing])
        if not previewing.cancelled():
            previewing.result()
    p99 = [quantiles(each, n=100)[98] for each in (idle, busy)]
    print(f"guarded requests, idle:            p50 {median(idle):.2f} ms, p99 {p99[0]:.2f} ms")
    print(f"during previews of slow templates: p50 {median(busy):.2f} ms, p99 {p99[1]:.2f} ms")
    print(f"ratio: p50 {median(busy) / median(idle):.2f} (budget 2.0), p99 {p99[1] / p99[0]:.2f}")
    print(f"{len(rejections)} templates rejected after {median(rejections):.2f} s (budget 1.0)")


if __name__ == "__main__":
    with database() as server, service(server.url) as url:
        asyncio.run(run(url))
