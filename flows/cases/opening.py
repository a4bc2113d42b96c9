"""Opening a case: what is affected is looked up, recorded, and frozen at once, before anybody is asked.

In this order, each step durable before the next: the list of affected persons, sealed; the case in the ledger, with its
claims marked; the recall list in the outbox; its event, with the first documents. After a crash the same command goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

from expectations.clock import Clock
from expectations.digests import content_digest, of_file
from expectations.duck import parquet, quote, session
from expectations.errors import BadInput, Fault, Usage
from flows import evidence, kept
from flows.cases import delivery, documents, places
from flows.home import HASH_KEY, Home
from flows.ledger import Ledger
from flows.ledger.case_records import CaseRecord, NewCase
from flows.ledger.cases import CaseReason, CaseState, Proof
from flows.work import Work
from pipelines import sealing
from pipelines.release import affected
from pipelines.release.affected import Affected


@dataclass(frozen=True)
class Chosen:
    """Which disclosures: those of a batch (all, or the ordinals in the file `rows`), or those of a lookback's sealed list."""

    batch: str = ""
    rows: Path | None = None
    listed: Path | None = None

    @classmethod
    def of(cls, batch: str | None, rows: Path | None, every_row: bool, listed: Path | None) -> Chosen:
        """From what an operator gave; raises Usage unless it says exactly which rows are meant."""
        if (listed is None) == (batch is None) or (batch is not None and (rows is None) != every_row):
            raise Usage(
                "WHICH_ROWS",
                "say which rows are recalled",
                remedy="--batch BATCH with --rows FILE or --all; or --from LIST.",
            )
        return cls(batch or "", rows, listed)


def open_cases(
    home: Home, clock: Clock, chosen: Chosen, reason: CaseReason, discovered_at: datetime | None = None
) -> list[CaseRecord]:
    """Opens a case for each agreement that the chosen rows were disclosed under, and freezes it; rows that another case
    recalls already are left out. Safe to repeat.

    Raises BadInput if a row was not released, Usage if every one of them is recalled already, or a batch is not published.
    """
    now = clock.now()
    if discovered_at is not None and discovered_at > now:
        raise Usage("DISCOVERED_LATER", "the time of discovery lies in the future")
    with places.at_work(home) as view, Ledger.open(home.ledger_url, clock) as ledger:
        _sweep(home, ledger)
        selected = _selected(home, chosen, view)
        by_agreement = _by_agreement(home, ledger, chosen, selected)
        opened = [
            _open(home, ledger, agreement, batches, selected, reason, discovered_at or now, view)
            for agreement, batches in sorted(by_agreement.items())
        ]
        return [freeze(home, ledger, case, view) for case in opened]


def freeze(home: Home, ledger: Ledger, case: CaseRecord, view: Path) -> CaseRecord:
    """Delivers the recall list of a case that was found, and issues the first documents. A frozen case stays as it is."""
    if case.state is not CaseState.FOUND:
        return case
    sealed, plain = places.folder(home, case.id) / documents.AFFECTED, view / f"{case.id}.parquet"
    sealing.open_file(sealed, plain, places.identity(home))
    with session(home.duck) as connection:
        digest = content_digest(connection, parquet([plain]), ["batch", "ordinal"], "batch, ordinal")
    if digest != case.affected:
        raise Fault(
            "LIST_CHANGED", "the list of affected persons is not the one that the case was opened on", where=case.id
        )
    rests_on = delivery.deliver(home, ledger, case, plain, view)
    setting = documents.Setting.of(home, ledger.clock, ledger, case, rests_on)

    def judge(now: CaseRecord, end: CaseState, bodies: Sequence[bytes]) -> Mapping[str, object]:
        said = documents.issue(setting, now, end, bodies)
        return {**said, "documents": {**said["documents"], documents.AFFECTED: of_file(sealed)}}

    return ledger.take(case.id, Proof.LIST, judge, rests_on)


def _open(
    home: Home, ledger: Ledger, agreement: str, batches: list[str], selected: Path | None, reason: CaseReason,
    discovered_at: datetime, view: Path,
) -> CaseRecord:  # fmt: skip
    rows = _find(home, ledger, agreement, batches, selected, view)
    while True:
        case = _case(ledger, agreement, rows, reason, discovered_at)
        if known := next((c for c in ledger.cases() if c.id == case.id), None):
            return known
        _keep_affected(home, ledger, case, rows.path, view)
        taken = ledger.open_case(case, pq.read_table(rows.path, columns=["request_key", "person_key"]))
        if not taken:
            return ledger.case(case.id)
        shutil.rmtree(places.folder(home, case.id))
        if len(taken) == sum(case.batches.values()):
            raise Usage("RECALLED_ALREADY", "every one of these rows is recalled in a case already",
                        remedy="See sluicegate recall list; a case that is only found goes on with: recall advance CASE frozen.")  # fmt: skip
        rows = affected.without(rows.path, sorted(taken), view / f"{agreement}-rest.parquet", home.duck)


def _case(ledger: Ledger, agreement: str, rows: Affected, reason: CaseReason, discovered_at: datetime) -> NewCase:
    requester = places.agreement_of(ledger, agreement).requester.id
    return NewCase(
        f"c-{rows.digest[:16]}", requester, agreement, reason, discovered_at, rows.batches, rows.codes, rows.digest
    )


def _selected(home: Home, chosen: Chosen, view: Path) -> Path | None:
    """Parquet of batch and ordinal; None: all that a batch released."""
    target = view / "selected.parquet"
    if chosen.listed is not None:
        sealing.open_file(chosen.listed, target, places.identity(home))
        return target
    if chosen.rows is None:
        return None
    if not chosen.rows.is_file():
        raise BadInput("FILE_UNREADABLE", "the file cannot be read", where=chosen.rows.name, remedy="Give its path.")
    affected.read_ordinals(chosen.rows, chosen.batch, target, home.duck)
    return target


def _by_agreement(home: Home, ledger: Ledger, chosen: Chosen, selected: Path | None) -> dict[str, list[str]]:
    names = [chosen.batch]
    if chosen.listed is not None and selected is not None:
        names = affected.batches(selected, home.duck)
    found: dict[str, list[str]] = {}
    for name in names:
        record = ledger.batch(name)
        if record is None:
            raise Usage("UNKNOWN_BATCH", "the ledger knows no batch of this name", remedy="See sluicegate status.")
        found.setdefault(record.agreement, []).append(name)
    return found


def _find(
    home: Home, ledger: Ledger, agreement: str, batches: list[str], selected: Path | None, view: Path
) -> Affected:  # fmt: skip
    opened = {}
    for name in batches:
        sealed = kept.accounting(home, name)
        if not sealed.exists():
            raise Usage(
                "NO_ACCOUNTING", "there is no accounting of this batch", where=name, remedy="Restore accounting/."
            )
        opened[name] = view / f"{name}.parquet"
        sealing.open_file(sealed, opened[name], places.identity(home))
    under = places.agreement_of(ledger, agreement)
    target = view / f"{agreement}.parquet"
    return affected.find(selected, opened, under, home.secret(HASH_KEY), target, home.duck)


def _keep_affected(home: Home, ledger: Ledger, case: NewCase, rows: Path, view: Path) -> None:
    """Seals the list of affected persons to the holder, with the register's record ids where the evidence is still kept."""
    records: dict[str, Path] = {}
    for name in case.batches:
        path = view / f"{name}-records.parquet"
        if _records(home, ledger, name, path):
            records[name] = path
    plain = view / "affected.parquet"
    affected.with_records(rows, records, plain, home.duck)
    places.keep_sealed(home, plain, places.folder(home, case.id) / documents.AFFECTED)


def _records(home: Home, ledger: Ledger, batch: str, target: Path) -> bool:
    work = Work(home, ledger, ledger.clock, batch, lambda *_: None)
    query = "SELECT ordinal, verdict.record_id AS record_id FROM {} WHERE verdict IS NOT NULL"
    try:
        with evidence.opened(home, work) as (_, relation), session(home.duck) as connection:
            connection.execute(f"COPY ({query.format(relation)}) TO {quote(str(target))} (FORMAT parquet)")
    except Usage:  # no evidence is kept any more: the keyed hashes are what is left
        return False
    return True


def _sweep(home: Home, ledger: Ledger) -> None:
    """Deletes folders of cases that a killed run never opened."""
    known = {case.id for case in ledger.cases()}
    for folder in (home.root / "recalls").glob("c-*"):
        if folder.name not in known:
            shutil.rmtree(folder)
