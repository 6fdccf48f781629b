"""What others notice while somebody previews templates that burn: the service's own requests, idle and meanwhile."""

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
_PASSWORD = "a benchmark's password"
_ADMIN = "boss@example.com"
_LIST = {"name": "many", "type": "list", "example": list(range(1000))}
_BURNING = {
    "subject": "x",
    "html": "{% for a in many %}{% for b in many %}{% if a == b and a > b %}x{% endif %}{% endfor %}{% endfor %}" * 100,
    "text": "x",
    "declared": [_LIST],
}


@contextmanager
def service(database_url: str) -> Iterator[str]:
    """Serve for the length of a block, with an admin."""
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
    """Return how long guarded requests took, one after another, in milliseconds."""
    took, end = [], time.monotonic() + _SECONDS
    while time.monotonic() < end:
        began = time.perf_counter()
        (await client.get("/v1/me")).raise_for_status()
        took.append((time.perf_counter() - began) * 1000)
    return took


async def previews(client: httpx.AsyncClient, refusals: list[float]) -> None:
    """Preview a burning template again and again, and note how long each refusal took, in seconds."""
    while True:
        began = time.perf_counter()
        answer = await client.post("/v1/settings/email-templates/welcome/preview", json=_BURNING, timeout=30)
        assert "too-slow" in answer.text, answer.text
        refusals.append(time.perf_counter() - began)


async def run(url: str) -> None:
    """Measure, and print."""
    async with httpx.AsyncClient(base_url=url) as client:
        signed_in = await client.post("/v1/auth/login", json={"email": _ADMIN, "password": _PASSWORD})
        client.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
        idle = await requests(client)
        refusals: list[float] = []
        burning = asyncio.create_task(previews(client, refusals))
        meanwhile = await requests(client)
        burning.cancel()
        await asyncio.wait([burning])
        if not burning.cancelled():
            burning.result()
    p99 = [quantiles(each, n=100)[98] for each in (idle, meanwhile)]
    print(f"guarded requests, idle: p50 {median(idle):.2f} ms, p99 {p99[0]:.2f} ms")
    print(f"while templates burn:   p50 {median(meanwhile):.2f} ms, p99 {p99[1]:.2f} ms")
    print(f"ratio: p50 {median(meanwhile) / median(idle):.2f} (budget 2.0), p99 {p99[1] / p99[0]:.2f}")
    print(f"{len(refusals)} refusals after {median(refusals):.2f} s (budget 1.0)")


if __name__ == "__main__":
    with database() as server, service(server.url) as address:
        asyncio.run(run(address))
