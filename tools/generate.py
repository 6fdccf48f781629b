"""Write the files that are committed but generated from others. With `--check`, only name those that are stale.

docs/openapi.json     from the routes
docs/reference        from the routes, the errors and the command line
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

from reference import api_reference, cli_reference

from gatepost import Settings, create_app
from gatepost.db.embedded import binaries, running
from gatepost.db.migrations import migrate

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "apps" / "web"
CLIENT = Path("apps/web/src/client")


def openapi_document() -> dict[str, str]:
    """Return the OpenAPI document of the standalone service with default settings."""
    app = create_app(Settings(secret_key="x" * 32))
    return {"docs/openapi.json": json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"}


def schema() -> dict[str, str]:
    """Return the schema after all migrations, as SQL."""
    with tempfile.TemporaryDirectory() as name:
        # PostgreSQL may run under another account, which must be able to enter the directory.
        directory = Path(name)
        directory.chmod(0o755)
        return {"supabase/schema.sql": _dump(directory)}


def _dump(directory: Path) -> str:
    with running(directory) as server:
        asyncio.run(migrate(server.url))
        command = [str(binaries() / "pg_dump"), "--schema-only", "--no-owner", "--schema=gatepost", server.url]
        dump = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    # Comments and settings differ between runs and versions of pg_dump; they are not part of the schema.
    lines = [
        line for line in dump.splitlines() if not re.match(r"--|\\(un)?restrict|SET |SELECT pg_catalog\.set", line)
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def client() -> dict[str, str]:
    """Return the files of the TypeScript client, generated from docs/openapi.json, by their paths in the repository."""
    with tempfile.TemporaryDirectory() as name:
        command = ["npm", "--prefix", str(WEB), "exec", "--", "openapi-ts", "--output", name, "--silent"]
        subprocess.run(command, check=True, cwd=WEB, stdout=subprocess.DEVNULL)  # noqa: S603
        return {
            str(CLIENT / path.relative_to(name)): path.read_text(encoding="utf-8")
            for path in Path(name).rglob("*")
            if path.is_file()
        }


def stale(generated: dict[str, str]) -> list[str]:
    """Return the paths whose committed text differs from the generated one."""
    return [
        path
        for path, text in generated.items()
        if not (ROOT / path).exists() or (ROOT / path).read_text("utf-8") != text
    ]


def write(generated: dict[str, str], paths: list[str]) -> None:
    """Write the generated text of these paths."""
    for path in paths:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(generated[path], encoding="utf-8")
        print(f"Wrote {path}")


def main() -> int:
    """Write the stale files, or with `--check` name them and return 1."""
    checking = "--check" in sys.argv
    found = []
    # In this order: the client is generated from the document.
    generators: list[Callable[[], dict[str, str]]] = [openapi_document, api_reference, cli_reference, schema, client]
    for generate in generators:
        generated = generate()
        paths = stale(generated)
        found += paths
        if not checking:
            write(generated, paths)
    if checking:
        found += sorted({str(path.relative_to(ROOT)) for path in (ROOT / CLIENT).rglob("*.ts")} - generated.keys())
        for path in found:
            print(f"{path} is stale. Run `make generate`.")
    return 1 if found and checking else 0


if __name__ == "__main__":
    sys.exit(main())
