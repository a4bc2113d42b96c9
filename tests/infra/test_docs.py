"""The documents: links lead somewhere, commands exist, folders are described, words have one meaning and are plain."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from expectations.contracts.lists import Outcome
from expectations.instruments.orders import Effect
from flows.cli.main import app
from flows.ledger.decisions import Decision
from flows.ledger.lifecycles.states import Checkpoint, State
from tests.factories.paths import ROOT
from tests.infra.phrases import odd

DOCS = ROOT / "infra/docs"
PAGES = {p.relative_to(ROOT).as_posix(): p for p in [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")]}
GLOSSARY = DOCS / "glossary.md"
# members whose word is another thing's too stand in the glossary under a name of their own
RENAMED = {
    (Outcome, "rejected"): "rejected row",
    (Outcome, "held"): "held row",
    (Outcome, "refused"): "refused row",
    (Effect, "recall"): "recall order",
    (Checkpoint, "disclosure"): "disclosure suite",
    (Decision, "reject"): "reject a batch",
}


def commands() -> dict[str, Any]:
    """Every command of `sluicegate` by its path, groups included."""

    def walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
        yield path, command
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, f"{path} {name}")

    return dict(walk(typer.main.get_command(app), "sluicegate"))


COMMANDS = commands()


def anchors(page: Path) -> set[str]:
    """Where a link into this page can point to, as repository hosts make them from its headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_every_relative_link_leads_somewhere(name: str) -> None:
    page = PAGES[name]
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def test_every_page_can_be_reached_from_the_reading_order() -> None:
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        links = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text(encoding="utf-8"))
        todo += [(page.parent / link).resolve() for link in links]
    assert [name for name, page in PAGES.items() if page not in seen] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_command_that_a_page_shows_exists_with_its_options(name: str) -> None:
    text = PAGES[name].read_text(encoding="utf-8")
    shown = re.findall(r"^sluicegate [^\n]*", text, re.M) + re.findall(r"`(sluicegate [^`]*)`", text)
    for line in (re.sub(r"\s+", " ", re.split(r"\s#|…|\|", one)[0]) for one in shown):
        path, rest = "sluicegate", line.split()[1:]
        while rest and f"{path} {rest[0]}" in COMMANDS:
            path = f"{path} {rest.pop(0)}"
        assert not rest or rest[0].startswith("-") or not hasattr(COMMANDS[path], "commands"), line
        known = {"--help"} | {
            option for parameter in COMMANDS[path].params for option in getattr(parameter, "opts", ())
        }
        assert {word for word in rest if word.startswith("--")} <= known, line


@pytest.mark.parametrize("name", PAGES)
def test_every_make_target_that_a_page_shows_exists(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = PAGES[name].read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S))
    for target in re.findall(r"^make ([\w-]+)", blocks, re.M) + re.findall(r"`make ([\w-]+)`", text):
        assert re.search(rf"^{target}:", makefile, re.M), target


@pytest.mark.parametrize("name", PAGES)
def test_every_path_of_the_tree_that_a_page_names_is_there(name: str) -> None:
    named = re.findall(
        r"`((?:expectations|pipelines|flows|infra|tests)/[^`\s:]*)(?:::\w+)?`", PAGES[name].read_text(encoding="utf-8")
    )
    fixed = [path for path in named if not re.search(r"[A-Z*]", Path(path).stem)]  # FAMILY.py stands for several
    assert [path for path in fixed if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("package", ["expectations", "pipelines", "flows"])
def test_the_architecture_has_a_row_for_each_folder_and_no_other(package: str) -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    section = text.split(f"\n### {package}\n")[1].split("\n### ")[0]
    described = re.findall(r"^\| `([a-z_]+)` \|", section, re.M)
    assert sorted(described) == sorted(p.parent.name for p in (ROOT / package).glob("*/__init__.py"))


def words() -> list[str]:
    rows = re.findall(r"^\| ([^|]+?) \| [^|]+ \|$", GLOSSARY.read_text(encoding="utf-8"), re.M)
    return [word for word in rows if word not in ("word", "---") and set(word) != {"-"}]


def test_every_word_of_the_glossary_is_defined_once() -> None:
    assert len(words()) > 100
    assert [word for word, times in Counter(word.lower() for word in words()).items() if times > 1] == []


@pytest.mark.parametrize("closed", [State, Outcome, Effect, Decision, Checkpoint])
def test_every_member_of_a_closed_list_is_in_the_glossary(closed: type[StrEnum]) -> None:
    known = set(words())
    assert [one.value for one in closed if RENAMED.get((closed, one.value), one.value) not in known] == []


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_written_in_plain_words(name: str) -> None:
    assert odd(PAGES[name].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", COMMANDS)
def test_help_is_written_in_plain_words(path: str) -> None:
    command = COMMANDS[path]
    said = [command.help, command.short_help, command.epilog, *(getattr(p, "help", None) for p in command.params)]
    assert odd(" ".join(text for text in said if text)) == []


def test_the_hooks_run_what_make_lint_runs() -> None:
    recipe = re.search(r"^lint:.*\n((?:\t.+\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    assert recipe
    linted = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.group(1).splitlines()]
    assert [hook["entry"] for hook in hooks] == linted
