"""Whatever is released would have been a try with any one of its values wrong; what can learn nothing is none."""

from __future__ import annotations

from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.match.blocking import MAX_RECORDS
from tests.factories.match_inputs import HOME, asked, record, run

BORN, TIN = date(1980, 5, 17), "512345131"
AWAY = {"street": "77 ELM ST", "unit": None, "city": "AUSTIN", "state": "TX", "zip": "78701"}
# How the file and a row write a name: (given name, surname) of each; and what both have beside it.
NAMES: dict[str, tuple[tuple[str, str], tuple[str, str], dict[str, str]]] = {
    "the same": (("Amara", "Birdsong"), ("Amara", "Birdsong"), {}),
    "a familiar form": (("Katherine", "Castellan"), ("Kate", "Castellan"), {}),
    "a familiar form of another initial": (("William", "Dunwoody"), ("Bill", "Dunwoody"), {}),
    "a slip in the given name": (("Bartholomew", "Eastlake"), ("Bartholmoew", "Eastlake"), {}),
    "a slip in its first letters": (("Christina", "Fairbanks"), ("Hcristina", "Fairbanks"), {}),
    "a slip in the surname": (("Dario", "Goldwater"), ("Dario", "Goldwatre"), {}),
    "slips in both": (("Fernandina", "Hathaway"), ("Fernandnia", "Hathawya"), {"middle_name": "Q"}),
    "each in the other's field": (("Greta", "Ibarra"), ("Ibarra", "Greta"), {}),
    "one of two surnames": (("Hugo", "Juniper Kowalczyk"), ("Hugo", "Kowalczyk"), {}),
    "surnames joined": (("Irene", "Vega Winfield"), ("Irene", "Vegawinfield"), {}),
    "another surname": (("Jonas", "Lindqvist"), ("Jonas", "Montague"), {"middle_name": "Q"}),
}
GIVEN = [("birth_date", "tin"), ("birth_date",), ("tin",)]
WRONG: dict[str, list[dict[str, Any]]] = {
    "address": [AWAY, {"unit": "APT 9"}, {"street": "14 OAK ST"}],
    "birth_date": [{"birth_date": "1961-02-03"}, {"birth_date": "1980-05-18"}, {"birth_date": None}],
    "tin": [{"tin": "655219876"}, {"tin": "512345132"}, {"tin": None}],
}


def _right(name: str, n: int, given: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A record and a request that agree in all that is given: a birth date, number and home of their own."""
    on_file, written, beside = NAMES[name]
    born, tin = BORN.replace(year=1930 + n), str(int(TIN) + 10_007 * n)
    home = {**HOME, "street": f"{1000 + 11 * n} OAK ST", "unit": "APT 4"}
    file = record(n + 1, *on_file, birth_date=born, tin=tin, home=home, **beside)
    values = {"birth_date": born.isoformat() if "birth_date" in given else None, "tin": tin if "tin" in given else None}
    return file, asked(*written, home=home, **values, **beside)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, tuple[str, ...]], tuple[bool, list[bool]]]:
    """For each way to write a name and what is given: whether it is matched, and which rows with a value wrong are
    tries on the same record."""
    pairs = {(name, given): _right(name, n, given) for n, (name, given) in enumerate(product(NAMES, GIVEN))}
    spoilt = [change for some in WRONG.values() for change in some]
    requests = [{**row, **change} for _, row in pairs.values() for change in [{}, *spoilt]]
    manifest = run(tmp_path_factory.mktemp("tried"), [file for file, _ in pairs.values()], requests)
    candidates = pq.read_table(manifest.paths("candidates")[0]).to_pylist()
    # two rows may claim one record: each is judged by its own pair
    unseen = {c["ordinal"] for c in candidates if "unseen" in c["vetoes"]}
    tries = {(t["ordinal"], t["record_id"]) for t in pq.read_table(manifest.paths("tries")[0]).to_pylist()}
    each, step = {}, 1 + len(spoilt)
    for n, key in enumerate(pairs):
        first = n * step
        matched = candidates[first]["outcome"] in (None, "ambiguous") and first not in unseen
        each[key] = (matched, [(first + k, n + 1) in tries for k in range(step)])
    return each


@pytest.mark.parametrize("given", GIVEN, ids=" ".join)
@pytest.mark.parametrize("name", NAMES)
def test_each_value_that_is_wrong_in_a_row_that_could_be_released_is_a_try(
    found: dict[tuple[str, tuple[str, ...]], tuple[bool, list[bool]]], name: str, given: tuple[str, ...]
) -> None:
    matched, tries = found[name, given]
    assert not matched or all(tries), (name, given, tries)


def test_most_ways_to_write_a_name_are_matched(
    found: dict[tuple[str, tuple[str, ...]], tuple[bool, list[bool]]],
) -> None:
    """With the TIN, or without one by the birth date; the others would not be found at another address."""
    lost = {key for key, (matched, _) in found.items() if not matched}
    both, dated, _ = GIVEN
    assert {name for name, given in lost if given == both} == {"slips in both"}
    assert {name for name, given in lost if given == dated} == {
        *("a familiar form", "a slip in the given name"),  # twins share all that is given
        *("a familiar form of another initial", "a slip in its first letters", "a slip in the surname"),
        *("slips in both", "surnames joined", "another surname"),
    }


def _tries(folder: Path, records: list[dict[str, Any]], requests: list[dict[str, Any]]) -> set[tuple[int, int]]:
    rows = pq.read_table(run(folder, records, requests).paths("tries")[0]).to_pylist()
    return {(r["ordinal"], r["record_id"]) for r in rows}


def test_father_and_son_are_tried_each_by_his_own_row(tmp_path: Path) -> None:
    """At one address, of one name. Without numbers the row of either is ambiguous, whatever its birth date: only the
    number of him whose date it has would make it match."""
    father = record(1, "Amara", "Birdsong", birth_date=date(1950, 2, 3), tin=TIN)
    son = record(2, "Amara", "Birdsong", birth_date=date(1980, 5, 17), tin="655219876")
    rows = [
        asked("Amara", "Birdsong", birth_date="1950-02-03", tin=TIN),
        asked("Amara", "Birdsong", birth_date="1980-05-17", tin="655219876"),
        asked("Amara", "Birdsong", birth_date="1980-05-17"),
        asked("Amara", "Birdsong", birth_date="1961-01-04"),
    ]
    assert _tries(tmp_path, [father, son], rows) == {(0, 1), (1, 2), (2, 2)}


def test_two_values_wrong_are_no_try_and_a_name_with_an_address_is_one(tmp_path: Path) -> None:
    who = record(1, "Amara", "Birdsong", birth_date=BORN, tin=TIN)
    rows = [
        asked("Amara", "Birdsong", birth_date="1961-02-03", tin="655219876"),
        asked("Amara", "Birdsong", birth_date="1961-02-03", tin=TIN, home=AWAY),
        asked("Amara", "Birdsong"),
        asked("Amara", "Birdsong", home=AWAY),
    ]
    assert _tries(tmp_path, [who], rows) == {(2, 1)}


def test_a_row_that_has_too_many_records_is_no_try(tmp_path: Path) -> None:
    """It ends as ambiguous whatever its birth date is, the right one included."""
    many = [
        record(n, "Amara", "Birdsong", birth_date=date(1900 + n % 100, 1 + n % 12, 2 + n % 26)) for n in range(1, 203)
    ]
    assert len(many) > MAX_RECORDS
    rows = [asked("Amara", "Birdsong", birth_date=d) for d in ("1901-02-03", many[6]["birth_date"].isoformat())]
    assert _tries(tmp_path, many, rows) == set()
