"""Closed lists are total: a member added to one without behaviour fails at import, in mypy, or closes.

Each list is tried: in a copy of the package it gets one member more, and nothing else is changed.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import duckdb
import pytest

from expectations.base.errors import Fault
from expectations.base.total import total
from expectations.code import Code, CodePhase
from expectations.facts.letter import LETTER_FACTS
from expectations.instruments.effects import EFFECTS, Effect, OnBatch
from expectations.instruments.parse import KINDS
from expectations.rules import book
from expectations.rules.rule import Disposition, Phase, Rule, Scope
from expectations.suites import eligibility, matching
from tests.factories.paths import ROOT

PACKAGES = ("expectations", "pipelines", "flows")

# A list → the module that does not import while a member of it has no behaviour, by the path of the list.
AT_IMPORT = {
    "expectations.instruments.effects.Effect": "expectations.instruments.effects",
    "expectations.instruments.law.Office": "expectations.instruments.law",
    "expectations.instruments.law.Purpose": "expectations.instruments.law",
    "expectations.instruments.letter.FileFormat": "pipelines.read.formats",
    "expectations.instruments.letter.Compression": "pipelines.read.formats",
    "expectations.instruments.parse.Kind": "expectations.instruments.parse",
    "expectations.rules.rule.Disposition": "expectations.rules.rule",
    "expectations.rules.rule.Phase": "expectations.rules.rule",
    "expectations.rules.rule.Scope": "expectations.rules.rule",
    "expectations.code.CodePhase": "expectations.codes",
    "expectations.contracts.lists.Corroboration": "expectations.facts.corroboration",
    "expectations.contracts.lists.Origin": "pipelines.validate",
    "expectations.contracts.lists.Outcome": "expectations.contracts.lists",
    "expectations.contracts.lists.Stage": "expectations.suites.selftest",
    "expectations.contracts.lists.Tier": "pipelines.match.tiers",
    "expectations.gx.checks.Kind": "expectations.gx.checks",
    "pipelines.match.outcomes.MatchOutcome": "pipelines.match.outcomes",
    "pipelines.register.delta.Kind": "pipelines.register.delta",
    "pipelines.register.mapping.RegisterFormat": "pipelines.register.table",
    "pipelines.simulate.profiles.Kind": "pipelines.simulate.profiles",
    "flows.batch.clauses.Clause": "flows.batch.clauses",
    "flows.operations.instruments.Metric": "flows.operations.instruments",
    "flows.ledger.database.rights.Service": "flows.ledger.database.rights",
    "flows.ledger.proposed.Proposed": "flows.ledger.changes",
    "flows.schedule.notice.Notice": "flows.schedule.notice",
    "flows.schedule.retries.Part": "flows.schedule.retries",
    "flows.schedule.things.Kind": "flows.schedule.things",
    "flows.cli.operator.Change": "flows.cli.operator",
    "flows.batch.figures.Measure": "flows.batch.figures",
    "flows.batch.spreads.Limit": "flows.batch.spreads",
    "flows.batch.spreads.Spread": "flows.batch.spreads",
    "flows.console.web.watch.Sight": "flows.console.web.watch",
    "flows.cases.Step": "flows.cases.steps",
    "flows.ledger.database.models.KeyName": "flows.home.keys",
    "flows.ledger.database.models.SealKind": "flows.operations.backup",
    "flows.ledger.hashed.Hashed": "flows.ledger.bulk",
    "expectations.base.algorithms.Scheme": "expectations.base.algorithms",
    "flows.ledger.decisions.Decision": "flows.ledger.decisions",
    "flows.ledger.decisions.Reason": "flows.ledger.decisions",
    "flows.ledger.events.base.Kind": "flows.ledger.events",
    "flows.ledger.facts.View": "flows.ledger.facts",
    "flows.ledger.looks.LookReason": "flows.ledger.looks",
    "flows.ledger.roles.Act": "flows.ledger.roles",
    "flows.ledger.roles.Role": "flows.ledger.roles",
    "flows.ledger.calling.CallReason": "flows.ledger.calling",
    "flows.ledger.snoozing.SnoozeReason": "flows.ledger.snoozing",
    "flows.ledger.lifecycles.cases.CaseReason": "flows.cases.documents",
    "flows.ledger.lifecycles.cases.CaseState": "flows.cases.watching",
    "flows.ledger.lifecycles.cases.Proof": "flows.ledger.lifecycles.cases",
    "flows.ledger.lifecycles.states.Checkpoint": "flows.ledger.lifecycles.states",
    "flows.ledger.lifecycles.states.State": "flows.batch.plan",
}
# A list → the module in which mypy finds that a branch leaves a member of it out.
IN_MYPY = {
    "expectations.base.places.Form": "expectations.base.places",
    "expectations.facts.letter.Source": "flows.batch.grounds",
    "expectations.gx.checks.Kind": "expectations.gx.declare",
    "expectations.gx.verdict.Status": "flows.batch.steps",
    "expectations.instruments.effects.OnBatch": "expectations.instruments.standing",
    "pipelines.lake.runner.Runner": "pipelines.lake.runner",
    "pipelines.release.outcomes.Kind": "pipelines.release.outcomes",
    "flows.batch.plan.Step": "flows.batch.steps",
    "flows.console.web.needs.Proof": "flows.console.web.guard",
    "flows.operations.instruments.Measure": "flows.operations.telemetry",
    "flows.ledger.lifecycles.states.Cause": "flows.ledger.events.moves",
    "flows.reports.Format": "flows.reports.render",
}
# Words that are only recorded: no branch reads them. A list → the page that says what each of them means.
RECORDED = {
    **dict.fromkeys((f"flows.ledger.facts.{name}" for name in ("Page", "Way", "Failure")), "console.md"),
    "pipelines.register.update.Change": "register.md",
}
# What a checkpoint compares: a member that its predicates do not know fails there, and the batch is held.
CLOSES = {"pipelines.control_rows.workshop.End"}
# What fails where a list has a member more, if it is not a table made with `total`.
OTHERWISE = {
    "pipelines.simulate.profiles.Kind": "KeyError: <Kind.ADDED: 'added'>",
    **dict.fromkeys(
        ("flows.ledger.events.base.Kind", "flows.ledger.lifecycles.states.State"),
        "kinds of events without a class, or classes without a kind: ['added']",
    ),
    "flows.ledger.lifecycles.states.Checkpoint": "ValueError: zip() argument 2 is shorter than argument 1",
}


def closed_lists() -> set[str]:
    """The path of every enum of the product."""
    found = set()
    for file in (f for package in PACKAGES for f in sorted((ROOT / package).rglob("*.py"))):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases):
                found.add(f"{module}.{node.name}")
    return found


def place(module: str) -> Path:
    """Its file, from the root of the project."""
    path = Path(*module.split("."))
    return path / "__init__.py" if (ROOT / path).is_dir() else path.with_suffix(".py")


def longer(copy: Path, closed: str) -> None:
    """Adds a member to the enum in a copy of the packages."""
    module, _, name = closed.rpartition(".")
    head = rf'(class {name}\(StrEnum\):\n(?:    """(?:.|\n)*?"""\n\n)?)'
    path = copy / place(module)
    text, added = re.subn(head, r'\1    ADDED = "added"\n', path.read_text(), count=1)
    assert added == 1, f"no enum {name} in {path.name}"
    path.write_text(text)


def copied(to: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, to / package, ignore=shutil.ignore_patterns("__pycache__"))
    return to


def test_every_list_has_its_proof() -> None:
    assert closed_lists() == {*AT_IMPORT, *IN_MYPY, *RECORDED, *CLOSES}


@pytest.mark.parametrize("closed", AT_IMPORT)
def test_a_member_without_behaviour_fails_at_import(closed: str, tmp_path: Path) -> None:
    copy = copied(tmp_path)
    longer(copy, closed)
    done = python(copy, "-c", f"import {AT_IMPORT[closed]}")
    name = closed.rpartition(".")[2]
    missing = OTHERWISE.get(closed, f"LIST_INCOMPLETE: {name} has members without behaviour: ADDED")
    assert done.returncode != 0 and missing in done.stderr, done.stderr[-500:]


@pytest.mark.slow
def test_a_member_that_a_branch_leaves_out_is_found_by_mypy(tmp_path: Path) -> None:
    copy = copied(tmp_path)
    shutil.copy(ROOT / "pyproject.toml", copy)
    for closed in IN_MYPY:
        longer(copy, closed)
    said = python(copy, "-m", "mypy", "--cache-dir", str(tmp_path / "cache")).stdout
    found = [line for line in said.splitlines() if '"assert_never"' in line]
    for closed, module in IN_MYPY.items():  # each by its own name: one file may branch on several lists
        ours = (str(place(module)), f"[{closed.rpartition('.')[2]}.ADDED]")
        assert any(line.startswith(ours[0]) and ours[1] in line for line in found), (closed, said)


@pytest.mark.parametrize("closed", RECORDED)
def test_every_recorded_word_is_explained_on_its_page(closed: str) -> None:
    module, _, name = closed.rpartition(".")
    page = (ROOT / "infra/docs" / RECORDED[closed]).read_text()
    assert [member for member in getattr(importlib.import_module(module), name) if f"`{member}`" not in page] == []


@pytest.mark.parametrize("suite", [matching, eligibility])
def test_a_control_row_with_an_end_that_no_checkpoint_knows_is_not_right(suite: ModuleType) -> None:
    check = next(c for c in suite.suite().checks if c.id.endswith(".decoys"))
    row = ", ".join(f"'added' AS {c}" if c == "expected" else f"NULL AS {c}" for c in check.arguments["columns"])
    assert duckdb.sql(f"SELECT coalesce({check.arguments['predicate']}, false) FROM (SELECT {row})").fetchall() == [
        (False,)
    ]


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
            assert does.on_batch is OnBatch.GOES_ON and not (does.restricts or does.bars or does.keeps_evidence), effect
            assert not (does.reaches_back or does.preserves), effect
        else:  # an order that stands against requests says what it takes away, or stops them
            assert does.on_batch is not OnBatch.GOES_ON or does.restricts or does.bars, effect
    assert set(EFFECTS) == set(Effect)


@pytest.mark.parametrize("kind", KINDS)
def test_an_instrument_says_the_kind_that_it_is_known_by(kind: str) -> None:
    field = KINDS[cast(Any, kind)].model_fields["kind"]
    assert field.annotation.__args__ == (str(kind),)  # type: ignore[union-attr]


def test_every_rule_reads_facts_that_there_are() -> None:
    counts = {"rows_submitted", "rows_dropped", "incomplete_rows", "worst_file_incomplete_share"}
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
