"""A checkpoint passes only what it has looked at: each way in which a gate could be fooled is tried here."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.base.duck import DuckSettings, parquet
from expectations.base.errors import Fault
from expectations.codes import code
from expectations.gx import checkpoint, checks
from expectations.gx.verdict import Status, Verdict
from expectations.rules.rule import Disposition, Phase, Rule, Scope

CANARY = "ZZCANARYZZ"
ZIP = checks.condition(("zip", "rows", "NO_ZIP"), ["zip"], "regexp_full_match(zip, '[0-9]{5}')", {})
ID = checks.unique("id", "rows", "ordinal")
OUTCOME = checks.in_set("outcome", "rows", "outcome", ["held"], null=True, code="VERDICT_DIFFERS")
ORIGIN = checks.in_set("origin", "rows", "origin", ["request", "decoy"], null=False, code="VERDICT_DIFFERS")
SUITE = checks.Suite("sample", "rows", (ID, ZIP, OUTCOME, ORIGIN))
SCHEMA = pa.schema([("ordinal", pa.int64()), ("zip", pa.string()), ("outcome", pa.string()), ("origin", pa.string())])
GOOD = [{"ordinal": n, "zip": "12345", "outcome": "held" if n else None, "origin": "request"} for n in range(5)]


def _table(folder: Path, rows: list[dict[str, object]], schema: pa.Schema = SCHEMA) -> dict[str, str]:
    path = folder / "part.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return {"rows": parquet([path])}


def _run(folder: Path, rows: list[dict[str, object]], suite: checks.Suite = SUITE, said: int | None = None) -> Verdict:
    return checkpoint.run(suite, _table(folder, rows), rows=len(rows) if said is None else said)


def _with(**changes: object) -> list[dict[str, object]]:
    return [*GOOD[:-1], {**GOOD[-1], **changes}]


def test_good_rows_pass_and_everything_declared_was_evaluated(tmp_path: Path) -> None:
    verdict = _run(tmp_path, GOOD)
    assert verdict.status == Status.PASS
    assert verdict.declared == verdict.evaluated == len(SUITE.checks) + 1
    assert [(r.rows, r.failed) for r in verdict.results[1:]] == [(5, 0)] * 4
    assert verdict.codes == ()


@pytest.mark.parametrize(
    ("changes", "failing"),
    [
        ({"zip": "1234"}, "zip"),
        ({"zip": None}, "zip"),
        ({"ordinal": 0}, "id"),
        ({"ordinal": None}, "id"),
        ({"outcome": "gone"}, "outcome"),
        ({"origin": "elsewhere"}, "origin"),
        ({"origin": None}, "origin"),
    ],
)
def test_one_bad_row_holds_and_only_its_check_fails(tmp_path: Path, changes: dict[str, object], failing: str) -> None:
    verdict = _run(tmp_path, _with(**changes))
    assert verdict.status == Status.HOLD
    assert [r.check for r in verdict.failed] == [failing]
    assert verdict.failed[0].failed in (1, 2)  # GX counts both rows of a pair that is not unique
    assert verdict.failed[0].source


def test_a_failed_check_that_refuses_refuses(tmp_path: Path) -> None:
    order = Rule(
        "order", Scope.BATCH, Phase.REQUEST, ("zip",), "zip <> '12345'", Disposition.REFUSE_BATCH, code("COURT_ORDER")
    )
    verdict = _run(tmp_path, GOOD, checks.Suite("sample", "rows", (ZIP, checks.rule(order, "rows"))))
    assert verdict.status == Status.REFUSE
    assert verdict.codes == ("COURT_ORDER",)


def test_all_null_rows_never_pass(tmp_path: Path) -> None:
    nothing = [dict.fromkeys(SCHEMA.names) for _ in range(3)]
    assert _run(tmp_path, nothing).status != Status.PASS
    # GX's default leaves such rows out of a rule over several columns, and would pass it
    both = checks.condition(("both", "rows", "NO_ZIP"), ["zip", "origin"], "zip <> origin", {})
    verdict = _run(tmp_path, nothing, checks.Suite("sample", "rows", (both,)))
    assert verdict.status == Status.HOLD
    assert verdict.failed[0].failed == 3


def test_an_empty_suite_never_passes(tmp_path: Path) -> None:
    assert _run(tmp_path, GOOD, checks.Suite("sample", "rows", ())).status == Status.ERROR


def test_an_empty_table_never_passes(tmp_path: Path) -> None:
    assert _run(tmp_path, []).status == Status.ERROR
    assert _run(tmp_path, [], said=5).status == Status.ERROR


@pytest.mark.parametrize("said", [4, 6])
def test_other_rows_than_the_manifest_says_never_pass(tmp_path: Path, said: int) -> None:
    verdict = _run(tmp_path, GOOD, said=said)
    assert verdict.status == Status.HOLD
    assert verdict.codes == ("COUNTS_DIFFER",)


def test_an_empty_side_table_never_passes(tmp_path: Path) -> None:
    suite = checks.Suite(
        "sample", "rows", (ZIP, checks.condition(("c", "counts", "COUNTS_DIFFER"), ["n"], "n = 0", {}))
    )
    tables = {**_table(tmp_path, GOOD), "counts": "SELECT 0 AS n WHERE false"}
    assert checkpoint.run(suite, tables, rows=5).status == Status.ERROR


def test_a_missing_column_never_passes(tmp_path: Path) -> None:
    short = pa.schema([f for f in SCHEMA if f.name != "zip"])
    tables = _table(tmp_path, [{k: v for k, v in row.items() if k != "zip"} for row in GOOD], short)
    verdict = checkpoint.run(SUITE, tables, rows=5)
    assert verdict.status == Status.ERROR
    assert [r.check for r in verdict.failed] == ["zip"]


def test_a_schema_is_neither_short_nor_long(tmp_path: Path) -> None:
    for names, status in [
        (SCHEMA.names, Status.PASS),
        (SCHEMA.names[:-1], Status.HOLD),
        ([*SCHEMA.names, "more"], Status.HOLD),
    ]:
        suite = checks.Suite("sample", "rows", (checks.columns("schema", "rows", names),))
        assert _run(tmp_path, GOOD, suite).status == status


def test_an_exploding_rule_never_passes_and_the_others_are_still_evaluated(tmp_path: Path) -> None:
    bomb = checks.condition(("bomb", "rows", "NO_ZIP"), ["zip"], "CAST(zip AS INTEGER) > 0", {})
    verdict = _run(tmp_path, _with(zip="x"), checks.Suite("sample", "rows", (ID, bomb)))
    assert verdict.status == Status.ERROR
    assert verdict.evaluated == verdict.declared - 1
    assert [r.check for r in verdict.failed] == ["bomb"]


@pytest.mark.parametrize(
    "sql", ["SELECT no_such_column FROM rows", "read_parquet('/nowhere/part.parquet')", "SELECT ("]
)
def test_a_table_that_cannot_be_made_never_passes(tmp_path: Path, sql: str) -> None:
    suite = checks.Suite("sample", "rows", (ZIP, checks.condition(("c", "other", "COUNTS_DIFFER"), ["n"], "n = 0", {})))
    verdict = checkpoint.run(suite, {**_table(tmp_path, GOOD), "other": sql}, rows=5)
    assert verdict.status == Status.ERROR
    assert [r.check for r in verdict.failed] == ["c"]


def test_a_table_that_was_not_given_never_passes(tmp_path: Path) -> None:
    suite = checks.Suite("sample", "rows", (ZIP, checks.condition(("c", "other", "COUNTS_DIFFER"), ["n"], "n = 0", {})))
    verdict = checkpoint.run(suite, _table(tmp_path, GOOD), rows=5)
    assert verdict.status == Status.ERROR
    assert verdict.failed[0].error == "NO_RESULT"


def test_a_result_that_gx_loses_never_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = checkpoint.evaluate

    def lossy(*args: object) -> tuple[list[checkpoint.Finding], list[dict[str, object]]]:
        found, kept = whole(*args)  # type: ignore[arg-type]
        return [f for f in found if f.check != "zip"], kept

    monkeypatch.setattr(checkpoint, "evaluate", lossy)
    assert _run(tmp_path, GOOD).status == Status.ERROR


def test_two_checks_of_one_name_are_found_at_once() -> None:
    with pytest.raises(Fault, match="RULE_TWICE"):
        checks.Suite("sample", "rows", (ZIP, ZIP))


def test_two_checks_of_the_same_predicate_are_both_evaluated(tmp_path: Path) -> None:
    again = checks.condition(("again", "rows", "NO_ZIP"), ["zip"], ZIP.arguments["predicate"], {})
    assert _run(tmp_path, GOOD, checks.Suite("sample", "rows", (ZIP, again))).status == Status.PASS


def test_no_value_leaves_the_checkpoint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    bomb = checks.condition(("bomb", "rows", "NO_ZIP"), ["zip"], "CAST(zip AS INTEGER) > 0", {})
    cast = {"other": "SELECT CAST(zip AS INTEGER) AS n FROM rows"}
    suite = checks.Suite(
        "sample", "rows", (*SUITE.checks, bomb, checks.condition(("c", "other", "COUNTS_DIFFER"), ["n"], "n = 0", {}))
    )
    bad = _with(zip=CANARY, outcome=CANARY, origin=CANARY, ordinal=0)
    verdict = checkpoint.run(suite, {**_table(tmp_path, bad), **cast}, rows=5)
    assert verdict.status == Status.ERROR
    printed = capfd.readouterr()
    said = json.dumps(verdict.to_dict()) + repr(verdict) + caplog.text + printed.out + printed.err
    assert CANARY not in said


def test_the_connection_has_our_settings(tmp_path: Path) -> None:
    temp = str(tmp_path / "spill")
    setting = checks.condition(
        ("setting", "rows", "NO_ZIP"),
        ["zip"],
        "current_setting('threads') = 1 AND starts_with(current_setting('temp_directory'), '"
        + temp
        + "/') AND current_setting('memory_limit') = '190.7 MiB'",
        {},
    )
    tables = _table(tmp_path, GOOD)
    duck = DuckSettings(threads=1, memory="200MB", temp=temp)
    verdict = checkpoint.run(checks.Suite("sample", "rows", (setting,)), tables, rows=5, duck=duck)
    assert verdict.status == Status.PASS


def test_macros_and_braces_work_in_predicates(tmp_path: Path) -> None:
    def define(connection: object) -> None:
        connection.execute("CREATE TEMP MACRO five(x) AS regexp_full_match(x, '[0-9]{5}')")  # type: ignore[attr-defined]

    check = checks.condition(
        ("five", "rows", "NO_ZIP"), ["zip"], "five(zip) AND zip NOT LIKE '%:x{0}%' AND {'a': zip}.a = zip", {}
    )
    assert _run(tmp_path, GOOD, checks.Suite("sample", "rows", (check,), (define,))).status == Status.PASS


def test_gx_fetches_counts_and_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from expectations.gx.portable import buffered

    fetched: list[int] = []
    whole = buffered.BufferedContext.post_exec

    def counted(self: buffered.BufferedContext) -> None:
        whole(self)
        fetched.append(len(getattr(self.cursor_fetch_strategy, "_rowbuffer", ())))

    monkeypatch.setattr(buffered.BufferedContext, "post_exec", counted)
    many = [{"ordinal": n, "zip": "12345", "outcome": None, "origin": "request"} for n in range(2000)]
    assert _run(tmp_path, many).status == Status.PASS
    assert 0 < max(fetched) < 100


def test_all_rules_of_a_table_are_counted_in_one_query(tmp_path: Path) -> None:
    """A query each read a million rows fifty times."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    rules = [
        checks.condition((f"rule{n}", "rows", "VERDICT_DIFFERS"), ["ordinal"], f"ordinal < {n}", {})
        for n in (5, 10, 11)
    ]
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        ten = [{"ordinal": n, "zip": "12345", "outcome": None, "origin": "request"} for n in range(1, 11)]
        found = _run(tmp_path, ten, checks.Suite("sample", "rows", tuple(rules)))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert {r.check: r.failed for r in found.results if r.check.startswith("rule")} == {
        "rule5": 6,
        "rule10": 1,
        "rule11": 0,
    }
    assert len([one for one in said if "FILTER" in one]) == 1


def _most(tolerated: float) -> checks.Suite:
    share = checks.share(("most", "rows", "NO_ZIP"), "zip", "regexp_full_match(zip, '[0-9]{5}')", tolerated, {})
    return checks.Suite("sample", "rows", (ID, share))


@pytest.mark.parametrize(("tolerated", "met"), [(0.2, True), (0.19, False), (0.0, False)])
def test_a_share_informs_and_decides_nothing(tmp_path: Path, tolerated: float, met: bool) -> None:
    for bad in ("1234", None):  # NULL does not meet it either
        verdict = _run(tmp_path, _with(zip=bad), _most(tolerated))
        assert (verdict.status, verdict.codes, verdict.failed) == (Status.PASS, (), ())
        found = verdict.results[-1]
        assert (found.ok, found.rows, found.failed, found.informs) == (met, 5, 1, True)


def test_a_share_of_no_rows_holds_nothing(tmp_path: Path) -> None:
    """Two people may have dropped every row: of none there is nothing to inform about."""
    share = checks.share(("most", "none", "NO_ZIP"), "zip", "true", 0.0, {})
    tables = _table(tmp_path, GOOD)
    tables["none"] = f"(SELECT * FROM {tables['rows']} WHERE false)"
    verdict = checkpoint.run(checks.Suite("sample", "rows", (ID, share)), tables, rows=5)
    assert (verdict.status, verdict.results[-1].error) == (Status.PASS, "NO_ROWS")


def test_a_share_that_is_not_evaluated_never_passes(tmp_path: Path) -> None:
    bomb = checks.share(("bomb", "rows", "NO_ZIP"), "zip", "CAST(zip AS INTEGER) > 0", 1.0, {})
    suite = checks.Suite("sample", "rows", (ID, bomb))
    assert _run(tmp_path, _with(zip="x"), suite).status == Status.ERROR


def test_severity_follows_what_a_failure_does(tmp_path: Path) -> None:
    order = Rule("order", Scope.BATCH, Phase.REQUEST, ("zip",), "true", Disposition.REFUSE_BATCH, code("COURT_ORDER"))
    suite = checks.Suite("sample", "rows", (*_most(0.1).checks, checks.rule(order, "rows")))
    kept = _run(tmp_path, GOOD, suite).gx[0]["results"]
    found = {r["expectation_config"]["meta"]["check"]: r["expectation_config"]["severity"] for r in kept}
    assert found == {"sample.rows": "warning", "id": "warning", "most": "info", "order": "critical"}


def test_checkpoints_that_run_at_once_share_nothing(tmp_path: Path) -> None:
    """Each in a thread of its own, all of one name, each on other rows: every verdict is that of its own rows."""

    def judge(n: int) -> tuple[int, Verdict]:
        folder = tmp_path / f"{n}"
        folder.mkdir()
        rows = [{"ordinal": i, "zip": "1" if i < n % 4 else "12345", "origin": "request"} for i in range(10 + n)]
        return n, _run(folder, rows)

    with ThreadPoolExecutor(8) as pool:
        for n, verdict in pool.map(judge, range(24)):
            assert verdict.status == (Status.HOLD if n % 4 else Status.PASS), [r.error for r in verdict.failed]
            zips = next(r for r in verdict.results if r.check == "zip")
            assert (verdict.rows, zips.rows, zips.failed) == (10 + n, 10 + n, n % 4)
