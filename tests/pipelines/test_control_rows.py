"""Control rows end as they must, through the real address parser and the real match."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.codes import ADDRESS_CODES
from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON
from pipelines import control_rows, match, register
from tests.factories.match_inputs import (
    CONTROL_ROWS,
    HOME,
    asked,
    canonical,
    committed,
    context,
    derived,
    raw_register,
    record,
)

LEGAL = {
    "officer": "o1",
    "reason": "r",
    "taxable_period": "2021",
    "elements": {"final_order_date": "2024-02-03", "case_number": "c"},
}


def test_made_from_the_seed_alone() -> None:
    again = control_rows.make("a test", **LEGAL)
    assert (again.requests, again.persons, again.addresses, again.expected) == (
        CONTROL_ROWS.requests,
        CONTROL_ROWS.persons,
        CONTROL_ROWS.addresses,
        CONTROL_ROWS.expected,
    )
    other = control_rows.make("another", **LEGAL)
    assert not set(other.persons["last_name"].to_pylist()) >= set(CONTROL_ROWS.persons["last_name"].to_pylist())
    assert not set(other.requests["request_id"].to_pylist()) & set(CONTROL_ROWS.requests["request_id"].to_pylist())


def test_ids_lie_below_zero_and_every_end_occurs() -> None:
    assert CONTROL_ROWS.persons.schema.equals(REGISTER_PERSON) and CONTROL_ROWS.addresses.schema.equals(
        REGISTER_ADDRESS
    )
    assert CONTROL_ROWS.requests["ordinal"].to_pylist() == [-n for n in range(1, CONTROL_ROWS.requests.num_rows + 1)]
    assert max(CONTROL_ROWS.persons["record_id"].to_pylist()) < 0
    assert set(CONTROL_ROWS.expected["expected"].to_pylist()) == set(control_rows.End)


# The first control row of CONTROL_ROWS, once as its record has it and once as a request would ask for it.
PERSON, ADDRESS = CONTROL_ROWS.persons.to_pylist()[0], CONTROL_ROWS.addresses.to_pylist()[0]
PLACE = {k: ADDRESS[k] for k in HOME}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A register with somebody, and with the person of a control row."""
    fields = {k: PERSON[k] for k in ("tin", "birth_date")}
    records = [
        record(9, "Ana", "Bellweather"),
        record(10, PERSON["first_name"], PERSON["last_name"], home=PLACE, **fields),
    ]
    folder = tmp_path_factory.mktemp("real")
    register.build(raw_register(folder / "raw", records), folder / "register")
    return folder / "register"


@pytest.mark.parametrize("seed", range(2))
def test_ends_for_many_seeds(tmp_path: Path, real: Path, seed: int) -> None:
    made = control_rows.make(f"submission {seed}", **LEGAL)
    rows = derived(made.requests)
    codes = dict(zip(rows["ordinal"].to_pylist(), rows["a_codes"].to_pylist(), strict=True))
    expected = {r["ordinal"]: r for r in made.expected.to_pylist()}
    stopped = {n for n, found in codes.items() if found}
    assert stopped == {n for n, r in expected.items() if r["code"] in ADDRESS_CODES}
    assert all(expected[n]["code"] in codes[n] for n in stopped)

    open_rows = rows.filter(pa.array([n not in stopped for n in rows["ordinal"].to_pylist()]))
    committed(tmp_path / "ingest.rows", {"rows": open_rows})
    committed(tmp_path / "ingest.decoys", {"persons": made.persons, "addresses": made.addresses})
    found = pq.read_table(match.run(context(tmp_path, real)).paths("candidates")[0]).to_pylist()
    for row in found:
        end = expected[row["ordinal"]]["expected"]
        assert row["outcome"] == (None if end in ("eligible", "held") else end), (row, expected[row["ordinal"]])
        assert row["record_id"] is None or row["record_id"] < 0
    assert {r["tier"] for r in found} >= {"A", "B", "C"}


def test_a_request_never_ends_on_a_control_row_nor_a_control_row_on_a_record(tmp_path: Path, real: Path) -> None:
    """A request that fits a control row's record, and a control row whose person is on the real register too."""
    asks = {"tin": PERSON["tin"], "birth_date": str(PERSON["birth_date"])}
    request = asked(PERSON["first_name"], PERSON["last_name"], home=PLACE, **asks)
    rows = pa.concat_tables([canonical([request]), derived(CONTROL_ROWS.requests.slice(0, 2))])
    committed(tmp_path / "ingest.rows", {"rows": rows})
    committed(tmp_path / "ingest.decoys", {"persons": CONTROL_ROWS.persons, "addresses": CONTROL_ROWS.addresses})
    manifest = match.run(context(tmp_path, real))
    found = {r["ordinal"]: r for r in pq.read_table(manifest.paths("candidates")[0]).to_pylist()}
    for ordinal in (0, -1):
        assert found[ordinal]["outcome"] == "ambiguous" and "cross_origin" in found[ordinal]["vetoes"]
    assert found[-2]["outcome"] is None and found[-2]["record_id"] == -2
