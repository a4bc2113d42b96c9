"""Rows that were derived ahead: they count only for the same raw fields, and then every verdict is the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from expectations.base.duck import DuckSettings, parquet
from expectations.gx.verdict import Status, Verdict
from expectations.suites import derived, made
from expectations.suites.ahead import Ahead
from tests.expectations.suites.test_suites import EXTRA, FORGED, LETTER, MODULES, _edit, _set, _without

Change = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
CASES = [case for case in FORGED if case[0] in ("intake", "eligibility")]


def _begun(inputs: Any, folder: Path) -> Ahead:
    raw, agreed = parquet([folder / "rows.parquet"]), (inputs.premises, inputs.left_out)
    begun = Ahead(raw, inputs.letter, agreed, derived.setup(inputs.facilities), DuckSettings().for_rows(9))
    assert begun.of([folder / "rows.parquet"], inputs.letter) is not None
    return begun


def _said(verdict: Verdict) -> list[tuple[str, int | None, int | None, str | None]]:
    return [(r.check, r.rows, r.failed, r.error) for r in verdict.results]


@pytest.mark.parametrize(("name", "changes", "checks"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)])
def test_a_verdict_is_the_same_with_them(
    name: str, changes: dict[str, Change], checks: set[str], tmp_path: Path
) -> None:
    inputs = getattr(made.Batch(tmp_path, LETTER, EXTRA if len(checks) > 3 else {}), name)()
    begun = _begun(inputs, tmp_path)
    for file, change in changes.items():
        _edit(tmp_path, file, change)
    found = begun.of([tmp_path / "rows.parquet"], inputs.letter)
    assert _said(MODULES[name].check(replace(inputs, ahead=found))) == _said(MODULES[name].check(inputs))


@pytest.mark.parametrize("name", ["intake", "eligibility"])
def test_what_a_stage_wrote_beside_the_raw_fields_is_compared_with_them(name: str, tmp_path: Path) -> None:
    inputs = getattr(made.Batch(tmp_path, LETTER, {}), name)()
    begun = _begun(inputs, tmp_path)
    _edit(tmp_path, "rows", _set(0, a_street="OTHER AVE", a_codes=["NO_ZIP"]))
    found = begun.of([tmp_path / "rows.parquet"], inputs.letter)
    assert found is not None
    failed = {r.check for r in MODULES[name].check(replace(inputs, ahead=found)).failed}
    assert failed == ({"intake.columns_again"} if name == "intake" else set())  # the other reads raw fields only


CHANGES: dict[str, Change] = {
    "another street": _set(0, street="101 MAIN ST"),
    "a street that is gone": _set(0, street=None),
    "a name": _set(0, last_name="EXAMPLE "),
    "another place of the row": _set(0, ordinal=7),
    "another origin": _set(0, origin="decoy"),
    "a row gone": _without(0),
    "a row twice": lambda rows: [*rows, rows[0]],
    "a row in the place of another": lambda rows: [rows[0], *rows[:-1]],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_other_raw_fields_are_not_looked_up(change: Change, tmp_path: Path) -> None:
    begun = _begun(made.Batch(tmp_path, LETTER, {}).intake(), tmp_path)
    _edit(tmp_path, "rows", change)
    assert begun.of([tmp_path / "rows.parquet"], LETTER) is None


def test_what_came_of_them_under_another_letter_is_not_looked_up(tmp_path: Path) -> None:
    begun = _begun(made.Batch(tmp_path, LETTER, {}).intake(), tmp_path)
    assert begun.of([tmp_path / "rows.parquet"], replace(LETTER, officers=("SOMEBODY ELSE",))) is None
    other = replace(LETTER, requester_is_party=False)  # of the batch: no rule reads it beside a row
    assert begun.of([tmp_path / "rows.parquet"], other) is not None


def test_what_cannot_be_derived_ahead_is_derived_as_ever(tmp_path: Path) -> None:
    inputs = made.Batch(tmp_path, LETTER, {}).intake()
    nowhere = Ahead(parquet([tmp_path / "none.parquet"]), LETTER, ((), ()), derived.setup(), DuckSettings())
    assert nowhere.of([tmp_path / "rows.parquet"], LETTER) is None
    assert MODULES["intake"].check(replace(inputs, ahead=None)).failed == ()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _without_a_column(path: Path) -> None:
    pq.write_table(pq.read_table(path).drop_columns(["street"]), path)


@pytest.mark.parametrize("name", ["intake", "eligibility"])
@pytest.mark.parametrize("spoil", [Path.unlink, _cut, _without_a_column])
def test_rows_that_cannot_be_read_end_in_a_verdict(name: str, spoil: Callable[[Path], None], tmp_path: Path) -> None:
    inputs = getattr(made.Batch(tmp_path, LETTER, {}), name)()
    begun = _begun(inputs, tmp_path)
    spoil(tmp_path / "rows.parquet")
    found = begun.of([tmp_path / "rows.parquet"], inputs.letter)
    assert found is None
    assert MODULES[name].check(replace(inputs, ahead=found)).status is Status.ERROR
