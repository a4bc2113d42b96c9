"""The release of a batch: decided again by what is enrolled now, sealed, accounted for, prepared, published; and how
one that is refused is accounted for.
Accounting comes first (invariant 4): evidence and accounting are sealed to the holder before the ledger says
`prepared`."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base import digests
from expectations.base.duck import parquet, session
from flows.batch import publication
from flows.batch.law import KEPT, Law
from flows.batch.ruling import Judged
from flows.evidence import keys
from flows.evidence.store import accounting_path, store_evidence
from flows.home import holder
from flows.home.tree import OUTCOMES, Home
from flows.ledger import Ledger
from flows.ledger.events.batch import Accounted
from flows.ledger.lifecycles.states import State
from flows.outbox import package_digest
from pipelines import lake, release
from pipelines.context import BatchContext
from pipelines.lake import durable
from pipelines.register import version
from pipelines.release import Leaving, judged
from pipelines.release.package import NAME as PACKAGE


def lost_rows(ctx: BatchContext) -> Path | None:
    """Parquet (request_key) of the rows whose claim another batch won; None if there are none."""
    path = ctx.root / "lost.parquet"
    return path if path.exists() else None


class Release:
    """The release of one batch."""

    def __init__(self, home: Home, ledger: Ledger, ctx: BatchContext) -> None:
        self.home, self.ledger, self.ctx = home, ledger, ctx
        self.law = Law(home, ledger, ctx)

    @property
    def package(self) -> Path:
        """The sealed package in the lake, before it is published."""
        return self.ctx.step(PACKAGE)

    def end_rows(self, dropped: Path | None) -> Judged:
        """Asks the law again, and gives every row its one end, unless the batch is refused or waits. `dropped`: the
        rows that two people dropped."""
        lost = lost_rows(self.ctx)
        judged = self.law.decide(dropped, lost)
        if not judged.ruling.codes:
            leaving, _ = self.law.leaving()
            self._count(release.outcomes(self.ctx, dropped=dropped, lost=lost, leaving=leaving))
        return judged

    def _count(self, outcomes: lake.Manifest) -> None:
        """Stores the rows by outcome, for status and reports."""
        query = f"SELECT outcome, count(*) FROM {parquet(outcomes.paths('outcomes'))} GROUP BY ALL ORDER BY ALL"
        with session(self.ctx.planned) as connection:
            self.home.store_verdict(self.ctx.batch, OUTCOMES, dict(connection.execute(query).fetchall()))

    def seal(self, check_recipient: str) -> str | None:
        """Seals the eligible rows, to the requester and to the one-time key of the disclosure checkpoint; names all
        that the package rests on."""
        leaving, basis = self.law.leaving()
        release.seal(
            self.ctx,
            lake.committed(self.ctx.step("release.outcomes")),
            holder_key=holder.signing_key(self.home),
            check_recipient=check_recipient,
            instruments=self.ledger.known_batch(self.ctx.batch).instruments,
            register_version=version(self.ctx.register),
            leaving=leaving,
        )
        return basis

    def prepare(self) -> publication.Step:
        """Seals evidence and accounting, then claims the keys. Goes back, to be decided and sealed again, if the
        package is not the one that was checked, if it rests on what is no longer enrolled so, or if another batch holds
        some of the keys."""
        if not self._is_checked_package() or self.law.now().stale:
            return self._reopen()
        root = self._account(self.law.leaving()[0])
        parts = lake.committed(self.ctx.step("release.outcomes")).paths("eligible")
        keys = pa.concat_tables(pq.read_table(part, columns=["request_key", "person_key"]) for part in parts)
        step = publication.prepare(
            self.ledger,
            self.ctx.batch,
            keys=keys,
            package=self.package,
            merkle_root=root,
            content_digest=str(release.verify(self.package, self.home.holders)["content_digest"]),
            law=self.law.standing,
        )
        if step.taken:
            self._lose(step.taken)
        return self._reopen() if step.taken or step.again else step

    def _reopen(self) -> publication.Step:
        publication.reopen(self.ledger, self.ctx.batch, self.home.delivery)
        return publication.Step(State.VALIDATED)

    def publish(self) -> publication.Step:
        """Puts the package into the outbox; or goes back, as `prepare` does."""
        step = publication.publish(
            self.ledger, self.ctx.batch, package=self.package, outbox=self.home.delivery, law=self.law.standing
        )
        return self._reopen() if step.again else step

    def account_refused(self, codes: Iterable[str]) -> None:
        """Accounts for a batch that ends, or has ended, without a release: every row of it ends as `refused`."""
        self._count(release.refused_outcomes(self.ctx, tuple(codes)))
        self._account()

    def _account(self, leaving: Leaving | None = None) -> str:
        """Seals evidence and accounting, and records that in the ledger; gives the Merkle root."""
        beside = [*(self.ctx.root / name for name in KEPT), judged.write(self.ctx)]
        evidence = store_evidence(self.home, self.ctx, beside)
        recipient, target = keys.holder(self.home).recipient, accounting_path(self.home, self.ctx.batch)
        made = release.seal_accounting(self.ctx, recipient, target, leaving.fields if leaving else None)
        said = Accounted(
            rows=made.rows,
            outcomes=made.outcomes,
            codes=made.codes,
            merkle_root=made.merkle_root,
            accounting=made.digest,
            evidence=evidence,
        )
        self.ledger.account(self.ctx.batch, said)
        return made.merkle_root

    def _is_checked_package(self) -> bool:
        """Whether the package is the one that the disclosure checkpoint opened; a crash may have lost it."""
        sealed = [e for e in self.ledger.events(self.ctx.batch) if e["kind"] == State.SEALED.value]
        if not sealed or not self.package.is_dir():
            return False
        return digests.matches(sealed[-1]["facts"].get("package"), lambda: package_digest(self.package))

    def _lose(self, taken: Iterable[str]) -> None:
        lost = lost_rows(self.ctx)
        before = pq.read_table(lost)["request_key"].to_pylist() if lost else []
        table = pa.table({"request_key": pa.array(sorted({*before, *taken}), pa.string())})
        kept = self.ctx.root / "lost.parquet"
        pq.write_table(table, kept)
        durable.fsync(kept)
        durable.fsync(kept.parent)
