"""The operations guide lists every metric, with its labels."""

from __future__ import annotations

import re

import httpx

from tests.support.docs.markdown import ROOT, table_of
from tests.support.docs.service import DocsService


def test_every_metric_is_listed(docs_service: DocsService) -> None:
    text = httpx.get(f"{docs_service.url}/metrics").text
    families = re.findall(r"^# TYPE (gatepost_\w+) (\w+)$", text, re.MULTILINE)
    rows = table_of(ROOT / "docs" / "guides" / "operations.md", "Metric")
    # The client also tells when each counter was created.
    assert sorted(name.strip("`") for name, _, _ in rows) == sorted(
        name for name, _ in families if not name.endswith("_created")
    )
