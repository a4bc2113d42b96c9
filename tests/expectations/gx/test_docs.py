"""Data Docs are rendered from kept results, and show counts, rule ids and sources of law only."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from expectations.base.errors import BadInput
from expectations.gx import checkpoint, checks
from expectations.gx.docs import render
from expectations.gx.verdict import Status

CANARY = "ZZCANARYZZ"
ZIP = checks.condition(("address.zip", "rows", "NO_ZIP"), ["zip"], "regexp_full_match(zip, '[0-9]{5}')", {})
SUITE = checks.Suite("intake", "rows", (ZIP, checks.unique("intake.one_row", "rows", "zip")))
ROWS = f"SELECT CASE WHEN range > 7 THEN '{CANARY}' ELSE '1234' || range END AS zip FROM range(10)"


def _kept(batch: str) -> dict[str, object]:
    verdict = checkpoint.run(SUITE, {"rows": ROWS}, rows=10)
    assert verdict.status == Status.HOLD
    return json.loads(json.dumps(verdict.to_dict())) | {"batch": batch}


def test_pages_hold_counts_and_sources_and_no_value(tmp_path: Path) -> None:
    index = render([_kept("b-one"), _kept("b-two")], tmp_path / "docs")
    pages = [p.read_text() for p in (tmp_path / "docs").rglob("*.html")]
    assert index.exists() and len(pages) == 3
    assert sum("address.zip" in page and "USPS DMM 602 1.3" in page for page in pages) == 2
    assert sum("2 of 10 rows fail" in page for page in pages) == 2
    assert all(CANARY not in page for page in pages)
    assert {p.name for p in tmp_path.iterdir()} == {"docs"}  # nothing is left of the work


def test_pages_name_the_table_of_each_rule(tmp_path: Path) -> None:
    other = checks.condition(("intake.other", "other", "COUNTS_DIFFER"), ["n"], "n = 0", {})
    verdict = checkpoint.run(
        checks.Suite("intake", "rows", (ZIP, other)), {"rows": ROWS, "other": "SELECT 0 AS n"}, rows=10
    )
    render([verdict.to_dict() | {"batch": "b-one"}], tmp_path / "docs")
    page = "".join(p.read_text() for p in (tmp_path / "docs" / "validations").rglob("*.html"))
    told = re.sub(r"<[^>]*>|\s+", " ", page)
    for line in ("address.zip : 100% of the rows of rows must", "intake.other : 100% of the rows of other must"):
        assert re.sub(r"\s", "", line) in re.sub(r"\s", "", told)


def test_a_site_is_replaced_and_another_folder_is_left_alone(tmp_path: Path) -> None:
    render([_kept("b-one")], tmp_path / "docs")
    render([_kept("b-two")], tmp_path / "docs")
    shown = [str(p) for p in (tmp_path / "docs").rglob("*.html")]
    assert any("b-two" in p for p in shown) and not any("b-one" in p for p in shown)
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="DOCS_TARGET"):
        render([_kept("b-one")], other)
    assert (other / "mine.txt").exists()


def test_a_kept_result_that_cannot_be_read_is_named_by_its_batch_only(tmp_path: Path) -> None:
    broken = {"batch": "b-one", "gx": [{"results": CANARY, "meta": {}}]}
    with pytest.raises(BadInput, match="b-one") as caught:
        render([broken], tmp_path / "docs")
    assert CANARY not in str(caught.value)
