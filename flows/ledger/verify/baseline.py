"""What an operator vouches for, once, in a ledger that an older version wrote: values that its events did not say."""

from __future__ import annotations

from sqlalchemy.orm import Session

from expectations.base import signatures
from expectations.base.errors import Usage
from flows.ledger import chain
from flows.ledger.core import Core
from flows.ledger.events.registry import Baseline, baseline_message
from flows.ledger.signing import signing_operator
from flows.ledger.verify import rebuild


class Baselines(Core):
    """The one event that an upgrade needs."""

    def baseline_message(self) -> bytes:
        """What an operator signs (namespace signatures.BASELINE); raises Usage if the events say everything."""
        with self.reading() as session:
            return baseline_message(*_unsaid(session))

    def baseline(self, key_line: str, signature: str) -> int:
        """Records what an operator vouches for; gives the number of the event. Raises BadInput if the signature is not
        over it."""
        with self.transaction() as session:
            after, head, values, tries = _unsaid(session)
            text = baseline_message(after, head, values, tries)
            given = signing_operator(session, text, key_line, signature, signatures.BASELINE)
            event = Baseline(after=after, head=head, values=values, tries=tries, **vars(given.named))
            return self.append(session, None, event, given.contents, also={name for name, _, _ in tries})


def _unsaid(session: Session) -> tuple[int, str, dict[str, str], tuple[tuple[str, int, str], ...]]:
    head, (values, tries) = chain.head(session), rebuild.unsaid(session, chain.events(session))
    if not values and not tries:
        raise Usage("NO_BASELINE", "the events of this ledger say everything: there is nothing to sign")
    return head.seq, head.hash, values, tries
