"""The house as it is drawn: no circles, rooms in `flows/`, small files, and each large library behind one door.

What import-linter can say stands in pyproject.toml; here is what it cannot.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

from tests.factories.paths import ROOT

PACKAGES = ("expectations", "pipelines", "flows")
MOST_ROOMS, MOST_LINES = 15, 300


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def circles(imports: dict[str, set[str]]) -> Iterator[list[str]]:
    """Sets of modules that import each other: Tarjan's strongly connected components of more than one."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []

    def visit(module: str) -> Iterator[list[str]]:
        number[module] = lowest[module] = len(number)
        path.append(module)
        for other in sorted(imports[module]):
            if other not in number:
                yield from visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in path:
                lowest[module] = min(lowest[module], number[other])
        if lowest[module] == number[module]:
            found = path[path.index(module) :]
            del path[path.index(module) :]
            if len(found) > 1:
                yield sorted(found)

    for module in sorted(imports):
        if module not in number:
            yield from visit(module)


def test_the_search_for_circles_finds_one() -> None:
    assert list(circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == [["a", "b", "c"]]


def test_no_files_import_each_other() -> None:
    modules = graph().modules
    imports = {m: graph().find_modules_directly_imported_by(m) & modules for m in modules}
    assert sum(map(len, imports.values())) > 500
    assert list(circles(imports)) == []


def test_flows_holds_rooms_only() -> None:
    entries = [p for p in (ROOT / "flows").iterdir() if p.name != "__pycache__"]
    assert [p.name for p in entries if p.is_file()] == ["__init__.py"]
    assert 0 < sum(p.is_dir() for p in entries) <= MOST_ROOMS


def test_no_file_is_a_warehouse() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


DOORS = {
    "prefect": "flows/schedule",
    "great_expectations": "expectations/gx",
    "apache_beam": "pipelines/lake",
    "authlib": "flows/console/oidc",
}


def _imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    plain = {a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    return plain | {(n.module or "").split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}


@pytest.mark.parametrize(("library", "room"), DOORS.items())
def test_each_large_library_has_one_door(library: str, room: str) -> None:
    users = {path.relative_to(ROOT).as_posix() for path in sources() if library in _imported(path)}
    assert users and all(name.startswith(f"{room}/") for name in users), sorted(users)


def test_duckdb_is_opened_in_one_place() -> None:
    opened = [path.relative_to(ROOT).as_posix() for path in sources() if "duckdb.connect" in path.read_text()]
    assert opened == ["expectations/base/duck.py"]


def test_every_package_says_what_it_is_for() -> None:
    silent = [p for package in PACKAGES for p in (ROOT / package).rglob("__init__.py") if not p.read_text().strip()]
    assert [str(p.relative_to(ROOT)) for p in silent] == []
