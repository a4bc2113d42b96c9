"""Closed lists are total: a member added to one without behaviour fails at import, in mypy, or closes.

Each list is tried: in a copy of the package it gets one member more, and nothing else is changed.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest

import expectations
from expectations import codes
from expectations.base.errors import Fault
from expectations.base.total import total
from expectations.code import Code, CodePhase
from expectations.contracts import lists
from expectations.contracts.lists import Corroboration, Outcome, Stage
from expectations.facts import corroboration
from expectations.facts.letter import LETTER_FACTS, Source
from expectations.gx import checks, evaluate
from expectations.gx.verdict import Status
from expectations.instruments import effects, parse
from expectations.instruments.effects import EFFECTS, Effect, OnBatch
from expectations.instruments.parse import KINDS
from expectations.rules import book, rule
from expectations.rules.rule import Disposition, Phase, Rule, Scope
from expectations.suites import selftest
from flows.batch import grounds, steps

standing = importlib.import_module("expectations.instruments.standing")  # the package's `standing` is the function
ROOT = Path(expectations.__file__).parents[1]

# A list → the module that does not import while a member of it has no behaviour.
AT_IMPORT: dict[type[Enum], ModuleType] = {
    Effect: effects,
    Disposition: rule,
    Phase: rule,
    Scope: rule,
    CodePhase: codes,
    Outcome: lists,
    Stage: selftest,
    Corroboration: corroboration,
    checks.Kind: checks,
    parse.Kind: parse,
}
# A list → the module in which mypy finds that a branch leaves a member of it out. How data files are written and
# compressed is tried format by format in tests/pipelines/ingest/test_decode.py.
IN_MYPY: dict[type[Enum], ModuleType] = {OnBatch: standing, checks.Kind: evaluate, Status: steps, Source: grounds}


def place(of: type[Enum] | ModuleType) -> Path:
    """Its file, from the root of the project."""
    return Path(str(inspect.getsourcefile(of))).relative_to(ROOT)


def longer(path: Path, name: str) -> None:
    """Adds a member to the enum `name` in the file."""
    head = rf'(class {name}\(StrEnum\):\n(?:    """(?:.|\n)*?"""\n\n)?)'
    text, added = re.subn(head, r'\1    ADDED = "added"\n', path.read_text(), count=1)
    assert added == 1, f"no enum {name} in {path.name}"
    path.write_text(text)


def copied(to: Path, *packages: str) -> Path:
    for package in packages:
        shutil.copytree(ROOT / package, to / package, ignore=shutil.ignore_patterns("__pycache__"))
    return to


@pytest.mark.parametrize("closed", AT_IMPORT, ids=lambda closed: f"{closed.__module__}.{closed.__name__}")
def test_a_member_without_behaviour_fails_at_import(closed: type[Enum], tmp_path: Path) -> None:
    copy = copied(tmp_path, "expectations")
    longer(copy / place(closed), closed.__name__)
    done = python(copy, "-c", f"import {AT_IMPORT[closed].__name__}")
    missing = f"LIST_INCOMPLETE: {closed.__name__} has members without behaviour: ADDED"
    assert done.returncode != 0 and missing in done.stderr


@pytest.mark.slow
def test_a_member_that_a_branch_leaves_out_is_found_by_mypy(tmp_path: Path) -> None:
    copy = copied(tmp_path, "expectations", "pipelines", "flows")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for closed in IN_MYPY:
        longer(copy / place(closed), closed.__name__)
    said = python(copy, "-m", "mypy", "--cache-dir", str(tmp_path / "cache")).stdout
    found = {line.split(":")[0] for line in said.splitlines() if '"assert_never"' in line}
    assert found == {str(place(module)) for module in IN_MYPY.values()}, said


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python on a copy of the packages."""
    alone = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=alone, capture_output=True, text=True)


def test_a_table_that_leaves_a_member_out_is_a_fault() -> None:
    class Longer(Enum):
        ADDED = "added"

    with pytest.raises(Fault, match="LIST_INCOMPLETE"):
        total(Longer, {})


def test_every_effect_answers_every_question_in_one_way() -> None:
    for effect, does in EFFECTS.items():
        if does.idle:  # nothing that it could do to a request, or keep from being destroyed
            assert does.on_batch is OnBatch.GOES_ON and not (does.restricts or does.keeps_evidence), effect
            assert not (does.reaches_back or does.preserves), effect
        else:  # an order that stands against requests says what it takes away, or stops them
            assert does.on_batch is not OnBatch.GOES_ON or does.restricts, effect
    assert set(EFFECTS) == set(Effect)


@pytest.mark.parametrize("kind", KINDS)
def test_an_instrument_says_the_kind_that_it_is_known_by(kind: str) -> None:
    field = KINDS[cast(Any, kind)].model_fields["kind"]
    assert field.annotation.__args__ == (str(kind),)  # type: ignore[union-attr]


def test_every_rule_reads_facts_that_there_are() -> None:
    counts = {"rows_submitted", "rows_dropped", "rows_open", "incomplete_rows", "worst_file_incomplete_share"}
    counts |= {"codes_over_limit", "identical_reason_rows", "busiest_officer_rows"}
    assert {name for rule in book.batch_rules() for name in rule.inputs} <= {*LETTER_FACTS, *counts}


MISPLACED = [
    (Scope.ROW, Phase.REQUEST, Disposition.HOLD_BATCH, CodePhase.REQUEST),
    (Scope.BATCH, Phase.REQUEST, Disposition.HOLD_ROW, CodePhase.BATCH),
    (Scope.ROW, Phase.REGISTER, Disposition.HOLD_ROW, CodePhase.REQUEST),  # would tell what the register holds
    (Scope.ROW, Phase.REQUEST, Disposition.HOLD_ROW, CodePhase.REGISTER),
    (Scope.BATCH, Phase.REQUEST, Disposition.REFUSE_BATCH, CodePhase.REQUEST),
]


@pytest.mark.parametrize(("scope", "phase", "disposition", "of"), MISPLACED)
def test_a_rule_ends_and_speaks_as_its_scope_and_phase_do(
    scope: Scope, phase: Phase, disposition: Disposition, of: CodePhase
) -> None:
    with pytest.raises(Fault, match="RULE_MISPLACED"):
        Rule("a.rule", scope, phase, ("zip",), "zip <> '0'", disposition, Code("A_CODE", of, "m", "f", "s"))
