"""Batches in good order pass all four checkpoints: against a register in which every control person is on file as a
real one, and with nothing to look up, one row, or no row that is complete."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.base import signatures
from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON
from flows.batch.decisions import sign
from flows.home.tree import OUTCOMES, Home
from flows.ledger.decisions import Decision, allowed
from flows.ledger.lifecycles.states import Checkpoint, State
from pipelines import control_rows
from tests.factories import installations, runs
from tests.factories.installations import Installation

SEED = "a submission that somebody could foretell"
MADE = control_rows.make(SEED, officer="o", reason="r", taxable_period="2021", elements={})
FIELDS = ("first_name", "middle_name", "last_name", "suffix", "street", "unit", "city", "state", "zip", "birth_date")
FIRST_ID = 1_000


def on_file_too(folder: Path) -> None:
    """Every control person on file as a real one, and every TIN of the control rows for somebody else as well."""
    persons = [{**p, "record_id": FIRST_ID - p["record_id"]} for p in MADE.persons.to_pylist()]
    addresses = [{**a, "record_id": FIRST_ID - a["record_id"]} for a in MADE.addresses.to_pylist()]
    for n, asked in enumerate(MADE.requests.to_pylist(), FIRST_ID * 2):
        tin = asked["tin"] and asked["tin"].replace("-", "")
        somebody = {"tin": tin, "first_name": "Nora", "last_name": f"Sandal{n}", "birth_date": None}
        persons.append({**somebody, "record_id": n, "middle_name": None, "suffix": None})
        addresses.append({**addresses[0], "record_id": n, "street": f"{n} Harbor St"})
    for name, rows, schema in (("persons", persons, REGISTER_PERSON), ("addresses", addresses, REGISTER_ADDRESS)):
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / name / "part-0001.parquet")


def same_as_control_rows() -> list[dict[str, Any]]:
    """What the control rows ask, asked by the requester, under the control rows' own ids."""
    complete = [e["ordinal"] for e in MADE.expected.to_pylist() if e["code"] in (None, "NOT_CORROBORATED")]
    return [
        installations.request(
            200 - a["ordinal"], request_id=a["request_id"], tin=a["tin"], **{name: a[name] for name in FIELDS}
        )
        for a in MADE.requests.to_pylist()
        if a["ordinal"] in complete
    ]


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with that register, whose control rows are known in advance."""
    with pytest.MonkeyPatch.context() as patch:
        made = control_rows.make
        patch.setattr(control_rows, "make", lambda seed, **given: made(SEED, **given))
        installation = installations.make(tmp_path_factory.mktemp("dense") / "home")
        on_file_too(installation.home.root / "register" / "raw")
        yield installation


def outcomes(home: Home, name: str) -> dict[str, int]:
    return dict(json.loads((home.verdicts / name / f"{OUTCOMES}.json").read_text()))


def test_a_batch_against_a_register_full_of_control_persons_is_released(dense: Installation, tmp_path: Path) -> None:
    asked = [*(installations.request(n) for n in range(1, 41)), *same_as_control_rows()]
    name, state = runs.run(dense.home, dense.submit(tmp_path / "s", asked))
    assert state is State.PUBLISHED
    ended = outcomes(dense.home, name)
    # the requester's own rows end by the real register: their TINs are on file for somebody else
    assert ended["released"] >= 40 and ended["ambiguous"] >= 5 and sum(ended.values()) == len(asked)


@pytest.mark.slow
def test_a_batch_of_one_row_is_released(dense: Installation, tmp_path: Path) -> None:
    name, state = runs.run(dense.home, dense.submit(tmp_path / "s", [installations.request(50)]))
    assert (state, outcomes(dense.home, name)) == (State.PUBLISHED, {"released": 1})


@pytest.mark.slow
def test_one_that_finds_nobody_ends_as_well(dense: Installation, tmp_path: Path) -> None:
    row = installations.request(71, request_id="N-1", street="9 Elsewhere Rd", **runs.NOBODY)
    name, state = runs.run(dense.home, dense.submit(tmp_path / "s", [row]))
    assert (state, outcomes(dense.home, name)) == (State.PUBLISHED, {"unmatched": 1})


@pytest.mark.slow
def test_a_batch_answered_before_ends_as_already_disclosed(dense: Installation, tmp_path: Path) -> None:
    rows = [installations.request(n, request_id=f"A-{n}") for n in (51, 52)]
    for number, ended in enumerate(({"released": 2}, {"already_disclosed": 2})):
        asked = [{**row, "reason": f"{row['reason']} Again {number}."} for row in rows]
        name, state = runs.run(dense.home, dense.submit(tmp_path / f"s{number}", asked))
        assert (state, outcomes(dense.home, name)) == (State.PUBLISHED, ended)


@pytest.mark.slow
def test_what_is_incomplete_as_a_whole_is_rejected_or_dropped(dense: Installation, tmp_path: Path) -> None:
    rows = [installations.request(n, request_id=f"I-{n}", street="NA NA") for n in (53, 54)]
    name, state = runs.run(dense.home, dense.submit(tmp_path / "s", rows))
    assert state is State.HELD
    with runs.ledger_of(dense.home) as ledger:
        record = ledger.known_batch(name)
        assert record.codes == ("TOO_MANY_INCOMPLETE",)
        assert allowed(Checkpoint.INTAKE, record.codes) == {Decision.REJECT, Decision.DROP}
    for n in (1, 2):
        sign(dense.home, name, Decision.DROP, signatures.load(dense.home.keys / f"operator-{n}"))
    assert runs.run(dense.home, name)[1] is State.PUBLISHED
    assert outcomes(dense.home, name) == {"dropped": 2}


@pytest.mark.slow
def test_a_batch_of_rows_that_cannot_be_read_ends(dense: Installation, tmp_path: Path) -> None:
    rows = [installations.request(n, request_id=" ") for n in (55, 56)]
    name, state = runs.run(dense.home, dense.submit(tmp_path / "s", rows))
    assert (state, outcomes(dense.home, name)) == (State.PUBLISHED, {"rejected": 2})
