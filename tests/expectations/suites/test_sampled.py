"""Samples: what one bounds, that it is the same again, and that a batch larger than it is judged rightly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.base import duck
from expectations.gx.verdict import Status
from expectations.suites import eligibility, intake, made, made_letter, sampled, twin

LETTER = made_letter.letter_facts()
MANY = {n: {} for n in range(10, 40)}


def test_a_share_of_a_thousandth_is_not_missed() -> None:
    assert sampled.missed() < 2e-11
    assert sampled.missed(1000) > 0.3  # a sample of a thousand would say little


def test_a_sample_is_the_same_again_and_another_under_another_seed() -> None:
    with duck.session() as connection:
        connection.execute("CREATE TABLE t AS SELECT range::BIGINT AS ordinal FROM range(1000)")

        def chosen(seed: str) -> set[int]:
            query = sampled.chosen("t", "ordinal % 2 = 0", seed, 100)
            return {row[0] for row in connection.execute(query).fetchall()}

        first = chosen("a")
        assert first == chosen("a") and len(first) == 100 and not any(n % 2 for n in first)
        assert len(first & chosen("b")) < 50


def _edit(path: Path, **changes: object) -> None:
    """Changes every request but the first of a committed stage."""
    table = pq.read_table(path)
    rows = [{**r, **changes} if r["ordinal"] >= 10 else r for r in table.to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


@pytest.mark.slow
def test_a_batch_larger_than_the_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are passed on are all judged; the twin, held rows and intake look at a sample of what was chosen."""
    monkeypatch.setattr(sampled, "SAMPLE", 5)
    monkeypatch.setattr(twin, "SAMPLE", 5)
    batch = made.Batch(tmp_path, LETTER, MANY)
    inputs, before = batch.eligibility(), replace(batch.intake(), dropped=None)
    good = eligibility.check(inputs)
    assert good.status == Status.PASS, [(r.check, r.error) for r in good.failed]
    looked_at = {r.check: r.rows for r in good.results}
    assert looked_at["disclosure.corroborated"] == len(MANY) + 2  # and the first row, and a control row
    assert looked_at["eligibility.second_opinion"] == 5 + 1  # and a control row: each origin has a sample
    sample = {r.check: (r.ok, r.rows) for r in intake.check(before).results}
    assert sample["intake.rows_derived"] == (True, 1)
    assert sample["intake.codes_again"] == (True, 5 + len(made.CONTROL_ROWS))
    assert sample["intake.outcome_again"] == (True, len(MANY) + 1 + len(made.CONTROL_ROWS))  # of all rows
    _edit(tmp_path / "rows.parquet", a_street="ELSEWHERE ST")
    assert "intake.columns_again" in {r.check for r in intake.check(before).failed}
