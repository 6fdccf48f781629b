"""The wheel: installed elsewhere and without Node, it serves the API and the pages."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `make build` does, and unpacked into a folder of its own."""
    built = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(built), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    [wheel] = built.glob("gatepost-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(built / "site")
    return built / "site"


@pytest.fixture(scope="module")
def service_url(installed: Path, open_directory: Path) -> Iterator[str]:
    """A service run from the wheel only: neither this repository nor Node is on its path."""
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": str(installed),
        "GATEPOST_DATA_DIR": str(open_directory / "wheel"),
    }
    command = [sys.executable, "-m", "gatepost", "serve", "--demo", "--port", "0"]
    with subprocess.Popen(
        command, cwd=installed, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield next(line.split()[-1] for line in process.stdout if "listens on" in line)
        process.terminate()


def test_the_wheel_contains_migrations_pages_and_types(installed: Path) -> None:
    package = installed / "gatepost"
    migrations = {path.name for path in (ROOT / "supabase" / "migrations").glob("*.sql")}
    assert {path.name for path in (package / "migrations").glob("*.sql")} == migrations
    assert (package / "pages" / "index.html").exists()
    assert (package / "py.typed").exists()
    assert not list(installed.rglob("*.ts"))


def test_the_wheel_serves_the_api_and_the_pages(service_url: str) -> None:
    with httpx.Client(base_url=service_url) as client:
        assert client.get("/readyz").status_code == 200
        form = {"email": "demo@example.com", "password": "gatepost-demo"}
        assert client.post("/v1/auth/login", json=form).status_code == 200
        page = client.get("/devices", headers={"Accept": "text/html"})
        assert page.status_code == 200
        [script] = [
            line.split('src="')[1].split('"')[0]
            for line in page.text.splitlines()
            if "/assets/" in line and "src=" in line
        ]
        asset = client.get(script)
        assert asset.status_code == 200
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
