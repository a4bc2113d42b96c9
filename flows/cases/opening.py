"""Opening a case: what is affected is found, recorded, and frozen at once, before anybody is asked. In this order, each
step durable before the next: the list of affected persons, sealed; the case in the ledger, with its claims marked; the
recall list in the outbox; its event, with the first documents. After a crash the same command goes on."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

from expectations.base.clock import Clock
from expectations.base.digests import content_digest, matches, of_file
from expectations.base.duck import parquet, session
from expectations.base.errors import BadInput, Fault, Usage
from flows.batch.steps import BatchSteps
from flows.cases import documents, places
from flows.cases.places import Desk
from flows.evidence import keys
from flows.evidence.store import accounting_path, open_accounting, seal_to_holder
from flows.home import holder
from flows.home.keys import hashed_with
from flows.home.tree import Home
from flows.ledger.case_records import CaseRecord, NewCase
from flows.ledger.lifecycles.cases import CaseReason, CaseState, Proof
from flows.ledger.lifecycles.states import State
from flows.replay import opened
from pipelines import sealing
from pipelines.lake import durable
from pipelines.lake.sql import copy
from pipelines.recall import affected, listing
from pipelines.recall.affected import Affected
from pipelines.release import signed_folder


@dataclass(frozen=True)
class Chosen:
    """Which disclosures: a batch's (all, or the ordinals in `rows`, a file or lines), or those of a lookback's sealed
    list."""

    batch: str = ""
    rows: Path | tuple[str, ...] | None = None
    listed: Path | None = None

    @classmethod
    def of(cls, batch: str | None, rows: Path | None, every_row: bool, listed: Path | None) -> Chosen:
        """From what an operator gave; raises Usage unless it says exactly which rows are meant."""
        if (listed is None) == (batch is None) or (batch is not None and (rows is None) != every_row):
            remedy = "--batch BATCH with --rows FILE or --all; or --from LIST."
            raise Usage("WHICH_ROWS", "say which rows are recalled", remedy=remedy)
        return cls(batch or "", rows, listed)


def open_cases(
    home: Home, clock: Clock, chosen: Chosen, reason: CaseReason, operator: str, discovered_at: datetime | None = None
) -> list[CaseRecord]:
    """Opens a case for each agreement that the chosen rows were disclosed under, and freezes it. Safe to repeat. Rows
    that another case recalls already are left out. `operator`: who opens it; nobody signs that, since to freeze is
    always safe. Raises BadInput if a row was not released, Usage if every one of them is recalled already, if a batch
    is not published, or if no role of the operator allows it."""
    with places.desk(home, clock) as at:
        found_at = discovered_at or at.ledger.clock.now()
        _not_later(at, found_at)
        _delete_unopened(at)
        selected = _selected(at, chosen)
        by_agreement = _by_agreement(at, chosen, selected)
        opened = [
            _open(
                at, agreement, _find(at, agreement, by_agreement[agreement], selected), _Why(reason, found_at, operator)
            )
            for agreement in sorted(by_agreement)
        ]
        return [freeze(at, case) for case in opened]


@dataclass(frozen=True)
class Foreseen:
    """What would be opened: the case of these rows, and their numbers by batch and by code. `known`: it is there."""

    case: str
    agreement: str
    batches: Mapping[str, int]
    codes: Mapping[str, int]
    known: bool

    @property
    def rows(self) -> int:
        return sum(self.batches.values())


def foresee(home: Home, clock: Clock, chosen: Chosen, discovered_at: datetime) -> list[Foreseen]:
    """What opening would do with these rows, by agreement; nothing is done. Raises as `open_cases` does."""
    with places.desk(home, clock) as at:
        _not_later(at, discovered_at)
        selected = _selected(at, chosen)
        by_agreement, known = _by_agreement(at, chosen, selected), {case.id for case in at.ledger.cases()}
        for name in (name for names in by_agreement.values() for name in names):
            if at.ledger.known_batch(name).state is not State.PUBLISHED:
                what = "nothing of this batch was disclosed: there is nothing to recall"
                raise Usage("NOT_PUBLISHED", what, where=name, remedy="See sluicegate status.")
        found = {id: _find(at, id, by_agreement[id], selected) for id in sorted(by_agreement)}
        return [Foreseen(_name(one), id, one.batches, one.codes, _name(one) in known) for id, one in found.items()]


def _by_agreement(at: Desk, chosen: Chosen, selected: Path | None) -> Mapping[str, list[str]]:
    """The batches of the chosen rows, by the agreement that they were disclosed under."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in affected.batches(selected, at.home.duck) if chosen.listed and selected else [chosen.batch]:
        found[at.ledger.known_batch(name).agreement].append(name)
    return found


def freeze(at: Desk, case: CaseRecord) -> CaseRecord:
    """Delivers the recall list of a case, and issues the first documents. A case that is frozen stays as it is."""
    if case.state is not CaseState.FOUND:
        return case
    sealed, opened = places.folder(at.home, case.id) / documents.AFFECTED, at.plain / f"{case.id}.parquet"
    sealing.open_file(sealed, opened, keys.holder(at.home))
    with session(at.home.duck) as connection:
        relation, columns = parquet([opened]), ["batch", "ordinal"]
        same = matches(case.affected, lambda: content_digest(connection, relation, columns, "batch, ordinal"))
    if not same:
        raise Fault("LIST_CHANGED", "the list of affected persons is not the one of this case", where=case.id)
    rests_on = _deliver(at, case, opened)
    setting = documents.Setting.of(at.home, at.ledger, case, rests_on)

    def judge(now: CaseRecord, end: CaseState, bodies: Sequence[bytes]) -> Mapping[str, object]:
        issued = documents.issue(setting, now, end, bodies)
        return {**issued, "documents": {**issued["documents"], documents.AFFECTED: of_file(sealed)}}

    return at.ledger.take(case.id, Proof.LIST, judge, rests_on)


def _deliver(at: Desk, case: CaseRecord, rows: Path) -> str:
    """Puts the recall list of `case` (`rows`: Parquet with batch, request_id) into the outbox, whole; gives its digest.
    Safe to repeat: the list is sealed once. Raises Fault if something else lies under its name."""
    return places.deliver(at.home, _sealed(at, case, rows), places.name_of(case.id))


def _sealed(at: Desk, case: CaseRecord, rows: Path) -> Path:
    """The recall list in the case's folder, with which the one in the outbox can be compared; sealed once."""
    stored, home = places.folder(at.home, case.id) / "list", at.home
    if not stored.exists():
        made, half = at.plain / stored.name, stored.with_name(f".{stored.name}")
        listing.seal_recall(
            made,
            parquet([rows]),
            case=case.id,
            agreement=at.agreement(case.agreement),
            packages={name: at.ledger.known_batch(name).package_digest or "" for name in case.batches},
            holder_key=holder.signing_key(home),
            created_at=at.ledger.clock.now(),
            duck=home.duck,
        )
        shutil.copytree(made, half)
        for path in [*half.iterdir(), half]:
            durable.fsync(path)
        half.rename(stored)
        durable.fsync(stored.parent)
    manifest = signed_folder.verify(stored, listing.KIND, home.holders)
    if (manifest["case"], manifest["rows"]) != (case.id, case.rows):
        raise Fault("LIST_CHANGED", "the recall list in the case's folder is another case's", where=case.id)
    return stored


@dataclass(frozen=True)
class _Why:
    """Why cases are opened, since when that is known, and by whom."""

    reason: CaseReason
    discovered_at: datetime
    operator: str


def _open(at: Desk, agreement: str, rows: Affected, why: _Why) -> CaseRecord:
    requester = at.agreement(agreement).requester.id
    while True:
        id = _name(rows)
        case = NewCase(id, requester, agreement, why.reason, why.discovered_at, rows.batches, rows.codes, rows.digest)
        if known := next((c for c in at.ledger.cases() if c.id == id), None):
            return known
        _store_affected(at, case, rows.path)
        pairs = pq.read_table(rows.path, columns=["request_key", "person_key"])
        taken = at.ledger.open_case(case, pairs, why.operator)
        if not taken:
            return at.ledger.case(id)
        shutil.rmtree(places.folder(at.home, id))
        if len(taken) == sum(case.batches.values()):
            remedy = "See sluicegate recall list; one that is only found goes on with: recall advance CASE frozen."
            raise Usage("RECALLED_ALREADY", "every one of these rows is in a recall case already", remedy=remedy)
        rows = affected.without(rows.path, sorted(taken), at.plain / f"{agreement}-rest.parquet", at.home.duck)


def _not_later(at: Desk, discovered_at: datetime) -> None:
    if discovered_at > at.ledger.clock.now():
        raise Usage("DISCOVERED_LATER", "the time of discovery lies in the future")


def _name(rows: Affected) -> str:
    """By its rows, so that the same rows are the same case, however often it is opened."""
    return f"c-{rows.name[:16]}"


def _selected(at: Desk, chosen: Chosen) -> Path | None:
    """Parquet of batch and ordinal; None: all that a batch released."""
    target = at.plain / "selected.parquet"
    if chosen.listed is not None:
        sealing.open_file(chosen.listed, target, keys.holder(at.home))
        return target
    if chosen.rows is None:
        return None
    if isinstance(chosen.rows, Path) and not chosen.rows.is_file():
        raise BadInput("FILE_UNREADABLE", "the file cannot be read", where=chosen.rows.name, remedy="Give its path.")
    affected.read_ordinals(chosen.rows, chosen.batch, target, at.home.duck)
    return target


def _find(at: Desk, agreement: str, batches: list[str], selected: Path | None) -> Affected:
    opened = {name: at.plain / f"{name}.parquet" for name in batches}
    for name, plain in opened.items():
        if not accounting_path(at.home, name).exists():
            raise Usage("NO_ACCOUNTING", "this batch has no accounting", where=name, remedy="Restore accounting/.")
        open_accounting(at.home, name, plain)
    target, key = at.plain / f"{agreement}.parquet", at.home.hash_key
    then = {name: hashed_with(at.home, at.ledger, name) for name in batches}
    return affected.find(selected, opened, at.agreement(agreement), key, then, target, at.home.duck)


def _store_affected(at: Desk, case: NewCase, rows: Path) -> None:
    """Seals the list of affected persons to the holder, with the register's record ids while the evidence is stored."""
    records: dict[str, Path] = {}
    for name in case.batches:
        path = at.plain / f"{name}-records.parquet"
        # where the evidence is not stored any more, the keyed hashes are what is left
        with suppress(Usage), opened.opened(at.home, BatchSteps(at.home, at.ledger, name)) as (_, relation):
            with session(at.home.duck) as connection:
                copy(connection, f"SELECT ordinal, verdict.record_id FROM {relation} WHERE verdict IS NOT NULL", path)
            records[name] = path
    target = at.plain / "affected.parquet"
    affected.with_records(rows, records, target, at.home.duck)
    seal_to_holder(at.home, target, places.folder(at.home, case.id) / documents.AFFECTED)


def _delete_unopened(at: Desk) -> None:
    """Deletes folders of cases that a killed run never opened."""
    known = {case.id for case in at.ledger.cases()}
    for folder in (at.home.root / "recalls").glob("c-*"):
        if folder.name not in known:
            shutil.rmtree(folder)
