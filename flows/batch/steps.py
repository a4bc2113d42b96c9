"""The steps of one batch: its stages, its checkpoints, its release. What the flow's tasks call; knows nothing of
Prefect. Every method may be repeated: stages are committed steps of the lake, the ledger moves a batch on once, and
what was sealed for a one-time key is sealed again."""

import shutil
import time
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, assert_never

import pyarrow.parquet as pq

from expectations.address import complete
from expectations.base import digests
from expectations.base.clock import legal_date
from expectations.base.duck import session
from expectations.base.errors import SluicegateError, Transient
from expectations.contracts.stages import CANONICAL
from expectations.gx.verdict import Status, Verdict
from expectations.suites import matching
from expectations.suites.ahead import Ahead
from flows.batch import checkpoints, figures, grounds, period, results, tries
from flows.batch.checkpoints import relation
from flows.batch.plan import LAW_READ, PASSED, STAGE_OF, Step
from flows.batch.release import Release, lost_rows
from flows.batch.ruling import Judged
from flows.evidence.requests import requests_path
from flows.home import keys
from flows.home.registers import register_of
from flows.home.tree import FAULT, Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.decisions import Decision, allowed
from flows.ledger.lifecycles.states import RUNS_IN, Checkpoint
from flows.outbox import package_digest
from pipelines import ingest, lake, match, sealing, validate
from pipelines.context import BatchContext
from pipelines.ingest import submission
from pipelines.lake import Progress
from pipelines.release import Leaving


class BatchSteps:
    """A batch that the ledger knows, with all that its steps need. `progress`: as the stages report it."""

    def __init__(self, home: Home, ledger: Ledger, name: str, progress: Progress = lambda *_: None) -> None:
        self.home, self.ledger, self.name, self.progress = home, ledger, name, progress
        self.took: dict[Step, int] = {}  # milliseconds of each step that this run did
        self.figures: tuple[figures.Figure, ...] = ()  # of the checkpoint that this run did last
        self._ahead: Ahead | None = None

    @property
    def record(self) -> BatchRecord:
        """What the ledger knows of it now."""
        return self.ledger.known_batch(self.name)

    @property
    def folder(self) -> Path:
        """Its folder in the lake: there while it is in flight."""
        return self.home.lake / self.name

    @cached_property
    def ctx(self) -> BatchContext:
        """What the stages work from: as it was recorded at receipt, whatever has changed since."""
        return self.context(self.folder, register_of(self.home, self.record.register))

    def context(self, root: Path, register: Path) -> BatchContext:
        """The same for a copy of the letter at `root`/submission, and a register."""
        record = self.record
        on = grounds.recorded(self.ledger, record)
        return BatchContext(
            batch=self.name,
            root=root,
            submission=record.submission,
            letter=submission.taken_in(root / "submission").letter,
            agreement=on.agreement,
            orders=on.orders,
            successors=on.successors,
            determinations=grounds.determinations(self.ledger, record),
            instruments=record.instruments,
            decided_on=record.decided_on,
            received_on=legal_date(record.received_at, on.agreement.zone),
            register=register,
            hash_key=keys.hashed_with(self.home, self.ledger, self.name),
            runner=self.home.config.runner,
            part_rows=self.home.config.part_rows,
            # what a killed run leaves half-way goes when the batch does
            duck=replace(self.home.duck, temp=str(root / ".spill")),
            progress=self.progress,
        )

    def do(self, step: Step) -> Verdict | None:
        """Does one step, unless the law has changed so that the batch is refused, or waits; returns a checkpoint's
        verdict."""
        if step in LAW_READ and self.read_law():
            return None
        began = time.perf_counter()
        verdict = self._do(step)
        self.took[step] = _milliseconds(began)
        return verdict

    def _do(self, step: Step) -> Verdict | None:
        match step:
            case Step.INTAKE | Step.MATCHING | Step.ELIGIBILITY | Step.DISCLOSURE:
                return self.checkpoint(Checkpoint(step))
            case Step.INGEST:
                with ThreadPoolExecutor(1, "registers") as meanwhile:
                    ingest.run(self.ctx, partial(self._decoded, meanwhile))
                period.count(self.home, self.ledger, self.ctx)
            case Step.MATCH:
                match.run(self.ctx)
            case Step.VALIDATE:
                validate.run(self.ctx)
                tries.record(self.ledger, self.ctx)
            case Step.RELEASE:
                self.stopped(self.release.end_rows(self.dropped()))
            case Step.PREPARE:
                self.release.prepare()
            case Step.PUBLISH:
                self.release.publish()
            case _:
                assert_never(step)
        return None

    def _decoded(self, meanwhile: Executor, raw: str) -> None:
        """Begins what needs no row judged. What fails here is done again by whoever needs it, and fails there."""
        self._ahead = checkpoints.begin(self.ctx, raw)
        meanwhile.submit(match.prepare_controls, self.ctx)

    def checkpoint(self, which: Checkpoint) -> Verdict:
        """Runs a checkpoint on what its stage committed, stores its result, and moves the batch on, or stops it."""
        began = time.perf_counter()
        identity = sealing.new_identity()  # one-time: held in memory until the disclosure suite has opened the package
        basis, dropped = None, self.dropped()
        checked: AbstractContextManager[Leaving | None] = nullcontext()
        if which is Checkpoint.DISCLOSURE:
            basis = self.release.seal(identity.recipient)
            checked = self.release.law.checked(dropped, lost_rows(self.ctx))
        with checked as leaving:
            verdict = checkpoints.run(which, self.ctx, dropped, identity, self.home.holders, leaving, self._ahead)
        self.figures = figures.measured(which, self.ctx, dropped, verdict)
        requests = requests_path(self.home, self.name)
        kept = results.kept(which, self.ctx, dropped, verdict, self.figures, requests)
        stored = self.home.store_verdict(self.name, which.value, kept)
        counts: dict[str, Any] = {k: getattr(verdict, k) for k in ("declared", "evaluated", "rows")}
        # how long both took is kept with what they found: whoever measures looks later, when this process has ended
        took = {"stage_ms": self.took.get(STAGE_OF[which]), "checkpoint_ms": _milliseconds(began)}
        counts |= {"verdict": stored, **took}
        status = Status.PASS if self._confirmed(which, verdict) else verdict.status
        match status:
            case Status.PASS:
                self.ledger.advance(self.name, PASSED[which], facts={**counts, **self._passed_facts(which, basis)})
            case Status.REFUSE:
                self.account_refused(verdict.codes)
                self.ledger.refuse(self.name, verdict.codes, grounds.cited_for(verdict.codes, self.ctx), facts=counts)
            case Status.HOLD | Status.ERROR:
                codes = verdict.codes if status is Status.HOLD else ()
                self.ledger.hold(self.name, which, self.content_digest(), codes, facts=counts)
            case unknown:
                assert_never(unknown)
        return verdict

    def account_refused(self, codes: Iterable[str]) -> None:
        """Accounts for a batch that ends without a release. One whose rows were never read is accounted for by its
        events alone, as a submission that cannot be read is: what was received, and how it ended."""
        if lake.read_manifest(self.folder / "ingest.rows") is not None:
            # its register may be gone, and is not needed
            Release(self.home, self.ledger, self.context(self.folder, self.home.register)).account_refused(codes)

    def delete_folder(self) -> None:
        """Deletes all that is left of a finished batch in the lake: only what is sealed stays."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def read_law(self) -> bool:
        """Asks the clauses that need no row, as they are now; whether the batch is stopped by them."""
        return self.stopped(self.release.law.now())

    def stopped(self, judged: Judged) -> bool:
        """Whether the law that was read refuses the batch, or makes it wait: then the ledger says so."""
        ruling = judged.ruling
        if ruling.refuses:
            self.account_refused(ruling.codes)
            self.ledger.refuse(self.name, ruling.codes, ruling.cites, reading=judged.read)
        elif ruling.holds:
            (which,) = (c for c, state in RUNS_IN.items() if state is self.record.state)
            self.ledger.hold(self.name, which, self.content_digest(), ruling.codes, reading=judged.read)
        return bool(ruling.codes)

    def _passed_facts(self, which: Checkpoint, basis: str | None) -> dict[str, Any]:
        """What the ledger records of a checkpoint that was passed, beside its counts. `basis`: names what a package
        rests on."""
        match which:
            case Checkpoint.INTAKE:
                return checkpoints.intake_counts(self.ctx, self.dropped())
            case Checkpoint.MATCHING:
                return {k: v for k, v in checkpoints.match_counts(self.ctx).items() if k in matching.COUNTS}
            case Checkpoint.ELIGIBILITY:
                return {}
            case Checkpoint.DISCLOSURE:
                return {"package": package_digest(self.release.package), "law": basis}
            case _:
                assert_never(which)

    def content_digest(self) -> str:
        """Content digest of the batch's canonical rows: what a decision on a held batch is bound to."""
        rows = relation(self.ctx, "ingest.rows", "rows")
        with session(self.ctx.planned) as connection:
            return digests.content_digest(connection, rows, CANONICAL.names, "ordinal")

    def dropped(self) -> Path | None:
        """Parquet (ordinal) of the rows that two people dropped from exactly these rows; None if none were."""
        if not self._granted(Checkpoint.INTAKE, Decision.DROP):
            return None
        path, rows = self.ctx.root / "dropped.parquet", relation(self.ctx, "ingest.rows", "rows")
        query = f"SELECT ordinal FROM {rows} WHERE origin = 'request' AND NOT {complete('a_codes')} ORDER BY 1"
        with session(self.ctx.planned) as connection:
            pq.write_table(connection.execute(query).to_arrow_table(), path)
        return path

    def _confirmed(self, which: Checkpoint, verdict: Verdict) -> bool:
        """Two people explained what failed, of exactly these rows, and nothing else fails now."""
        if verdict.status is not Status.HOLD or Decision.CONFIRM not in allowed(which, verdict.codes):
            return False
        return set(verdict.codes) <= set(self.record.codes) and self._granted(which, Decision.CONFIRM)

    def _granted(self, which: Checkpoint, decision: Decision) -> bool:
        made = {d.content_digest for d in self.ledger.decisions(self.name) if d.decision is decision and d.granted}
        rows = (digest for digest in made if digests.matches(digest, self.content_digest))
        return any(self.ledger.granted(self.name, which, digest, decision) for digest in rows)

    def store_fault(self, error: SluicegateError) -> str:
        """Stores what failed for the operator: code, message, place, and whether it may pass by itself; no error of
        ours holds a value. Its digest."""
        shown = {"code": error.code, "message": error.message, "where": error.where, "remedy": error.remedy}
        return self.home.store_verdict(self.name, FAULT, {**shown, "passing": isinstance(error, Transient)})

    @cached_property
    def release(self) -> Release:
        """The release of this batch."""
        return Release(self.home, self.ledger, self.ctx)


def _milliseconds(since: float) -> int:
    return round((time.perf_counter() - since) * 1000)
