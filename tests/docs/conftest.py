"""The service that the pages talk to: `gatepost serve` on a database with the demo data, as after `make run`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

import gatepost
from tests.support.docs.service import DocsService

BIN = Path(sys.executable).parent


@pytest.fixture(scope="session")
def docs_service(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DocsService]:
    """One service for all pages; what a page makes, the next one finds."""
    database = server_url.replace("/postgres?", "/docs?")
    asyncio.run(_create(server_url, "docs"))
    environment = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        # The code under test, wherever it is.
        "PYTHONPATH": str(Path(gatepost.__file__).parents[1]),
        "HOME": str(tmp_path_factory.mktemp("home")),
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "100",
        "GATEPOST_DATABASE_URL": database,
        "GATEPOST_SECRET_KEY": "s" * 40,
        "GATEPOST_ENVIRONMENT": "test",
    }
    for command in ("migrate", "seed"):
        subprocess.run([BIN / "gatepost", command], env=environment, check=True, capture_output=True)
    with started([BIN / "gatepost", "serve", "--port", "0"], environment) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert "http://" in line, line
        yield DocsService(line.split()[-1], database, environment)


class started:  # noqa: N801 - reads as the block that it is
    """A process for the length of a block."""

    def __init__(self, command: list[object], environment: dict[str, str], cwd: Path | None = None) -> None:
        self._process = subprocess.Popen(
            [str(part) for part in command],
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> subprocess.Popen[str]:
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)


async def _create(server_url: str, name: str) -> None:
    connection = await asyncpg.connect(server_url)
    await connection.execute(f"create database {name}")
    await connection.close()
