"""Notices of corrections in the ledger: 5 USC 552a(c)(4)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from flows.ledger import facts
from flows.ledger.core import Core
from flows.ledger.database.models import Event, Seal, SealKind
from flows.ledger.events.base import Kind
from flows.ledger.events.corrections import Corrected
from flows.ledger.operators import active_operator
from flows.ledger.roles import Act, require
from flows.ledger.signing import roles_of


@dataclass(frozen=True)
class Notice:
    """A notice that was delivered; see `events.corrections.Corrected`. `affected`: as the list is sealed now."""

    id: str
    agreement: str
    affected: str
    package: str


class Corrections(Core):
    """Notices that were made."""

    def record_correction(
        self,
        id: str,
        *,
        agreement: str,
        requester: str,
        batches: Mapping[str, int],
        affected: str,
        package: str,
        operator: str,
    ) -> None:
        """Records that a notice was delivered, and who sent it. Again: no change. Raises as `may_recall`."""
        event = Corrected(
            notice=facts.name(id, "notice"),
            requester=requester,
            agreement=agreement,
            batches=tuple(sorted(batches)),
            rows=tuple(batches[name] for name in sorted(batches)),
            affected=facts.digest(affected, "affected"),
            package=facts.digest(package, "package"),
            by=operator,
        )
        if any(known.id == id for known in self.corrections()):
            return
        with self.transaction() as session:
            require(roles_of(active_operator(session, operator)), Act.RECALL, operator)
            self.append(session, None, event, also={id, requester, agreement, operator, *batches})

    def may_recall(self, operator: str) -> None:
        """Raises Usage if there is no such operator, NotYourRole (recorded) if the roles allow no recall."""
        with self.transaction() as session:
            require(roles_of(active_operator(session, operator)), Act.RECALL, operator)

    def corrections(self) -> list[Notice]:
        """All notices, oldest first."""
        query = select(Event).where(Event.kind == Kind.CORRECTED.value).order_by(Event.seq)
        now = select(Seal.owner, Seal.digest).where(Seal.kind == SealKind.CORRECTION.value)
        with self.reading() as session:
            said = [json.loads(event.facts) for event in session.scalars(query)]
            sealed = {row.owner: row.digest for row in session.execute(now)}
        return [Notice(f["notice"], f["agreement"], sealed.get(f["notice"], f["affected"]), f["package"]) for f in said]
