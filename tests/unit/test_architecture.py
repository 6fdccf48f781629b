"""The package graph: no cycles, and packages import only what others export."""

from __future__ import annotations

from graphlib import TopologicalSorter

import grimp
import pytest

# The router joins routes, which no face exports, so that importing a face does not load the web framework.
_ROUTES = ("routes", "link_routes")


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    found = grimp.build_graph("gatepost", exclude_type_checking_imports=True)
    return {module: found.find_modules_directly_imported_by(module) for module in found.modules}


def package(module: str, depth: int) -> str:
    return ".".join(module.split(".")[: depth + 1])


def face(module: str) -> str:
    """The package that a module belongs to: one below `gatepost`, or one below `gatepost.mail`."""
    return package(module, 2 if module.startswith("gatepost.mail.") else 1)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_there_is_no_import_cycle_at_any_level(graph: dict[str, set[str]], depth: int) -> None:
    edges: dict[str, set[str]] = {}
    for module, imported in graph.items():
        targets = {package(each, depth) for each in imported} - {"gatepost"}
        edges.setdefault(package(module, depth), set()).update(targets)
    for importer, targets in edges.items():
        targets.discard(importer)
    assert list(TopologicalSorter(edges).static_order())


def test_packages_import_only_faces(graph: dict[str, set[str]]) -> None:
    deep = {
        f"{module} imports {imported}"
        for module, targets in graph.items()
        for imported in targets
        if face(module) != face(imported) != imported
        and not (module == "gatepost.router" and imported.endswith(_ROUTES))
        and imported != "gatepost.http.pagination"
    }
    assert not deep
