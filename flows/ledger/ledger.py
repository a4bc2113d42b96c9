"""The ledger: what became of every batch, who decided it, what was disclosed, and a chain that shows any change to it."""

from __future__ import annotations

from flows.ledger import chain
from flows.ledger.batches import Batches
from flows.ledger.chain import Head, Problem
from flows.ledger.claims import Disclosures
from flows.ledger.crosscheck import crosscheck
from flows.ledger.recalls import Recalls
from flows.ledger.registry import Registry
from flows.ledger.review import Review


class Ledger(Batches, Review, Registry, Disclosures, Recalls):
    """The open ledger; use it as a context manager: `with Ledger.open(url, clock) as ledger`."""

    def head(self) -> Head:
        """The newest event of the chain. Kept elsewhere, it shows later that nothing was cut off or written anew."""
        with self.reading() as session:
            return chain.head(session)

    def verify(self, expected: Head | None = None) -> list[Problem]:
        """Everything in the ledger that does not fit, each with its place; empty if it is whole."""
        with self.reading() as session:
            return chain.verify_links(session, expected) + crosscheck(session)
