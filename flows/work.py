"""One batch at work: its stages, its checkpoints, its release. What the flow's tasks call; knows nothing of Prefect.

Every method may be repeated: stages are committed steps of the lake, the ledger moves a batch on once, and what was sealed
for a one-time key is sealed again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations import digests, facts
from expectations.clock import Clock, legal_date
from expectations.contracts import CANONICAL
from expectations.duck import parquet, session
from expectations.errors import SluicegateError
from expectations.gx.verdict import Status, Verdict
from expectations.rules.address import sql_complete
from expectations.suites import matching
from flows import checkpoints, grounds
from flows.home import HASH_KEY, Home
from flows.leaving import Leaving
from flows.ledger import Ledger
from flows.ledger.batches import BatchRecord
from flows.ledger.decisions import Decision, allowed
from flows.ledger.states import Checkpoint, State
from flows.registers import register_of
from pipelines import durable, ingest, lake, match, sealing, validate
from pipelines.context import BatchContext
from pipelines.ingest import letter_facts, submission


class Work:
    """A batch that the ledger knows, with all that is needed to take it further."""

    def __init__(
        self, home: Home, ledger: Ledger, clock: Clock, name: str, progress: Callable[[str, int, int], None]
    ) -> None:
        self.home, self.ledger, self.clock, self.name, self.progress = home, ledger, clock, name, progress

    @property
    def record(self) -> BatchRecord:
        found = self.ledger.batch(self.name)
        assert found is not None, "a batch at work is known to the ledger"
        return found

    @property
    def folder(self) -> Path:
        """Its folder in the lake: there while it is in flight."""
        return self.home.lake / self.name

    @cached_property
    def ctx(self) -> BatchContext:
        """What the stages are told: as it was recorded at receipt, whatever has changed since."""
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
            instruments=record.instruments,
            decided_on=record.decided_on,
            received_on=legal_date(record.received_at, on.agreement.zone),
            register=register,
            hash_key=self.home.secret(HASH_KEY),
            runner=self.home.config.runner,
            part_rows=self.home.config.part_rows,
            # what a killed run leaves half-way goes when the batch does
            duck=replace(self.home.duck, temp=str(root / ".spill")),
            progress=self.progress,
        )

    def do(self, step: str) -> object:
        """One step by name: a stage, a checkpoint, or a step of publication. Returns a checkpoint's verdict."""
        if step in tuple(Checkpoint):
            return self.checkpoint(Checkpoint(step))
        return self._steps()[step]()

    def _steps(self) -> dict[str, Callable[[], object]]:
        return {
            "ingest": lambda: ingest.run(self.ctx),
            "match": lambda: match.run(self.ctx),
            "validate": self._validate,
            "release": lambda: self.leaving.settle(self.dropped()),
            "prepare": self.leaving.prepare,
            "publish": self.leaving.publish,
        }

    def _validate(self) -> None:
        tries = validate.run(self.ctx).paths("tries")
        self.ledger.record_tries(self.name, pa.concat_tables(pq.read_table(p) for p in tries))

    def checkpoint(self, which: Checkpoint) -> Verdict:
        """Runs a checkpoint on what its stage committed, keeps its result, and moves the batch on, or stops it."""
        identity = sealing.new_identity()  # one-time: held in memory until the disclosure suite has opened the package
        if which is Checkpoint.DISCLOSURE:
            self.leaving.seal(identity.recipient)
        verdict = checkpoints.run(which, self.ctx, self.dropped(), identity, self.leaving.holders)
        self._keep(which.value, verdict.to_dict())
        counts = {"declared": verdict.declared, "evaluated": verdict.evaluated, "rows": verdict.rows}
        if verdict.status is Status.PASS or self._confirmed(which, verdict):
            said = {**counts, **self._said(which)}
            self.ledger.advance(self.name, _AFTER[which], facts=said)
        elif verdict.status is Status.REFUSE:
            self.account_refused(verdict.codes)
            cites = grounds.against(verdict.codes, letter_facts(self.ctx), self.ctx.agreement.id)
            self.ledger.refuse(self.name, verdict.codes, cites, facts=counts)
        else:
            codes = verdict.codes if verdict.status is Status.HOLD else ()
            self.ledger.hold(self.name, which, self.content_digest(), codes, facts=counts)
        return verdict

    def account_refused(self, codes: Iterable[str]) -> None:
        """Accounts for a batch that ends without a release. One whose rows were never read is accounted for by its events alone,
        as a submission that cannot be read is: what was received, and how it ended."""
        if lake.read_manifest(self.folder / "ingest.rows") is not None:
            # its register may be gone, and is not asked
            Leaving(self.home, self.ledger, self.context(self.folder, self.home.register)).account_refused(codes)

    def tidy(self) -> None:
        """Deletes all that is left of a finished batch in the lake: only what is sealed stays."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _said(self, which: Checkpoint) -> dict[str, Any]:
        """What the ledger keeps of a checkpoint that was passed, beside its counts."""
        if which is Checkpoint.DISCLOSURE:
            return self.leaving.sealed_facts()
        if which is Checkpoint.MATCHING:
            return {k: v for k, v in checkpoints.match_counts(self.ctx).items() if k in matching.COUNTS}
        if which is not Checkpoint.INTAKE:
            return {}
        rows, decoded = lake.committed(self.ctx.step("ingest.rows")), lake.committed(self.ctx.step("ingest.decode"))
        dropped = self.dropped()
        counts = facts.count_facts_sql(
            parquet(rows.paths("rows")), parquet(decoded.paths("rejects")), parquet([dropped]) if dropped else None, {}
        )
        with session(self.ctx.duck) as connection:
            query = f"SELECT rows_submitted - rows_dropped AS rows_submitted, incomplete_rows FROM ({counts})"
            return dict(connection.execute(query).to_arrow_table().to_pylist()[0])

    def content_digest(self) -> str:
        """Content digest of the batch's canonical rows: what a decision on a held batch is bound to."""
        rows = lake.committed(self.ctx.step("ingest.rows")).paths("rows")
        with session(self.ctx.duck) as connection:
            return digests.content_digest(connection, parquet(rows), CANONICAL.names, "ordinal")

    def dropped(self) -> Path | None:
        """Parquet (ordinal) of the rows that two people dropped from exactly these rows; None if none were."""
        if not self._granted(Checkpoint.INTAKE, Decision.DROP):
            return None
        path, rows = self.ctx.root / "dropped.parquet", lake.committed(self.ctx.step("ingest.rows")).paths("rows")
        query = (
            f"SELECT ordinal FROM {parquet(rows)} WHERE origin = 'request' AND NOT {sql_complete('a_codes')} ORDER BY 1"
        )
        with session(self.ctx.duck) as connection:
            pq.write_table(connection.execute(query).to_arrow_table(), path)
        return path

    def _confirmed(self, which: Checkpoint, verdict: Verdict) -> bool:
        """Two people explained what failed, of exactly these rows, and nothing else fails now."""
        if verdict.status is not Status.HOLD or Decision.CONFIRM not in allowed(which, verdict.codes):
            return False
        return set(verdict.codes) <= set(self.record.codes) and self._granted(which, Decision.CONFIRM)

    def _granted(self, which: Checkpoint, decision: Decision) -> bool:
        made = [d for d in self.ledger.decisions(self.name) if d.decision is decision and d.granted]
        return bool(made) and self.ledger.granted(self.name, which, self.content_digest(), decision)

    def keep_fault(self, error: SluicegateError) -> None:
        """Keeps what failed for the operator: code, message, place; an error of ours holds no value."""
        self._keep(
            "fault", {"code": error.code, "message": error.message, "where": error.where, "remedy": error.remedy}
        )

    def _keep(self, name: str, result: dict[str, Any]) -> None:
        folder = self.home.verdicts / self.name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        durable.write(folder / f"{name}.json", json.dumps(result, indent=1, default=str).encode())

    @cached_property
    def leaving(self) -> Leaving:
        """The release of this batch."""
        return Leaving(self.home, self.ledger, self.ctx)


_AFTER = {
    Checkpoint.INTAKE: State.INGESTED,
    Checkpoint.MATCHING: State.MATCHED,
    Checkpoint.ELIGIBILITY: State.VALIDATED,
    Checkpoint.DISCLOSURE: State.SEALED,
}
