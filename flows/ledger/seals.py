"""Which digest each sealed file has now: the one place that says so, whatever the event of its making said."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from flows.ledger import facts
from flows.ledger.core import Core, find
from flows.ledger.database.models import Seal, SealKind
from flows.ledger.events.seals import Resealed
from flows.ledger.operators import active_operator
from flows.ledger.roles import Act, require
from flows.ledger.signing import roles_of


@dataclass(frozen=True)
class Change:
    """A file that was sealed anew. `owner`: its batch, notice or case; `before`, `now`: digests of the sealed file."""

    kind: SealKind
    owner: str
    before: str
    now: str


class Seals(Core):
    """Digests of sealed files."""

    def seals(self, owner: str | None = None) -> dict[tuple[SealKind, str], str]:
        """The digest of every sealed file that the ledger knows, or of those of one batch, notice or case."""
        query = select(Seal) if owner is None else select(Seal).where(Seal.owner == owner)
        with self.reading() as session:
            return {(SealKind(row.kind), row.owner): row.digest for row in session.scalars(query)}

    def may_reseal(self, operator: str) -> None:
        """Raises Usage if there is no such operator, NotYourRole (recorded) if no role allows it."""
        with self.transaction() as session:
            require(roles_of(active_operator(session, operator)), Act.HOME, operator)

    def reseal(self, operator: str, key: str, changes: Sequence[Change], batch: str | None = None) -> int:
        """Records that files were sealed anew to the holder's age key (`key`: its fingerprint), with the content that
        they had; gives the event's number. Raises as `may_reseal`, and Fault if one does not have the digest that it
        had, or its batch was shredded."""
        files = tuple(
            (one.kind, one.owner, facts.digest(one.before, "before"), facts.digest(one.now, "now")) for one in changes
        )
        with self.transaction() as session:
            require(roles_of(active_operator(session, operator)), Act.HOME, operator)
            event = Resealed(by=operator, key=facts.digest(key, "key"), files=files)
            entry = find(session, batch) if batch else None
            return self.append(session, entry, event, also={one.owner for one in changes})
