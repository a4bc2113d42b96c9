"""The ledger: what became of every batch, who decided it, what was disclosed, and a chain that shows any change to
it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from expectations.base.merkle import Tree, leaf
from flows.ledger import chain
from flows.ledger.accounts import Accounts
from flows.ledger.batches import Batches
from flows.ledger.chain import Head, Link, Mark, Problem
from flows.ledger.claims import Disclosures
from flows.ledger.figures import Figures
from flows.ledger.recalls import Recalls
from flows.ledger.registry import Registry
from flows.ledger.review import Review
from flows.ledger.shredding import Shredding
from flows.ledger.verify import rebuild
from flows.ledger.verify.baseline import Baselines


class Ledger(Batches, Accounts, Review, Registry, Disclosures, Figures, Recalls, Shredding, Baselines):
    """The open ledger; use it as a context manager: `with Ledger.open(url, clock) as ledger`."""

    def head(self) -> Head:
        """The newest event of the chain. Stored elsewhere, it shows later that nothing was cut off or written anew."""
        with self.reading() as session:
            return chain.head(session)

    def head_and_root(self) -> tuple[Head, str]:
        """The newest event, and the Merkle root over the hashes of all events, in one view."""
        tree, head = Tree(), Head(0, chain.GENESIS)
        for event in self.links():
            tree.add(leaf(event.hash))
            head = Head(event.seq, event.hash)
        return head, tree.root()

    def links(self) -> Iterator[Link]:
        """All events as the chain has them, oldest first, in bounded memory."""
        with self.reading() as session:
            yield from chain.events(session)

    def verify(self, expected: Head | None = None, marks: Sequence[Mark] = ()) -> list[Problem]:
        """Everything in the ledger that does not fit, each with its place; empty if it is whole.

        expected   a head that was noted earlier and stored elsewhere; marks: signed ones
        """
        noted = [Mark("the head that was noted", expected.seq, expected.hash)] if expected else []
        with self.reading() as session:
            links = chain.check_links(chain.events(session), [*noted, *marks])
            return [*links, *rebuild.verify(session, chain.events(session))]
