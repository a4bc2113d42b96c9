"""The incident replayed: released under the rules of 2025, found again under ours, got back to the last row. Against
the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.duck import default_settings, parquet, session
from flows.batch import grounds
from flows.cases import Step
from flows.cases.advancing import advance
from flows.cases.opening import Chosen, open_cases
from flows.cases.steps import HandedIn, by_key
from flows.home.tree import HOLDER_AGE, HOLDER_SIGNING, Home
from flows.ledger import Ledger
from flows.ledger.case_records import CaseRecord
from flows.ledger.lifecycles.cases import CaseReason, CaseState
from flows.replay.lookback import Lookback, lookback
from flows.replay.replay import past
from flows.reports.declaration import declaration
from flows.sandbox.home import REQUESTER_AGE, init, make_batch
from pipelines import sealing, simulate
from pipelines.recall.apply import apply_recall
from pipelines.release.opened import open_received
from tests.factories import installations, recalls
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
    with installations.at_home(home):
        simulate.register(PERSONS, 1, raw, duck=home.duck)
        today = clock.today("America/New_York")
        sent = make_batch(home, raw, ROWS, 2, "hostile", root / "made", today, "sandbox-2026", None)
        batch = early.release(home, clock, sent)
        yield Incident(home, batch, root / "made" / "truth.parquet", lookback(home, clock))


def opened(incident: Incident, sealed: Path, target: Path) -> str:
    sealing.open_file(sealed, target, sealing.load_identity(incident.home.keys / HOLDER_AGE))
    return parquet([target])


def released(incident: Incident, folder: Path, which: str) -> set[int]:
    """Ordinals of released rows for which `which` is so in truth. Its rows stand in the order of the submission; two of
    a hostile one may have the same request id."""
    accounting = opened(
        incident, incident.home.root / "accounting" / f"{incident.batch}.parquet.age", folder / "accounting"
    )
    with session() as connection:
        query = (
            f"SELECT ordinal FROM {accounting} accounted JOIN {parquet([incident.truth])} truth"
            " ON truth.file_row_number = ordinal AND truth.request_id = accounted.request_id"
            f" WHERE outcome = 'released' AND {which}"
        )
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


@pytest.fixture(scope="module")
def case(incident: Incident) -> CaseRecord:
    """The recall of what the lookback found."""
    assert incident.found.affected
    chosen = Chosen("", None, incident.found.affected)
    (opened_case,) = open_cases(incident.home, Clock(), chosen, CaseReason.LOOKBACK, "operator-1")
    return opened_case


def test_the_recall_list_freezes_the_wrong_rows_in_the_recipients_own_table_and_no_other(
    incident: Incident, case: CaseRecord, tmp_path: Path
) -> None:
    """The recipient has the package, the public key and its own key alone."""
    home, wrong = incident.home, released(incident, tmp_path, "NOT corroborated")
    assert case.state is CaseState.FROZEN and case.rows == len(wrong)
    holder, own = [(home.keys / f"{HOLDER_SIGNING}.pub").read_text()], sealing.load_identity(home.keys / REQUESTER_AGE)
    kept = tmp_path / "kept"
    open_received(home.outbox / incident.batch, own, kept, holder, default_settings())
    listed = home.outbox / f"recall-{case.id}"
    done = apply_recall(
        listed, own, holder, kept / "addresses.csv", tmp_path / "freeze.csv", key="request_id", duck=default_settings()
    )
    assert (done.frozen_rows, done.unmatched) == (len(wrong), 0)
    with session() as connection:
        frozen = f"SELECT request_id FROM read_csv('{tmp_path / 'freeze.csv'}', all_varchar = true)"
        accounted = f"SELECT request_id FROM {parquet([tmp_path / 'accounting'])} WHERE ordinal IN (SELECT unnest(?))"
        differs = f"SELECT count(*) FROM (({frozen}) EXCEPT ({accounted}))"
        assert connection.execute(differs, [sorted(wrong)]).fetchall() == [(0,)]


def test_the_recall_is_driven_to_its_end(incident: Incident, case: CaseRecord, tmp_path: Path) -> None:
    home = incident.home

    def step(which: Step, data: bytes | None, operator: str | None = "operator-1") -> CaseRecord:
        file = None
        if data is not None:
            file = tmp_path / "handed-in"
            file.write_bytes(data)
        key = signatures.load(home.keys / operator) if operator else None
        return advance(home, Clock(), case.id, which, HandedIn.of(which, file), by_key(key))

    step(Step.NOTIFIED, b"receipts")
    step(Step.PERSONS, recalls.persons(case.rows))
    step(Step.COPIES, recalls.COPIES)
    assert step(Step.DISPOSED, recalls.log("package-1", "db-1", "derived-1")).state is CaseState.DISPOSED
    step(Step.ATTESTED, recalls.attestation(home, case.id), None)
    step(Step.CLOSED, None)
    assert step(Step.CLOSED, None, "operator-2").state is CaseState.CLOSED
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        assert ledger.verify() == []


def test_the_declaration_says_what_the_truth_says(incident: Incident, tmp_path: Path) -> None:
    told = declaration(incident.home, Clock(), incident.batch)
    figures = {line["figure"]: line["rows"] for line in told["figures"]}
    with session() as connection:
        asked = connection.execute(f"SELECT count(*) FROM {parquet([incident.truth])}").fetchall()[0][0]
    assert figures["asked"] == asked == ROWS
    assert figures["disclosed"] == len(released(incident, tmp_path, "true"))
    assert figures["disclosed"] + figures["withheld"] == asked
    right, wrong = (len(released(incident, tmp_path, which)) for which in ("corroborated", "NOT corroborated"))
    assert (figures["disclosed"] - incident.found.summary["affected"], incident.found.summary["affected"]) == (
        right,
        wrong,
    )


@pytest.mark.parametrize("crowd", [50, pytest.param(1, marks=pytest.mark.slow)])
def test_a_look_at_the_released_rows_alone_finds_what_a_look_at_all_finds(incident: Incident, crowd: int) -> None:
    """`crowd`: persons that one address may have; with one, rows are crowded by others that were not released."""
    found: dict[bool, dict[int, tuple[object, ...]]] = {}
    of_batch = {}
    with Ledger.open(incident.home.ledger_url, Clock()) as ledger:
        record = ledger.batch(incident.batch)
        assert record is not None
        on = grounds.recorded(ledger, record)
        limits = on.agreement.thresholds.model_copy(update={"persons_per_address": crowd})
        on = replace(on, agreement=on.agreement.model_copy(update={"thresholds": limits}))
        with past(incident.home, ledger, record) as opened:
            for alone in (False, True):
                _, decided = opened.decide(on, record.decided_on, released=alone)
                rows = pq.read_table(decided.rows).to_pylist()
                found[alone] = {
                    r["ordinal"]: (r["request_key"], r["person_key"], r["outcome"], sorted(r["codes"] or []))
                    for r in rows
                    if r["outcome_then"] == "released"
                }
                of_batch[alone] = (decided.refuse, decided.hold, decided.rate, decided.looked_up)
                # few enough that the others are not judged in full
                assert len(rows) == (len(found[alone]) if alone else ROWS) and len(found[alone]) * 2 < ROWS
    assert found[True] == found[False] and of_batch[True] == of_batch[False]
    crowded = {n for n, (*_, codes) in found[True].items() if isinstance(codes, list) and "CROWDED" in codes}
    assert bool(crowded) == (crowd == 1)
