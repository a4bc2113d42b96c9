"""Control persons and real ones cannot meet: whatever the register and the batch hold, neither changes what the other
comes to. At 160 million persons chance alone made them meet in every batch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import match, register
from pipelines.match.blocking import MAX_RECORDS
from tests.factories.match_inputs import (
    CONTROL_ROWS,
    HOME,
    ONE,
    canonical,
    committed,
    context,
    derived,
    raw_register,
)
from tests.generative.examples import examples

PERSONS = CONTROL_ROWS.persons.to_pylist()
HOMES = [{k: a[k] for k in HOME} for a in CONTROL_ROWS.addresses.to_pylist()]
ASKED = CONTROL_ROWS.requests.to_pylist()
TINS = sorted({p["tin"] for p in PERSONS if p["tin"]} | {a["tin"].replace("-", "") for a in ASKED if a["tin"]})
BORN = sorted({p["birth_date"] for p in PERSONS if p["birth_date"]})
# Who the control rows are and ask for: a request's own person may be on file for nobody.
WHO = [
    *({k: p[k] for k in ("first_name", "last_name", "tin", "birth_date")} for p in PERSONS),
    *({"first_name": a["first_name"], "last_name": a["last_name"], "tin": None, "birth_date": None} for a in ASKED),
]
LETTERS = str.maketrans("0123456789", "abcdefghij")
Found = dict[int, dict[str, Any]]


def dense() -> list[dict[str, Any]]:
    """Every control person as a real one, every TIN on file for somebody else too (each digit beside it as well), every
    name with every birth date about, everybody's neighbour, namesake and twin."""
    homes = {p["record_id"]: h for p, h in zip(PERSONS, HOMES, strict=True)}
    people: list[dict[str, Any]] = []
    for n, who in enumerate(WHO):
        home = homes.get(-1 - n, HOMES[n % len(HOMES)])
        born = who["birth_date"] or BORN[n % len(BORN)]
        people += [
            {**who, "homes": [home]},
            {**who, "tin": None, "homes": [home]},
            {**who, "tin": None, "birth_date": born + timedelta(days=1), "homes": [HOMES[(n + 1) % len(HOMES)]]},
            {**who, "first_name": "Ana", "tin": None, "homes": [home]},
            {**who, "last_name": "Bellweather", "tin": TINS[n % len(TINS)], "homes": [home]},
        ]
    for n, tin in enumerate(TINS):
        near = f"{tin[:-1]}{(int(tin[-1]) + 1) % 10}"
        people += [
            {"first_name": "Nora", "last_name": f"Sandal{n}", "tin": number, "birth_date": BORN[n % len(BORN)]}
            for number in (tin, near)
        ]
    # a block too large to say who is meant: for the requests in it, and for them alone
    crowded = {**WHO[0], "tin": None, "homes": [HOMES[0]]}
    people += [{**crowded, "first_name": f"P{n:03d}".translate(LETTERS)} for n in range(MAX_RECORDS + 1)]
    return numbered(people)


def numbered(people: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"record_id": n, "homes": [HOME], **p} for n, p in enumerate(people, 1)]


def requests_for(people: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Requests for these persons, and every control row again as a requester's own row."""
    rows = [
        {
            **p["homes"][-1],
            **{k: p[k] for k in ("first_name", "last_name", "tin")},
            "birth_date": p["birth_date"].isoformat() if p["birth_date"] else None,
        }
        for p in people
    ]
    own = ("ordinal", "file", "row", "origin")
    return [*rows, *({k: v for k, v in a.items() if k not in own} for a in ASKED)]


def found(folder: Path, prepared: Path, rows: Sequence[pa.Table]) -> Found:
    """What the match comes to with these rows."""
    committed(folder / "ingest.rows", {"rows": pa.concat_tables(rows)})
    committed(folder / "ingest.decoys", {"persons": CONTROL_ROWS.persons, "addresses": CONTROL_ROWS.addresses})
    paths = match.run(context(folder, prepared)).paths("candidates")
    return {row["ordinal"]: row for path in paths for row in pq.read_table(path).to_pylist()}


def prepared(folder: Path, people: Sequence[dict[str, Any]], part_rows: int = 1_000_000) -> Path:
    register.build(raw_register(folder / "raw", people), folder / "register", duck=ONE, part_rows=part_rows)
    return folder / "register"


def of_control(rows: Found) -> Found:
    return {n: row for n, row in rows.items() if n < 0}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What the control rows come to where nobody else is: one person on file, and no request."""
    folder = tmp_path_factory.mktemp("alone")
    nobody = numbered([{"first_name": "Zillah", "last_name": "Quill", "tin": None, "birth_date": None}])
    return found(folder, prepared(folder, nobody), [derived(CONTROL_ROWS.requests)])


def test_in_the_densest_register_neither_side_changes_what_the_other_comes_to(tmp_path: Path, alone: Found) -> None:
    people = dense()
    assert {p["tin"] for p in people} >= set(TINS)
    here, rows = prepared(tmp_path, people), canonical(requests_for(people))
    both = found(tmp_path / "both", here, [rows, derived(CONTROL_ROWS.requests)])
    without = found(tmp_path / "without", here, [rows])
    assert of_control(both) == of_control(alone)
    assert {n: row for n, row in both.items() if n >= 0} == without
    # the requests did meet somebody: they would have met the control records as well
    assert sum(row["outcome"] == "ambiguous" for row in without.values()) > 50
    assert any(row["record_id"] for row in without.values())
    assert any("too_many_records" in row["vetoes"] for row in without.values())


@pytest.mark.slow
@settings(max_examples=examples(2), deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**9))
def test_nor_in_any_dense_register(seed: int, alone: Found, tmp_path_factory: Any) -> None:
    dice, folder = random.Random(seed), tmp_path_factory.mktemp("random")

    def somebody() -> dict[str, Any]:
        who, other = dice.choice(WHO), dice.choice(WHO)
        return {
            "first_name": dice.choice([who["first_name"], other["first_name"], who["last_name"]]),
            "last_name": dice.choice([who["last_name"], other["last_name"], who["first_name"]]),
            "tin": dice.choice([who["tin"], dice.choice(TINS), None]),
            "birth_date": dice.choice([who["birth_date"], dice.choice(BORN), None]),
            "homes": [dice.choice(HOMES)],
        }

    people = numbered([somebody() for _ in range(dice.choice([1, 40, 250]))])
    here, rows = prepared(folder, people, part_rows=dice.choice([20, 1_000_000])), canonical(requests_for(people))
    both = found(folder / "both", here, [rows, derived(CONTROL_ROWS.requests)])
    assert of_control(both) == of_control(alone)
    assert {n: row for n, row in both.items() if n >= 0} == found(folder / "without", here, [rows])
