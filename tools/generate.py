"""Makes the files that are committed but made from others; with `--check` only tells which of them are stale.

docs/openapi.json     from the routes
supabase/schema.sql   from the migrations, by pg_dump
apps/web/src/client   from docs/openapi.json, by hey-api
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from gatepost import Settings, create_app
from gatepost.db.embedded import running
from gatepost.db.embedded_home import binaries
from gatepost.db.migrations import migrate

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "apps" / "web"
CLIENT = Path("apps/web/src/client")


def openapi_document() -> dict[str, str]:
    """Return the OpenAPI document of the standalone service with nothing set."""
    app = create_app(Settings(secret_key="x" * 32))
    return {"docs/openapi.json": json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"}


def schema() -> dict[str, str]:
    """Return the schema that the migrations make, as SQL."""
    with tempfile.TemporaryDirectory() as name:
        # PostgreSQL's account is to reach it.
        directory = Path(name)
        directory.chmod(0o755)
        return {"supabase/schema.sql": _dump(directory)}


def _dump(directory: Path) -> str:
    with running(directory) as server:
        asyncio.run(migrate(server.url))
        command = [str(binaries() / "pg_dump"), "--schema-only", "--no-owner", "--schema=gatepost", server.url]
        dump = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    # What changes from one run or version to the next says nothing about the schema.
    kept = [line for line in dump.splitlines() if not re.match(r"--|\\(un)?restrict|SET |SELECT pg_catalog\.set", line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip() + "\n"


def client() -> dict[str, str]:
    """Return the files of the TypeScript client that docs/openapi.json makes, by their paths in the repository."""
    with tempfile.TemporaryDirectory() as name:
        command = ["npm", "--prefix", str(WEB), "exec", "--", "openapi-ts", "--output", name, "--silent"]
        subprocess.run(command, check=True, cwd=WEB, stdout=subprocess.DEVNULL)  # noqa: S603
        return {
            str(CLIENT / path.relative_to(name)): path.read_text(encoding="utf-8")
            for path in Path(name).rglob("*")
            if path.is_file()
        }


def stale(made: dict[str, str]) -> list[str]:
    """Return the paths whose committed text is not what was made."""
    return [
        path for path, text in made.items() if not (ROOT / path).exists() or (ROOT / path).read_text("utf-8") != text
    ]


def write(made: dict[str, str], paths: list[str]) -> None:
    """Write what was made to these paths."""
    for path in paths:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(made[path], encoding="utf-8")
        print(f"wrote {path}")


def main() -> int:
    """Write what is stale, or name it and return 1."""
    checking = "--check" in sys.argv
    found = []
    # One after the other: the client is made from the document.
    makers: list[Callable[[], dict[str, str]]] = [openapi_document, schema, client]
    for make in makers:
        made = make()
        paths = stale(made)
        found += paths
        if not checking:
            write(made, paths)
    if checking:
        left = {str(path.relative_to(ROOT)) for path in (ROOT / CLIENT).rglob("*.ts")} - made.keys()
        found += sorted(left)
        for path in found:
            print(f"{path} is stale: run `make generate`")
    return 1 if found and checking else 0


if __name__ == "__main__":
    sys.exit(main())
