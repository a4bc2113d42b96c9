"""The law read again: what is enrolled, listed and corrected now, for a batch that was received before.

`standing` asks the clauses that need no row: at each step, and under the publication lock. `decide` asks all of them,
before the package is sealed, and leaves in the batch's folder what came of it. Whether the sealed package still rests
on what is enrolled is seen under the lock by one comparison: if not, it goes back, and is decided and sealed again.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from expectations.base.digests import canonical_json, matching, of_bytes, of_file, of_json
from expectations.base.duck import parquet
from expectations.base.errors import Fault
from expectations.facts import persons
from flows.batch import clauses, grounds, period, tries
from flows.batch.ruling import Judged, Kept, Reading, Rows, Ruling, released
from flows.home.registers import later_versions, register_of
from flows.home.tree import Home
from flows.ledger import Ledger, chain
from flows.ledger.core import find, record
from flows.ledger.database.models import Batch
from flows.ledger.decisions import Decision
from flows.ledger.events.read import Read
from flows.ledger.lifecycles.states import State
from flows.ledger.registry import latest_instruments
from pipelines import register, release
from pipelines.context import BatchContext
from pipelines.lake import durable
from pipelines.lake.sql import copy, quiet
from pipelines.lake.workplace import locked_folder
from pipelines.release import Leaving
from pipelines.release.evidence import bundle
from pipelines.release.leaving import WITHHELD
from pipelines.replay import corrections

# What a decision leaves in the batch's folder, and in its evidence: what was read, and what came of it.
READ, LISTED, CHANGED, TRIED = "publication.json", "persons-now.parquet", "corrected.parquet", "tries-now.parquet"
KEPT = (READ, LISTED, CHANGED, TRIED, WITHHELD)
FORMAT = "sluicegate-publication/1"


class Law:
    """The law on one batch. `ctx`: the batch as it was recorded at receipt."""

    def __init__(self, home: Home, ledger: Ledger, ctx: BatchContext) -> None:
        self.home, self.ledger, self.ctx = home, ledger, ctx

    def reading(self, session: Session, entry: Batch) -> Reading:
        """What is enrolled and listed now, in this view of the ledger; no row is read."""
        known = record(entry)
        on, under = grounds.of_bodies(known, latest_instruments(session))
        now = grounds.narrowed(self.ctx, known, on, under, self.ledger.clock.today(on.agreement.zone))
        versions = [register.version(folder) for folder in later_versions(self.home, entry.register)]
        changed = Kept(of_json(versions) if versions else None)
        source = self.home.persons
        listed = Kept(of_file(source) if source else None)
        tried = Kept(self._answered(session, entry, now).digest)
        return Reading(session, entry, self.ctx, now, under, listed, changed, tried)

    def _answered(self, session: Session, entry: Batch, now: BatchContext) -> tries.Answered:
        return tries.answered(session, entry, (self.ctx.agreement, now.agreement), self.ledger.clock.now())

    def standing(self, session: Session, entry: Batch) -> Judged:
        """The clauses that need no row, as they are now; `stale`: the sealed package rests on something else."""
        reading = self.reading(session, entry)
        basis, sealed = clauses.basis(reading), chain.newest(session, entry.name, State.SEALED.value)
        stale = sealed is None or json.loads(sealed.facts).get("law") != basis
        return Judged(clauses.decided(reading), _read(reading), basis, stale)

    def now(self) -> Judged:
        """`standing`, in a view of its own."""
        period.count_again(self.home, self.ledger, self.ctx)
        with self.ledger.reading() as session:
            return self.standing(session, find(session, self.ctx.batch))

    def decide(self, dropped: Path | None, lost: Path | None) -> Judged:
        """All clauses, as they are now. Writes what was read, and which rows are withheld. Raises BadInput if the lists
        of persons cannot be read: then nothing is released."""
        judged, withheld = self._decide(dropped, lost, self.ctx.root)
        for path in (self.ctx.root / name for name in (WITHHELD, LISTED, CHANGED, TRIED)):
            if path.exists():
                durable.fsync(path)
        durable.write(self.ctx.root / READ, canonical_json(_said(judged, withheld)))
        return judged

    @contextmanager
    def checked(self, dropped: Path | None, lost: Path | None) -> Iterator[Leaving]:
        """What may leave, for the checkpoint: decided once more, whatever `decide` wrote. If the law has changed since,
        what it wrote: the package is then stale, and does not leave."""
        written, basis = self.leaving()
        with locked_folder(self.ctx.root, ".checked-") as folder:
            judged, withheld = self._decide(dropped, lost, folder)
            yield _leaving(judged.ruling, folder / WITHHELD if withheld else None) if judged.basis == basis else written

    def _decide(self, dropped: Path | None, lost: Path | None, place: Path) -> tuple[Judged, str | None]:
        """Writes its files into `place`; gives the digest of the withheld rows, too."""
        period.count_again(self.home, self.ledger, self.ctx)
        ctx, ends = self.ctx, release.ends(self.ctx, dropped=dropped, lost=lost)
        listed = self._lists(ends, place)
        with self.ledger.reading() as session, locked_folder(ctx.root, ".again-") as folder:
            reading = self.reading(session, find(session, ctx.batch))
            rows = Rows(f"({bundle(ctx.root)})", ends, folder, explained(self.ledger, ctx.batch))
            changed, tried = self._changed(reading, ends, place), self._tried(reading, ends, place)
            reading = replace(reading, listed=listed, changed=changed, tried=tried, rows=rows)
            ruling = clauses.decided(reading)
            if ruling.fields is None or ruling.recipient is None:
                raise Fault("NOT_DECIDED", "no clause says what may leave, or to whom", where=ctx.batch)
            withheld = self._withhold(ruling, place)
            return Judged(ruling, _read(reading), clauses.basis(reading)), withheld

    def leaving(self) -> tuple[Leaving, str | None]:
        """What `decide` found may leave, and the name of all that this rests on. Raises Fault if its files do not fit
        each other."""
        path, withheld = self.ctx.root / READ, self.ctx.root / WITHHELD
        if not path.exists():
            return Leaving.recorded(self.ctx), None
        said = json.loads(path.read_bytes())
        found = withheld if withheld.exists() else None
        if matching(said["withheld"], lambda: of_file(found) if found else None) != said["withheld"]:
            raise Fault("NOT_DECIDED", "what is withheld is not what was decided", remedy="Run the batch again.")
        return Leaving(tuple(said["fields"]), said["recipient"], found), said["basis"]

    def _lists(self, ends: str, place: Path) -> Kept:
        """The holder's lists of persons, of a copy, so that what is named is what was read; and of these what is said
        of those who would be released."""
        target, source = place / LISTED, self.home.persons
        target.unlink(missing_ok=True)
        if source is None:
            return Kept(None)
        data = source.read_bytes()
        with locked_folder(self.ctx.root, ".lists-") as folder:
            (folder / persons.NAME).write_bytes(data)
            persons.keep(folder / persons.NAME, folder / persons.KEPT, self.ctx.planned)
            here = f"SELECT * FROM {parquet([folder / persons.KEPT])} SEMI JOIN {released(ends)} USING (record_id)"
            with quiet("release.again", self.ctx.planned) as connection:
                copy(connection, f"{here} ORDER BY ALL", target)
        return Kept(of_bytes(data), target)

    def _changed(self, reading: Reading, ends: str, place: Path) -> Kept:
        """The records of rows that would be released, and that were corrected or removed since receipt."""
        target, version = place / CHANGED, reading.entry.register
        target.unlink(missing_ok=True)
        files = corrections.changes(later_versions(self.home, version))
        if not files:
            return reading.changed
        known = corrections.changes([register_of(self.home, version)])
        with quiet("release.again", self.ctx.planned) as connection:
            copy(connection, corrections.since(files, known, released(ends)), target)
        return Kept(reading.changed.digest, target)

    def _tried(self, reading: Reading, ends: str, place: Path) -> Kept:
        """The tries that count by now on the persons of rows that would be released."""
        count, target = self._answered(reading.session, reading.entry, reading.now), place / TRIED
        target.unlink(missing_ok=True)
        tries.counted(self.ledger, self.ctx, count, released(ends), target)
        return Kept(count.digest, target)

    def _withhold(self, ruling: Ruling, place: Path) -> str | None:
        """Writes the withheld rows; gives the digest of the file, or None if there are none."""
        target, query = place / WITHHELD, ruling.withheld()
        target.unlink(missing_ok=True)
        if query is None:
            return None
        half = target.with_name(f".{WITHHELD}")
        with quiet("release.again", self.ctx.planned) as connection:
            copy(connection, query, half)
            rows = connection.execute(f"SELECT count(*) FROM '{half}'").fetchall()[0][0]
        if not rows:
            half.unlink()
            return None
        half.replace(target)
        return of_file(target)


def _leaving(ruling: Ruling, withheld: Path | None) -> Leaving:
    assert ruling.fields is not None and ruling.recipient is not None
    return Leaving(ruling.fields, ruling.recipient, withheld)


def explained(ledger: Ledger, batch: str) -> frozenset[str]:
    """The codes that two people have explained: the rate of the match, the mix of its tiers."""
    granted = {d.hold for d in ledger.decisions(batch) if d.decision is Decision.CONFIRM and d.granted}
    held = (e["facts"]["codes"] for e in ledger.events(batch) if e["seq"] in granted)
    return frozenset(code for codes in held for code in codes)


def _read(reading: Reading) -> Read:
    return Read(
        position=chain.head(reading.session).seq,
        day=int(f"{reading.now.decided_on:%Y%m%d}"),
        under=tuple(sorted(reading.under.items())),
        clauses=clauses.inputs(reading),
    )


def _said(judged: Judged, withheld: str | None) -> dict[str, Any]:
    ruling = judged.ruling
    return {
        "format": FORMAT,
        "read": asdict(judged.read),
        "basis": judged.basis,
        "fields": ruling.fields,
        "recipient": ruling.recipient,
        "withheld": withheld,
        "refuses": dict(ruling.refuses),
        "holds": dict(ruling.holds),
    }
