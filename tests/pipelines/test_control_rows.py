"""Control rows end as they must, through the real address parser and the real match."""

from __future__ import annotations

from datetime import date
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.base import duck
from expectations.base.errors import Fault
from expectations.codes import ADDRESS_CODES
from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON
from pipelines import control_rows, match, register
from pipelines.control_rows.workshop import ENDINGS, MIDDLES, ONSETS
from pipelines.match.comparisons.names import LOOSE_LAST
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
    assert {n: (r["outcome"], r["record_id"]) for n, r in found.items()} == {
        0: (None, 10),
        -1: (None, -1),
        -2: (None, -2),
    }


def test_no_two_of_a_batch_share_a_word_a_street_or_a_number() -> None:
    """So that no control row meets another's record: what they share, the cases share on purpose."""
    for seed in range(200):
        made = control_rows.make(f"apart {seed}", **LEGAL)
        persons = {p["record_id"]: p for p in made.persons.to_pylist()}.values()
        alike = [(p["first_name"], p["last_name"]) for p in persons]
        assert len(set(alike)) == len(alike) - 1  # the two records that nothing tells apart
        words = [word for names in set(alike) for word in names]
        assert len(set(words)) == len(words)
        tins = [p["tin"] for p in persons if p["tin"]]
        assert len(set(tins)) == len(tins)


def test_the_borrower_of_a_number_is_not_named_like_its_owner() -> None:
    """Else the row would be near, or ambiguous, and not unmatched."""
    words = [["".join(w).upper() for w in product(ONSETS, *[MIDDLES[:3]] * n, ENDINGS)] for n in (1, 2)]
    with duck.session() as con:
        for made, loose in zip(words, (1.0, LOOSE_LAST), strict=True):
            con.register("w", pa.table({"w": made}))
            alike = con.execute("""
                SELECT max(jaro_winkler_similarity(a.w, b.w)) FROM w a, w b
                WHERE a.w[1] <> b.w[1] AND a.w[-2:] <> b.w[-2:]""").fetchall()[0][0]
            assert alike < loose  # one name that is different is enough
    for seed in range(200):
        made_rows = control_rows.make(f"borrowed {seed}", **LEGAL)
        owners = {p["tin"]: p for p in made_rows.persons.to_pylist() if p["tin"]}
        borrowed = [
            (owners[tin], a)
            for a in made_rows.requests.to_pylist()
            if (tin := (a["tin"] or "").replace("-", "")) in owners and a["first_name"] != owners[tin]["first_name"]
        ]
        assert len(borrowed) == 1
        for owner, asker in borrowed:
            for name in ("first_name", "last_name"):
                assert owner[name][0] != asker[name][0] and owner[name][-2:] != asker[name][-2:]


def test_none_lives_where_a_list_would_hold_it_back() -> None:
    avoid = ("Houston", "Denver", "Ave", "1 Elsewhere Rd, Dallas, TX 75201")
    for seed in range(20):
        addresses = control_rows.make(f"listed {seed}", **LEGAL, avoid=avoid).addresses.to_pylist()
        assert not {a["city"] for a in addresses} & {"HOUSTON", "DENVER"}
        assert not [a for a in addresses if a["street"].endswith(" AVE")]
    street = CONTROL_ROWS.addresses["street"].to_pylist()[0]
    again = control_rows.make("a test", **LEGAL, avoid=(f"{street}, Houston, TX 77002",))
    assert street not in again.addresses["street"].to_pylist()
    with pytest.raises(Fault) as barred:
        control_rows.make("listed", **LEGAL, avoid=("ST", "Avenue", "rd"))
    assert barred.value.code == "CONTROL_ROWS_BARRED"


def test_they_have_moved_in_by_the_day_of_the_decision() -> None:
    for day in (date(2001, 2, 3), date(2026, 6, 1)):
        assert max(control_rows.make("early", **LEGAL, decided_on=day).addresses["valid_from"].to_pylist()) <= day
