"""Notices of corrections to earlier recipients (5 USC 552a(c)(4)): who is due one, what it says, and that it is sent
once."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from expectations.base.clock import Clock
from flows.audit import sealed
from flows.cases import corrections
from flows.home import registers
from flows.ledger import Ledger
from flows.outbox import package_digest
from flows.sandbox.home import REQUESTER_AGE
from pipelines import sealing
from pipelines.recall import corrected
from pipelines.release import signed_folder
from tests.factories import installations, runs
from tests.factories.deltas import write_delta
from tests.factories.installations import Installation
from tests.factories.past import waved_through
from tests.flows.conftest import Run

TODAY = Clock().today("America/New_York")  # the zone of the agreement


def moved(n: int, street: str = "Elsewhere Rd") -> dict[str, Any]:
    home = {**installations.address(n), "street": f"{n} {street}", "valid_from": date(2015, 1, 1), "unit": None}
    return {**installations.person(n), "homes": [home]}


def delta(installation: Installation, folder: Path, kind: str, *records: dict[str, Any]) -> None:
    registers.update_register(installation.home, write_delta(folder, records, kind=kind, on=TODAY), TODAY)


def opened(installation: Installation, notice: str, folder: Path) -> list[dict[str, str]]:
    """The notice as its recipient reads it."""
    package = installation.home.outbox / notice
    manifest = signed_folder.verify(package, corrected.KIND, installation.home.holders)
    own = sealing.load_identity(installation.home.keys / REQUESTER_AGE)
    signed_folder.unseal(package, corrected.KIND, own, folder)
    rows = list(csv.DictReader((folder / "corrections.csv").read_text().splitlines()))
    assert manifest["rows"] == len(rows) == len(pq.read_table(folder / "corrections.parquet"))
    return rows


def test_whoever_has_a_corrected_record_is_told_once(installation: Installation, tmp_path: Path, command: Run) -> None:
    """An update is no correction; a record that was not disclosed concerns nobody; a later correction is another."""
    home = installation.home
    with waved_through():
        batch = runs.released(installation, tmp_path / "a", 1, 10)
    assert corrections.due(home, Clock()) == []
    delta(installation, tmp_path / "d1", "update", moved(2))
    assert command("accounting", "corrections")[0] == 0
    delta(installation, tmp_path / "d2", "correction", moved(3), moved(4), moved(40))
    code, out, _ = command("accounting", "corrections", "--json")
    assert code == 3
    (due,) = json.loads(out)
    assert (due["recipient"], due["disclosures"]) == ("Department of Examples (fictional)", 2)
    assert due["batches"] == {batch: 2} and "notice" not in due
    assert command("accounting", "corrections", "--notify", "--json")[0] == 2  # nobody is named who sends it
    assert command("accounting", "corrections", "--notify", "--operator", "stranger")[0] == 2
    code, out, _ = command("accounting", "corrections", "--notify", "--operator", "operator-1", "--json")
    (sent,) = json.loads(out)
    assert code == 0
    rows = opened(installation, sent["notice"], tmp_path / "open")
    assert [(r["batch"], r["request_id"], r["effective_on"]) for r in rows] == [
        (batch, f"R-{n:06d}", TODAY.isoformat()) for n in (3, 4)
    ]
    assert corrections.due(home, Clock()) == corrections.notify(home, Clock(), "operator-1") == []
    delta(installation, tmp_path / "d3", "correction", moved(4, "Otherwhere Rd"))
    (again,) = corrections.notify(home, Clock(), "operator-1")
    assert again["disclosures"] == 1 and again["notice"] != sent["notice"]
    with runs.ledger_of(home) as ledger:
        assert ledger.verify() == [] and list(sealed.problems(home, ledger)) == []
        said = [e["facts"] for e in ledger.events() if e["kind"] == "corrected"]
        assert {f["by"] for f in said} == {"operator-1"}
        assert [f["rows"] for f in said] == [[2], [1]] and "R-000003" not in json.dumps(said)
        listed = corrections.folder(home, sent["notice"].removeprefix("correction-")) / corrections.LIST
        kept = listed.read_bytes()
        listed.write_bytes(b"x")
        (problem,) = sealed.problems(home, ledger)
        assert problem.place.endswith("affected.age") and "changed" in problem.what
        listed.write_bytes(kept)


def test_after_a_crash_before_its_event_the_same_notice_is_sent(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = installation.home
    delta(installation, tmp_path / "d", "correction", moved(5))

    def crash(*_given: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "record_correction", crash)
        with pytest.raises(KeyboardInterrupt):
            corrections.notify(home, Clock(), "operator-1")
    left = {p.name: package_digest(p) for p in home.outbox.glob("correction-*")}
    (sent,) = corrections.notify(home, Clock(), "operator-1")
    assert {p.name: package_digest(p) for p in home.outbox.glob("correction-*")} == left and sent["notice"] in left
    with runs.ledger_of(home) as ledger:
        assert list(sealed.problems(home, ledger)) == []
