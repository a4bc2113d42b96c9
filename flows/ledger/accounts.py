"""That a batch is accounted for: an event with what its sealed accounting and evidence are, and what they come to.

Invariant 4, accounting first: the event stands in the chain before the batch is prepared, refused or expired. A batch
that goes another way later (withdrawn, rejected) is accounted for again; its newest event counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from expectations.base.errors import Fault
from flows.ledger.core import Core, find
from flows.ledger.database.models import Event
from flows.ledger.events.batch import Accounted, BatchKind
from flows.ledger.lifecycles.states import State

ACCOUNTED = BatchKind.ACCOUNTED.value


class Accounts(Core):
    """What was accounted for."""

    def account(
        self,
        batch: str,
        *,
        rows: int,
        outcomes: Mapping[str, int],
        codes: Mapping[str, int],
        merkle_root: str,
        accounting: str,
        evidence: str,
    ) -> None:
        """Records that a batch's accounting and evidence are sealed.

        outcomes, codes   rows by outcome (they add up to `rows`), and rows that have each code
        merkle_root       over the rows of the accounting
        accounting        SHA-256 of the sealed accounting; evidence: of the list of the sealed evidence files
        A batch that another run has prepared or published in the meantime stays accounted for as it is. Raises Fault if
        it would have to be accounted for otherwise.
        """
        if sum(outcomes.values()) != rows:
            raise Fault("COUNTS_DIFFER", "the outcomes do not add up to the rows", where=batch)
        with self.transaction() as session:
            entry = find(session, batch)
            if entry.state in (State.PREPARED, State.PUBLISHED):
                if entry.merkle_root == merkle_root:
                    return
                raise Fault("ACCOUNTED_ALREADY", "what is released is accounted for already, otherwise", where=batch)
            event = Accounted(
                rows=rows,
                outcomes=dict(outcomes),
                codes=dict(codes),
                merkle_root=merkle_root,
                accounting=accounting,
                evidence=evidence,
            )
            self.append(session, entry, event)

    def accounted(self, batch: str) -> dict[str, Any] | None:
        """What the newest event of a batch's accounting says; None if it was never accounted for."""
        query = select(Event.facts).where(Event.batch == batch, Event.kind == ACCOUNTED).order_by(Event.seq.desc())
        with self.reading() as session:
            found = session.scalar(query.limit(1))
            said: dict[str, Any] | None = json.loads(found) if found else None
            return said
