"""The lookback: the incident found, and nothing else; corrections and orders that came later; what it leaves behind."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from expectations.base.clock import Clock
from expectations.rules import address, disclosure
from flows.batch.advance import advance
from flows.home import registers
from flows.home.tree import HOLDER_AGE
from flows.ledger.lifecycles.states import State
from flows.replay.lookback import Lookback, lookback
from flows.sandbox.home import enrol
from pipelines import sealing
from tests.factories import installations
from tests.factories.deltas import write_delta
from tests.factories.installations import Installation
from tests.factories.past import TODAY, order, waved_through
from tests.flows.batch.test_last_moment import work
from tests.flows.conftest import Run

# What was wrong with each row of the incident: row of the batch → changes, and the code that the lookback must give.
WRONG: dict[int, tuple[dict[str, Any], list[str]]] = {
    3: ({"street": "FAILED TO PROVIDE"}, ["PLACEHOLDER"]),
    5: ({"street": "Juniper St"}, ["NO_NUMBER"]),
    8: ({"street": "1429"}, ["NO_STREET"]),
    11: ({"street": "Travis County Jail"}, ["FACILITY", "NO_NUMBER"]),
    13: ({"street": "9 Quagmire Ave"}, ["NOT_CORROBORATED"]),  # matched by name and number, the address never compared
    17: ({"zip": "10001"}, ["CITY_NOT_IN_ZIP", "ZIP_NOT_IN_STATE"]),
}


@contextmanager
def early_rules() -> Iterator[None]:
    """The rule set of the incident: an address is there if the field is not blank. Exists in this test only."""
    any_address = replace(address.RULES["address.no_address"], predicate="trim(street) <> ''", inputs=("street",))
    any_record = replace(disclosure.RULES["disclosure.few_tries"], predicate="record_id > 0", inputs=("record_id",))
    with pytest.MonkeyPatch.context() as patch, waved_through():
        patch.setattr(address, "RULES", {any_address.id: any_address})
        patch.setattr(disclosure, "RULES", {any_record.id: any_record})
        yield


def release(installation: Installation, folder: Path, content: list[dict[str, Any]]) -> str:
    with waved_through(), work(installation, installation.submit(folder, content)) as one:
        assert advance(one) is State.PUBLISHED
        return one.name


@pytest.fixture(scope="module")
def batches(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("submissions")
    with early_rules():
        content = [installations.request(n, **WRONG.get(n, ({}, []))[0]) for n in range(1, 21)]
        wrong = release(installation, folder / "incident", content)
    return {
        "incident": wrong,
        "good": release(installation, folder / "good", [installations.request(n) for n in range(21, 31)]),
    }


def look(installation: Installation, **options: Any) -> Lookback:
    return lookback(installation.home, Clock(), **options)


def affected(installation: Installation, found: Lookback, folder: Path) -> Affected:
    assert found.affected is not None
    plain = folder / "affected.parquet"
    sealing.open_file(found.affected, plain, sealing.load_identity(installation.home.keys / HOLDER_AGE))
    table = pq.read_table(plain)
    assert table.column_names == ["batch", "ordinal", "request_key", "person_key", "codes"]
    assert not any(table[name].null_count for name in table.column_names)
    return {(r["batch"], r["ordinal"]): r["codes"] for r in table.to_pylist()}


def truth(batches: dict[str, str]) -> Affected:
    return {(batches["incident"], n - 1): codes for n, (_, codes) in WRONG.items()}


def test_the_incident_is_found_exactly(installation: Installation, batches: dict[str, str], tmp_path: Path) -> None:
    found = look(installation)
    assert affected(installation, found, tmp_path) == truth(batches)
    said = found.summary
    counts = {k: said[k] for k in ("batches", "released", "affected", "persons", "not_decided")}
    assert counts == {"batches": 2, "released": 30, "affected": 6, "persons": 6, "not_decided": []}
    assert said["codes"] == Counter(code for _, codes in WRONG.values() for code in codes)
    # its share of incomplete addresses and its match rate would hold it today: that makes no good disclosure wrong
    assert said["found"][0]["batch"] == batches["incident"] and "TOO_MANY_INCOMPLETE" in said["found"][0]["batch_codes"]
    assert list(installation.home.lake.glob(".view-*")) == [] and found.exit_code == 3


@pytest.mark.slow
def test_on_the_command_line(installation: Installation, batches: dict[str, str], command: Run, tmp_path: Path) -> None:
    code, out, err = command("lookback", "--json", "--out", str(tmp_path / "list.age"))
    said = json.loads(out)
    assert (code, said["affected"]) == (3, 6), err
    assert (tmp_path / "list.age").read_bytes() == Path(said["sealed"]).read_bytes()
    kept = json.loads(Path(said["sealed"].replace(".parquet.age", ".json")).read_text())
    assert kept["list_digest"] and (installation.home.root / "lookback").stat().st_mode & 0o077 == 0
    code, out, _ = command("lookback")
    assert code == 3 and "6 of 30 disclosures in 2 batches would not be made today" in out
    code, out, _ = command("lookback", "--as-of", str(TODAY - timedelta(days=1)), "--json")
    assert (code, json.loads(out)["batches"]) == (0, 0)


def test_evidence_that_is_gone_is_told_and_the_rest_goes_on(
    installation: Installation, batches: dict[str, str]
) -> None:
    sealed = installation.home.root / "evidence" / f"{batches['good']}.parquet.age"
    body = sealed.read_bytes()
    sealed.write_bytes(body[:-1])
    found = look(installation)
    sealed.write_bytes(body)
    assert found.summary["not_decided"] == [{"batch": batches["good"], "code": "SEAL_BROKEN"}]
    assert found.summary["affected"] == 6


def corrected(
    installation: Installation, folder: Path, kind: str, *records: dict[str, Any], removed: tuple[int, ...] = ()
) -> None:
    delta = write_delta(folder, records, removed, kind=kind, on=TODAY)
    registers.update_register(installation.home, delta, TODAY)


def moved(n: int, **changes: Any) -> dict[str, Any]:
    """Person `n`, who has lived elsewhere since 2015, says the file now."""
    home = {**installations.address(n), "street": f"{n} Elsewhere Rd", "valid_from": date(2015, 1, 1), "unit": None}
    return {**installations.person(n), "homes": [home], **changes}


Affected = dict[tuple[str, int], list[str]]


@pytest.fixture(scope="module")
def mended(installation: Installation, batches: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Affected:
    """The register after an update and a correction; gives what a lookback between the two found."""
    folder = tmp_path_factory.mktemp("deltas")
    corrected(installation, folder / "update", "update", moved(22), removed=(23,))
    between = affected(installation, look(installation), folder)
    same = {**installations.person(26), "homes": [{**installations.address(26), "unit": None}]}
    renamed = {
        **same,
        **installations.person(27),
        "homes": [{**installations.address(27), "unit": None}],
        "last_name": "Quartermain",
    }
    corrected(installation, folder / "correction", "correction", moved(24), same, renamed, removed=(25,))
    return between


# What the correction says of the batch `good`: person → code.
MENDED = {24: "NOT_CORROBORATED", 25: "NO_CANDIDATE", 27: "NO_CANDIDATE"}


def test_what_the_register_had_wrong_counts_and_what_changed_since_does_not(
    installation: Installation, batches: dict[str, str], mended: Affected, tmp_path: Path
) -> None:
    assert mended == truth(batches)
    found = look(installation)
    wrong = {(batches["good"], n - 21): [code] for n, code in MENDED.items()}
    assert affected(installation, found, tmp_path) == truth(batches) | wrong
    assert [one["corrected_persons"] for one in found.summary["found"]] == [0, 4]


@pytest.mark.slow
def test_orders_that_came_later(installation: Installation, mended: Affected, tmp_path: Path) -> None:
    """In effect on the day of the decision, and enrolled later: it counts; in effect later: it does not, unless it
    recalls."""
    wrong = len(WRONG) + len(MENDED)

    def after(id: str, said: str, day: date) -> int:
        with work(installation, installation.submit(tmp_path / id, [installations.request(40)])) as one:
            enrol(installation.home, one.ledger, order(id, said, day).encode(), f"{id}.toml")
            found = look(installation).summary
            lift = order(f"lift-{id}", f'effect = "lift"\nlifts = ["{id}"]', min(day, TODAY))
            enrol(installation.home, one.ledger, lift.encode(), f"lift-{id}.toml")
        return int(found["affected"])

    assert after("tomorrow", 'effect = "forbid"', TODAY + timedelta(days=1)) == wrong
    assert after("today", 'effect = "forbid"', TODAY) == 30
    assert after("holds", 'effect = "hold"', TODAY) == 30
    assert after("no-street", 'effect = "forbid"', TODAY) == 30  # a field left that may not
    assert after("colorado", 'effect = "forbid"', TODAY) == wrong + 8
    assert look(installation).summary["affected"] == wrong  # every order is lifted


@pytest.mark.slow
def test_an_order_to_recall_reaches_back(installation: Installation, mended: Affected, tmp_path: Path) -> None:
    recalls = order("recalls", 'effect = "recall"', TODAY + timedelta(days=2)).encode()
    with work(installation, installation.submit(tmp_path / "s", [installations.request(41)])) as one:
        enrol(installation.home, one.ledger, recalls, "recalls.toml")
    assert look(installation).summary["affected"] == len(WRONG) + len(MENDED)
    found = look(installation, as_of=TODAY + timedelta(days=2)).summary
    assert found["affected"] == 30 and {"id": "recalls"}.items() <= found["found"][0]["cites"][0].items()
