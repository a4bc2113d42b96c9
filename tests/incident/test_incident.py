"""The incident replayed: released under the rules of 2025, found again under ours, got back to the last row. Against the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from expectations.clock import Clock
from expectations.duck import parquet, session
from flows.home import HOLDER_AGE, Home
from flows.recall import Lookback, lookback
from flows.sandbox import init, make_batch
from pipelines import sealing, simulate
from tests import world as worlds
from tests.incident import early

ROWS, PERSONS = 1_200, 12_000


@dataclass(frozen=True)
class Incident:
    """A home in which a batch left under the rules of 2025, and what a lookback finds of it."""

    home: Home
    batch: str
    truth: Path
    found: Lookback


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Incident]:
    root, clock = tmp_path_factory.mktemp("incident"), Clock()
    raw = root / "home" / "register" / "raw"
    home = init(root / "home", sandbox=True, settings={"register_folder": str(raw)})
    with worlds.at_home(home):
        simulate.register(PERSONS, 1, raw, duck=home.duck)
        today = clock.today("America/New_York")
        sent = make_batch(home, raw, ROWS, 2, "hostile", root / "made", today, "sandbox-2026", None)
        batch = early.release(home, clock, sent)
        yield Incident(home, batch, root / "made" / "truth.parquet", lookback(home, clock))


def opened(incident: Incident, sealed: Path, target: Path) -> str:
    sealing.open_file(sealed, target, sealing.load_identity(incident.home.keys / HOLDER_AGE))
    return parquet([target])


def released(incident: Incident, folder: Path, which: str) -> set[int]:
    """Ordinals of released rows for which `which` is so in truth."""
    accounting = opened(
        incident, incident.home.root / "accounting" / f"{incident.batch}.parquet.age", folder / "accounting"
    )
    with session() as connection:
        query = f"SELECT ordinal FROM {accounting} JOIN {parquet([incident.truth])} USING (request_id) WHERE outcome = 'released' AND {which}"
        return {row[0] for row in connection.execute(query).fetchall()}


def test_the_rules_of_2025_let_out_what_they_did_in_2025(incident: Incident, tmp_path: Path) -> None:
    assert len(released(incident, tmp_path, "address_defect IS NOT NULL")) > 30
    assert len(released(incident, tmp_path, "address_defect IS NULL AND NOT corroborated")) > 30
    assert len(released(incident, tmp_path, "releasable")) > 100


def test_the_lookback_finds_the_deficient_and_the_uncorroborated_and_no_other(
    incident: Incident, tmp_path: Path
) -> None:
    wrong = released(incident, tmp_path, "NOT corroborated")  # a deficient address corroborates nothing
    assert incident.found.affected and incident.found.summary["affected"] == len(wrong)
    rows = pq.read_table(opened_path(incident, tmp_path)).to_pylist()
    assert {row["ordinal"] for row in rows} == wrong and {row["batch"] for row in rows} == {incident.batch}


def opened_path(incident: Incident, folder: Path) -> Path:
    assert incident.found.affected
    opened(incident, incident.found.affected, folder / "affected.parquet")
    return folder / "affected.parquet"
