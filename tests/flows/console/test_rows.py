"""The list of rows that go no further: each under each of its codes, control rows left out, and nobody is told who is
protected."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.base.duck import default_settings
from flows.console import rows
from flows.home.tree import Home
from flows.ledger.lifecycles.states import Checkpoint

JUDGED = [
    (0, "request", []),
    (1, "request", ["NOT_CORROBORATED", "OFFICER_NOT_IN_LETTER"]),
    (2, "request", ["PROTECTED"]),
    (3, "request", ["NOT_CORROBORATED", "PROTECTED"]),
    (4, "decoy", ["NOT_CORROBORATED"]),
    (5, "request", ["NOT_CORROBORATED"]),
]


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> rows.Rows:
    file = tmp_path / "verdicts.parquet"
    columns: list[Any] = [list(column) for column in zip(*JUDGED, strict=True)]
    pq.write_table(pa.table(columns, names=["ordinal", "origin", "codes"]), file)
    stored = SimpleNamespace(paths=lambda _: [str(file)], digest="0" * 64)
    for name in ("read_manifest", "stated"):
        monkeypatch.setattr(rows.lake, name, lambda _: stored)
    home = SimpleNamespace(lake=tmp_path, duck=default_settings(str(tmp_path / "spill")))
    return rows.Rows(cast(Home, home), "b-1", Checkpoint.ELIGIBILITY)


EXPECTED = [("NOT_CORROBORATED", 1), ("NOT_CORROBORATED", 5), ("OFFICER_NOT_IN_LETTER", 1)]


def test_a_page_has_them_by_code_and_number_and_nobody_who_is_protected(listed: rows.Rows) -> None:
    count, found = listed.page(1)
    assert count == len(EXPECTED) and [(code, number) for code, number, *_ in found] == EXPECTED
    assert listed.page(2) == (len(EXPECTED), [])


def test_the_file_has_the_same(listed: rows.Rows, tmp_path: Path) -> None:
    listed.write(tmp_path / "rows.csv")
    lines = (tmp_path / "rows.csv").read_text().splitlines()[1:]
    assert [line.split(",")[:2] for line in lines] == [[code, str(number)] for code, number in EXPECTED]


def test_lists_are_kept_by_their_rows_and_the_one_longest_not_asked_for_goes_first(
    listed: rows.Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {(f"b-{n}", "0"): pa.table({"n": range(10)}) for n in range(100)}
    monkeypatch.setattr(rows, "_lists", OrderedDict(few))
    listed.page(1)
    assert len(rows._lists) == 101  # a large list stays beside many small ones
    monkeypatch.setattr(rows, "_KEPT", 50_000)
    rows._lists.move_to_end(("b-0", "0"))
    rows._forget(("b-1", "0"))
    left = [name for name, _ in rows._lists]
    assert len(left) == 50  # a short one counts, too
    assert left[0] == "b-1" and left[-1] == "b-0" and "b-2" not in left
    monkeypatch.setattr(rows, "_KEPT", 0)
    rows._forget(("b-0", "0"))
    assert list(rows._lists) == [("b-0", "0")]  # what is being shown
