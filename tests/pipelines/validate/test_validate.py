from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from expectations.base.duck import parquet, quote, session
from expectations.base.errors import BadInput, Fault
from expectations.contracts.stages import VERDICT
from expectations.instruments import Agreement
from pipelines import lake, validate
from pipelines.context import TRIED_VALUES, BatchContext
from pipelines.lake import Manifest
from tests.factories import matched


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, sandbox: Agreement) -> tuple[BatchContext, Manifest]:
    """The batch of `tests.factories.matched`, validated once for all tests that only look."""
    context = matched.made(tmp_path_factory.mktemp("validate"), sandbox)
    return context, validate.run(context)


def codes(manifest: Manifest) -> dict[int, list[str]]:
    return {r["ordinal"]: r["codes"] for r in matched.rows_of(manifest, "verdicts")}


def test_each_matched_row_gets_one_verdict(judged: tuple[BatchContext, Manifest]) -> None:
    _, verdicts = judged
    found = {0, 1, 2, 10, 11, 12, -1}
    assert codes(verdicts) == {o: matched.ENDS[o][1] if o >= 0 else [] for o in found}
    assert all(pq.read_schema(p).equals(VERDICT) for p in verdicts.paths("verdicts"))
    rows = {r["ordinal"]: r for r in matched.rows_of(verdicts, "verdicts")}
    assert {o: r["corroboration"] for o, r in rows.items() if r["corroboration"] != "same"} == {1: "differs"}
    assert all((r["outcome"] == "held") == bool(r["codes"]) for r in rows.values())
    assert [a["street"] for a in rows[10]["addresses_on_file"]] == ["500 OAK ST", "11 OAK ST", "77 OLD RD"]
    assert rows[2]["units_on_file"] == 2
    assert rows[12]["earlier_tries"] == 3


def test_only_the_current_address_counts_where_the_agreement_says_so(tmp_path: Path, sandbox: Agreement) -> None:
    strict = sandbox.model_copy(update={"addresses_that_corroborate": "current"})
    found = codes(validate.run(matched.made(tmp_path, strict)))
    assert found[10] == ["NOT_CORROBORATED"]
    assert found[0] == []


def tried(context: BatchContext) -> list[dict[str, Any]]:
    """What the batch leaves in the ledger."""
    return matched.rows_of(lake.committed(context.step("validate.tries")), "tries")


def test_guesses_in_one_batch_are_held_together(tmp_path: Path, sandbox: Agreement) -> None:
    """Four addresses for one person in one batch: none is answered, the right one included; that it was done counts."""
    context = matched.made(tmp_path, sandbox, [matched.canonical(o) for o in (0, 1, 2, 10)])
    matched.found(context, [{**matched.candidate(o), "record_id": 100} for o in (0, 1, 2, 10)])
    verdicts = validate.run(context)
    assert all({"TOO_MANY_TRIES", "TRIED_TOGETHER"} <= set(c) for c in codes(verdicts).values())
    assert len({(t["person_key"], t["values_key"]) for t in tried(context)}) == len(tried(context)) == 5


def test_rows_that_match_nobody_count_as_well(tmp_path: Path, sandbox: Agreement) -> None:
    """Two rows beside the one that is right, near and ambiguous: all three are tries on one person."""
    context = matched.made(tmp_path, sandbox, [matched.canonical(o) for o in (0, 4, 5)])
    matched.found(context, [matched.candidate(o) for o in (0, 4, 5)])
    tries = [{"ordinal": n, "record_id": 100} for n in (0, 4, 5)]
    kinds = matched.pa.schema({"ordinal": matched.pa.int64(), "record_id": matched.pa.int64()})
    made = [matched.table([matched.candidate(o) for o in (0, 4, 5)], matched.CANDIDATE)], [matched.table(tries, kinds)]
    matched.commit(context.step("match.candidates"), dict(zip(("candidates", "tries"), made, strict=True)))
    row = matched.rows_of(validate.run(context), "verdicts")[-1]
    assert (row["ordinal"], row["tried_beside"], row["codes"]) == (0, 2, ["TRIED_TOGETHER"])


def test_the_same_values_again_are_no_new_try(
    judged: tuple[BatchContext, Manifest], tmp_path: Path, sandbox: Agreement
) -> None:
    context = matched.made(tmp_path, sandbox)
    known = [("before", t["person_key"], t["values_key"]) for t in tried(judged[0])]
    matched.write_tries(context, known)
    assert {r["earlier_tries"] for r in matched.rows_of(validate.run(context), "verdicts")} == {0}


def test_values_that_were_released_stay_free(tmp_path: Path, sandbox: Agreement) -> None:
    """Nothing new is learnt by them. A batch that tried several sets does not say which of them was released."""
    for several in (False, True):
        context = matched.made(tmp_path / str(several), sandbox)
        key = matched.person_key(context, 100)
        with session() as connection:
            context.hash_key.install(connection)
            query = f"SELECT {context.sql_values_key()} FROM {parquet(context_rows(context))} WHERE ordinal = 0"
            right = connection.execute(query).fetchall()[0][0]
        told = [("released", key, right), ("released", key, None), *[("released", key, "b")] * several]
        matched.write_tries(context, [*told, *(("wrong", key, f"other-{n}") for n in range(3))])
        held = codes(validate.run(context))[0]
        assert held == (["TOO_MANY_TRIES"] if several else [])


def context_rows(context: BatchContext) -> list[str]:
    return lake.committed(context.step("ingest.rows")).paths("rows")


def test_a_request_never_sees_the_control_row_register(tmp_path: Path, sandbox: Agreement) -> None:
    context = matched.made(tmp_path, sandbox, [matched.canonical(0)])
    crossed = {**matched.candidate(0), "record_id": -1}
    matched.found(context, [crossed])
    row = matched.rows_of(validate.run(context), "verdicts")[0]
    assert (row["addresses_on_file"], row["outcome"]) == ([], "held")


def test_verdicts_do_not_depend_on_part_size(
    judged: tuple[BatchContext, Manifest], tmp_path: Path, sandbox: Agreement
) -> None:
    many = replace(matched.made(tmp_path, sandbox), part_rows=4)
    rows = [matched.canonical(o, matched.FORMULA_ID if o == 0 else None) for o in reversed(matched.ENDS) if o != 9]
    rows += [matched.canonical(-1), matched.canonical(-2)]
    matched.commit(many.step("ingest.rows"), {"rows": [matched.table([r], matched.CANONICAL) for r in rows]})
    assert matched.rows_of(validate.run(many), "verdicts") == matched.rows_of(judged[1], "verdicts")


def test_a_missing_register_stops_the_stage(tmp_path: Path, sandbox: Agreement) -> None:
    context = replace(matched.made(tmp_path, sandbox), register=tmp_path / "nowhere")
    with pytest.raises(BadInput, match="REGISTER_NOT_PREPARED"):
        validate.run(context)


def test_an_error_of_the_database_holds_no_value(tmp_path: Path, sandbox: Agreement) -> None:
    context = matched.made(tmp_path, sandbox)
    context.tries.write_text("CANARY")
    with pytest.raises(Fault) as caught:
        validate.run(context)
    assert "CANARY" not in str(caught.value) and str(tmp_path) not in str(caught.value)


def test_every_value_makes_another_try(tmp_path: Path, sandbox: Agreement) -> None:
    """Streets of one name in two urbanizations are two places (Publication 28, 29), and so are two guesses at them."""
    context = matched.made(tmp_path, sandbox, [matched.canonical(0)])
    places = [("street", "1", "CALLE 1", None, None, "00926", "1980-02-03", "512345131")]
    places += [(*places[0][:i], "X", *places[0][i + 1 :]) for i in range(len(TRIED_VALUES))]
    places += [(*places[0][:-2], None, "512345131"), (*places[0][:-1], None)]
    values = ", ".join(f"({', '.join('NULL' if p is None else quote(p) for p in place)})" for place in places)
    with session() as connection:
        context.hash_key.install(connection)
        columns = ", ".join(TRIED_VALUES)
        query = f"SELECT count(DISTINCT {context.sql_values_key()}) FROM (VALUES {values}) AS t({columns})"
        assert connection.execute(query).fetchall() == [(len(places),)]
