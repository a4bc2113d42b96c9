from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from expectations.base.duck import quote, session
from expectations.base.errors import BadInput, Fault
from expectations.contracts.stages import VERDICT
from expectations.instruments import Agreement
from pipelines import validate
from pipelines.context import BatchContext
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


def test_guesses_in_one_batch_are_counted_together(tmp_path: Path, sandbox: Agreement) -> None:
    """Four addresses for one person in one batch: none is answered, the right one included."""
    context = matched.made(tmp_path, sandbox, [matched.canonical(o) for o in (0, 1, 2, 10)])
    same_person = [{**matched.candidate(o), "record_id": 100} for o in (0, 1, 2, 10)]
    matched.commit(context.step("match.candidates"), {"candidates": [matched.table(same_person, matched.CANDIDATE)]})
    verdicts = validate.run(context)
    assert all("TOO_MANY_TRIES" in c for c in codes(verdicts).values())
    tries = matched.rows_of(verdicts, "tries")
    assert len(tries) == len({(t["person_key"], t["address_key"]) for t in tries}) == 4


def test_the_same_address_again_is_no_new_try(
    judged: tuple[BatchContext, Manifest], tmp_path: Path, sandbox: Agreement
) -> None:
    context = matched.made(tmp_path, sandbox)
    matched.write_tries(context, [(t["person_key"], t["address_key"]) for t in matched.rows_of(judged[1], "tries")])
    assert {r["earlier_tries"] for r in matched.rows_of(validate.run(context), "verdicts")} == {0}


def test_a_request_never_sees_the_control_row_register(tmp_path: Path, sandbox: Agreement) -> None:
    context = matched.made(tmp_path, sandbox, [matched.canonical(0)])
    crossed = {**matched.candidate(0), "record_id": -1}
    matched.commit(context.step("match.candidates"), {"candidates": [matched.table([crossed], matched.CANDIDATE)]})
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


def test_every_part_of_an_address_makes_another_try(tmp_path: Path, sandbox: Agreement) -> None:
    """Streets of one name in two urbanizations are two places (Publication 28, 29), and so are two guesses at them."""
    context = matched.made(tmp_path, sandbox, [matched.canonical(0)])
    names = ("a_kind", "a_number", "a_street", "a_unit", "a_urb", "a_zip")
    places = [("street", "1", "CALLE 1", None, None, "00926")]
    places += [(*places[0][:i], "X", *places[0][i + 1 :]) for i in range(len(names))]
    values = ", ".join(f"({', '.join('NULL' if p is None else quote(p) for p in place)})" for place in places)
    with session() as connection:
        query = f"SELECT count(DISTINCT {context.sql_address_key()}) FROM (VALUES {values}) AS t({', '.join(names)})"
        assert connection.execute(query).fetchall() == [(len(places),)]
