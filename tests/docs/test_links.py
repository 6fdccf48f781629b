"""Links between the pages of the repository lead somewhere. `make docs` checks those of the site; these are all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.docs.markdown import PAGES, ROOT, anchors_of, links_of, name_of

LINKED = [page for page in PAGES if any("://" not in link for link in links_of(page))]


@pytest.mark.parametrize("page", LINKED, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    assert [link for link in links_of(page) if "://" not in link and not _leads_somewhere(page, link)] == []


def test_pages_of_the_site_link_to_nothing_outside() -> None:
    docs = ROOT / "docs"
    outside = [
        (name_of(page), link)
        for page in docs.rglob("*.md")
        for link in links_of(page)
        if "://" not in link and not (page.parent / link.partition("#")[0]).resolve().is_relative_to(docs)
    ]
    assert outside == []


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.is_file() and (not anchor or anchor in anchors_of(target))
