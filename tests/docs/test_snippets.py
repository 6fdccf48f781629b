"""Every Python, shell and SQL snippet of the pages runs and prints what they show, but for those that they mark."""

from __future__ import annotations

import shutil
from pathlib import Path

import asyncpg
import pytest

from tests.support.docs.markdown import PAGES, ROOT, name_of, snippets_of
from tests.support.docs.runner import running
from tests.support.docs.service import DocsService

# Every snippet that is not run, by page, with the reason that the page gives. Keep it short.
NOT_RUN = [
    ("CONTRIBUTING.md", "the service would run until stopped"),
    ("README.md", "the tests would install the project and start themselves"),
    ("docs/getting-started.md", "the tests start the service themselves"),
    ("docs/guides/admin.md", "needs the ID of a key"),
    ("docs/guides/admin.md", "the following examples need the user"),
    ("docs/guides/database.md", "needs the Supabase CLI"),
    ("docs/guides/database.md", "needs a server of your own"),
    ("docs/guides/operations.md", "it changes the environment of running processes"),
    ("examples/README.md", "needs a database of yours"),
]

# What the reader of a page has of their own.
SETUP = {
    # a session that fits the page's filter
    "docs/guides/admin.md": """
        select gatepost.open_session(
          gen_random_uuid(), id, sha256('token'), null, 'mobile', 'Safari', 'iPhone', '203.0.113.7', '180 d', '30 d', 9
        ) from gatepost.users where email = 'demo@example.com'
    """,
    "docs/guides/sending.md": "create table invoices (number text primary key, client text); create role app",
}

WITH_SNIPPETS = [page for page in PAGES if snippets_of(page)]


@pytest.mark.parametrize("page", WITH_SNIPPETS, ids=name_of)
async def test_snippets_run(page: Path, docs_service: DocsService, tmp_path: Path) -> None:
    if name_of(page) in SETUP:
        connection = await asyncpg.connect(docs_service.database)
        await connection.execute(SETUP[name_of(page)])
        await connection.close()
    if page.is_relative_to(ROOT / "examples"):
        shutil.copytree(page.parent, tmp_path, dirs_exist_ok=True)
    async with running(tmp_path, docs_service.environment, docs_service.url, docs_service.database) as runner:
        for snippet in snippets_of(page):
            if snippet.not_run is None:
                await runner.run(snippet)


def test_what_is_not_run_is_known() -> None:
    marked = [(name_of(page), snippet.not_run) for page in PAGES for snippet in snippets_of(page)]
    assert [(page, reason) for page, reason in marked if reason is not None] == NOT_RUN
