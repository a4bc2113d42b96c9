"""One GX batch serves the rules of several tables: none of them hides another, and counts alone are kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from expectations.base.duck import session
from expectations.gx import checkpoint, checks, declare, evaluate
from expectations.gx.verdict import Status
from tests.expectations.gx.test_checkpoint import CANARY, GOOD, SUITE, ZIP, _most, _run, _table, _with

NOTHING = checks.condition(("nothing", "other", "COUNTS_DIFFER"), ["n"], "n = 0", {})
FEW = checks.share(("few", "other", "NO_ZIP"), "n", "n < 1", 0.5, {})


def test_one_batch_serves_the_rules_of_several_tables(tmp_path: Path) -> None:
    """GX takes as long for each batch as for many rules; each result says whose table it is of."""
    suite = checks.Suite("sample", "rows", (*SUITE.checks, NOTHING, FEW))
    tables = {**_table(tmp_path, GOOD), "other": "SELECT range - range AS n FROM range(3)"}
    verdict = checkpoint.run(suite, tables, rows=5)
    assert verdict.status == Status.PASS
    assert [(r.rows, r.failed) for r in verdict.results[-2:]] == [(3, 0)] * 2
    assert [kept["suite_name"] for kept in verdict.gx] == ["sample.rows"]
    said = {r["expectation_config"]["meta"]["check"]: r["expectation_config"]["meta"] for r in verdict.gx[0]["results"]}
    assert {check: meta["table"] for check, meta in said.items()} == {r.check: r.table for r in verdict.results}


def test_what_needs_a_batch_of_its_own_has_one(tmp_path: Path) -> None:
    suite = checks.Suite("sample", "rows", (ZIP, checks.unique("n", "other", "n"), NOTHING))
    tables = {**_table(tmp_path, GOOD), "other": "SELECT 0 AS n FROM range(2)"}
    verdict = checkpoint.run(suite, tables, rows=5)
    assert [(r.check, r.failed) for r in verdict.failed] == [("n", 2)]
    assert {kept["suite_name"]: len(kept["results"]) for kept in verdict.gx} == {"sample.rows": 3, "sample.other": 2}


def test_a_rule_that_explodes_on_a_side_table_hinders_itself_alone(tmp_path: Path) -> None:
    bomb = checks.condition(("bomb", "other", "COUNTS_DIFFER"), ["s"], "CAST(s AS INTEGER) = 0", {})
    bad = checks.condition(("bad", "other", "COUNTS_DIFFER"), ["s"], "s = ''", {})
    suite = checks.Suite("sample", "rows", (*SUITE.checks, bomb, bad, NOTHING))
    tables = {**_table(tmp_path, _with(zip="1234")), "other": "SELECT 0 AS n, 'x' AS s"}
    verdict = checkpoint.run(suite, tables, rows=5)
    assert verdict.status == Status.ERROR
    ended = {r.check: (r.ok, r.error) for r in verdict.failed}
    assert ended == {"bomb": (None, "NOT_EVALUATED"), "zip": (False, None), "bad": (False, None)}


def test_a_side_table_that_is_gone_hinders_its_own_checks_alone() -> None:
    with session() as connection:
        connection.execute("CREATE TABLE rows AS SELECT '12345' AS zip")
        found, _ = checkpoint.evaluate(connection, "sample", {"rows": [ZIP], "other": [NOTHING, FEW]}, 1)
    assert {f.check: (f.success, f.error) for f in found} == {
        "zip": (True, None),
        "nothing": (False, "NOT_EVALUATED"),
        "few": (False, "NOT_EVALUATED"),
    }


def test_a_main_table_that_cannot_be_made_hides_no_other(tmp_path: Path) -> None:
    suite = checks.Suite("sample", "rows", (ZIP, NOTHING))
    verdict = checkpoint.run(suite, {"rows": "SELECT (", "other": "SELECT 1 AS n"}, rows=5)
    assert verdict.status == Status.ERROR
    assert {r.check: r.ok for r in verdict.results} == {"sample.rows": None, "zip": None, "nothing": False}


def test_an_expectation_that_cannot_be_made_hinders_itself_alone(tmp_path: Path) -> None:
    wrong = replace(ZIP, id="wrong", arguments={"predicate": None})
    verdict = _run(tmp_path, GOOD, checks.Suite("sample", "rows", (ZIP, wrong)))
    assert verdict.status == Status.ERROR
    assert [(r.check, r.error) for r in verdict.failed] == [("wrong", "ValidationError")]


def test_a_source_that_cannot_be_made_leaves_nothing_evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr(declare, "add_source", broken)
    verdict = _run(tmp_path, GOOD)
    assert (verdict.status, verdict.evaluated, verdict.gx) == (Status.ERROR, 0, ())
    assert {r.error for r in verdict.results} == {"ValueError"}


def test_what_is_kept_is_what_gx_itself_would_write_without_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: list[dict[str, Any]] = []
    reduced = evaluate.reduced

    def both(result: Any) -> dict[str, Any]:
        whole.append(result.to_json_dict())
        return reduced(result)

    monkeypatch.setattr(evaluate, "reduced", both)
    suite = checks.Suite("sample", "rows", (*SUITE.checks, *_most(0.1).checks[1:]))
    kept = _run(tmp_path, _with(zip=None), suite).gx[0]
    (its,) = whole
    assert kept["meta"] == {name: its["meta"][name] for name in kept["meta"]}
    for name in ("success", "suite_name", "suite_parameters", "statistics", "id"):
        assert kept[name] == its[name]
    for one, its_one in zip(kept["results"], its["results"], strict=True):
        for name in ("success", "expectation_config", "result", "meta"):
            assert one[name] == its_one[name]


def test_gx_keeps_no_result_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, it holds what an exception says, and that may quote a value."""
    from great_expectations.data_context.store.in_memory_store_backend import InMemoryStoreBackend

    stored: list[str] = []
    whole = InMemoryStoreBackend._set

    def noted(self: InMemoryStoreBackend, key: tuple[str, ...], value: object, **given: object) -> None:
        stored.append(f"{key}{value}")
        whole(self, key, value, **given)

    monkeypatch.setattr(InMemoryStoreBackend, "_set", noted)
    bomb = checks.condition(("bomb", "rows", "NO_ZIP"), ["zip"], "CAST(zip AS INTEGER) > 0", {})
    assert _run(tmp_path, _with(zip=CANARY), checks.Suite("sample", "rows", (bomb,))).status == Status.ERROR
    assert stored and not [one for one in stored if CANARY in one or "bomb" in one]
