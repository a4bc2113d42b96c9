"""The ledger: what became of every batch, who decided it, what was disclosed, and a chain that shows any change."""

from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from expectations.base import signatures
from expectations.base.errors import Usage
from expectations.base.merkle import Tree, leaf
from flows.ledger import chain, rebuild
from flows.ledger.accounts import Accounts
from flows.ledger.batches import Batches
from flows.ledger.calls import Calls
from flows.ledger.carrying import Generations
from flows.ledger.chain import Head, Link, Mark, Problem
from flows.ledger.claims import Disclosures
from flows.ledger.corrections import Corrections
from flows.ledger.events.base import AT_THE_DOOR
from flows.ledger.events.registry import Baseline, baseline_message
from flows.ledger.homes import Homes
from flows.ledger.notes import Notes
from flows.ledger.operators import Operators
from flows.ledger.overview import Overview
from flows.ledger.proposals import Proposals
from flows.ledger.recalls import Recalls
from flows.ledger.registry import Registry
from flows.ledger.requests import Requests
from flows.ledger.restorations import Restorations
from flows.ledger.review import Review
from flows.ledger.roles import Act
from flows.ledger.seals import Seals
from flows.ledger.signing import signing_operator
from flows.ledger.snoozes import Snoozes
from flows.ledger.tries import TriesKept
from flows.ledger.views import Views


class Ledger(
    Batches,
    Accounts,
    Review,
    Proposals,
    Registry,
    Operators,
    Disclosures,
    TriesKept,
    Recalls,
    Requests,
    Corrections,
    Homes,
    Generations,
    Restorations,
    Overview,
    Views,
    Snoozes,
    Calls,
    Notes,
    Seals,
):
    """The open ledger; use it as a context manager: `with Ledger.open(url, clock) as ledger`."""

    def head(self) -> Head:
        """The newest event of the chain. Stored elsewhere, it shows later that nothing was cut off or written anew."""
        with self.reading() as session:
            return chain.head(session)

    def name(self) -> str:
        """What this home is called in what operators sign: the hash of its first event."""
        with self.reading() as session:
            return chain.first_hash(session)

    def head_and_root(self) -> tuple[Head, str]:
        """The newest event, and the Merkle root over the hashes of all events by its algorithm, in one view."""
        with self.reading() as session:
            scheme, head = chain.in_force(session), Head(0, chain.GENESIS)
            tree = Tree(scheme)
            for event in chain.events(session):
                tree.add(leaf(event.hash, scheme))
                head = Head(event.seq, event.hash)
        return head, tree.root()

    def links(self, after: int = 0) -> Iterator[Link]:
        """The events after the one of that number as the chain has them, oldest first, in bounded memory."""
        with self.reading() as session:
            yield from chain.events(session, after)

    def verify(self, expected: Head | None = None, marks: Sequence[Mark] = ()) -> list[Problem]:
        """Everything in the ledger that does not fit, each with its place; empty if it is whole.

        expected   a head that was noted earlier and stored elsewhere; marks: signed ones
        """
        noted = [Mark("the head that was noted", expected.seq, expected.hash)] if expected else []
        with self.reading() as session:
            links = chain.check_links(chain.events(session), [*noted, *marks])
            return [*links, *rebuild.verify(session, chain.events(session))]

    def baseline_message(self) -> bytes:
        """What an operator signs (namespace signatures.BASELINE), once, to vouch for values that the events of an older
        version did not say; raises Usage if they say everything."""
        with self.reading() as session:
            return baseline_message(*_unsaid(session))

    def baseline(self, key_line: str, signature: str) -> int:
        """Records what an operator vouches for, signed; gives the event's number. Raises BadInput for another text."""
        with self.transaction() as session:
            after, head, values, tries = _unsaid(session)
            text = baseline_message(after, head, values, tries)
            given = signing_operator(session, text, key_line, signature, signatures.BASELINE, Act.HOME)
            event = Baseline(after=after, head=head, values=values, tries=tries, **vars(given.named))
            return self.append(session, None, event, given.contents, also={name for name, _, _ in tries})


def _unsaid(session: Session) -> tuple[int, str, dict[str, str], tuple[tuple[str, int, str], ...]]:
    head, (values, tries) = chain.head_but(session, AT_THE_DOOR), rebuild.unsaid(session, chain.events(session))
    if not values and not tries:
        raise Usage("NO_BASELINE", "the events of this ledger say everything: there is nothing to sign")
    return head.seq, head.hash, values, tries
