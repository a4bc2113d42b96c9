"""Tries that count under the lock: of batches that were answered, each counts those before it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from expectations.instruments import Agreement
from flows.batch import publication, tries
from flows.ledger.core import find
from flows.ledger.ledger import Ledger
from tests.factories.law import no_law
from tests.factories.ledgers import RECEIVED_AT, ROWS, accounted, package, pairs, published, sealed
from tests.factories.submissions import shipped

AGREED = shipped("sandbox-2026.toml.in")


def prepared(ledger: Ledger, folder: Path, batch: str) -> None:
    root = accounted(ledger, batch)
    made = package(folder / batch, batch)
    said = {"keys": pairs(batch), "package": made, "merkle_root": root, "content_digest": ROWS}
    publication.prepare(ledger, batch, **said, law=no_law)  # type: ignore[arg-type]


def test_each_batch_counts_those_that_were_answered_before_it(ledger: Ledger, tmp_path: Path) -> None:
    assert isinstance(AGREED, Agreement)
    under = [AGREED]

    def counts(name: str) -> tuple[str, ...]:
        with ledger.reading() as session:
            return tries.answered(session, find(session, name), under, RECEIVED_AT + timedelta(days=1)).batches

    for name in ("batch-1", "batch-2", "batch-3"):
        sealed(ledger, name)
    assert counts("batch-1") == ()
    published(ledger, tmp_path, "batch-2")
    assert counts("batch-1") == ("batch-2",)
    prepared(ledger, tmp_path, "batch-3")
    # what is prepared may be answered; it does not count what is prepared after it
    assert counts("batch-1") == ("batch-2", "batch-3") and counts("batch-3") == ("batch-2",)
    prepared(ledger, tmp_path, "batch-1")
    assert counts("batch-1") == ("batch-2", "batch-3") and counts("batch-3") == ("batch-2",)


def test_the_narrowest_limit_and_the_longest_period_count(ledger: Ledger, tmp_path: Path) -> None:
    assert isinstance(AGREED, Agreement)
    narrow = AGREED.model_copy(
        update={"thresholds": AGREED.thresholds.model_copy(update={"tries_per_person": 1, "tries_days": 900})}
    )
    sealed(ledger, "batch-1")
    sealed(ledger, "batch-2")
    published(ledger, tmp_path, "batch-2")
    with ledger.reading() as session:
        later = RECEIVED_AT + timedelta(days=800)
        found = [tries.answered(session, find(session, "batch-1"), u, later) for u in ([AGREED], [AGREED, narrow])]
    assert [(one.allowed, one.batches) for one in found] == [(3, ()), (1, ("batch-2",))]
