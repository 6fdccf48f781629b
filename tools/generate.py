"""Makes the files that are committed but made from others; with `--check` only tells which of them are stale.

docs/openapi.json     from the routes
supabase/schema.sql   from the migrations, by pg_dump
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from gatepost import Settings, create_app
from gatepost.embedded import running
from gatepost.embedded_home import binaries
from gatepost.migrate import migrate

ROOT = Path(__file__).resolve().parents[1]


def openapi_document() -> str:
    """Return the OpenAPI document of the standalone service with nothing set."""
    app = create_app(Settings(secret_key="x" * 32))
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def schema() -> str:
    """Return the schema that the migrations make, as SQL."""
    with tempfile.TemporaryDirectory() as name:
        # PostgreSQL's account is to reach it.
        directory = Path(name)
        directory.chmod(0o755)
        return _dump(directory)


def _dump(directory: Path) -> str:
    with running(directory) as server:
        asyncio.run(migrate(server.url))
        command = [str(binaries() / "pg_dump"), "--schema-only", "--no-owner", "--schema=gatepost", server.url]
        dump = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    # What changes from one run or version to the next says nothing about the schema.
    kept = [line for line in dump.splitlines() if not re.match(r"--|\\(un)?restrict|SET |SELECT pg_catalog\.set", line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip() + "\n"


def main() -> int:
    """Write what is stale, or name it and return 1."""
    stale = False
    for path, text in {"docs/openapi.json": openapi_document(), "supabase/schema.sql": schema()}.items():
        target = ROOT / path
        if target.exists() and target.read_text(encoding="utf-8") == text:
            continue
        stale = True
        if "--check" in sys.argv:
            print(f"{path} is stale: run `make generate`")
        else:
            target.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
