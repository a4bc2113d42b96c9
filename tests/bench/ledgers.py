"""A batch that is published as far as the ledger goes: no package is sealed, and its claims, if any, go in by other
SQL."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy.orm import Session

from flows.ledger import Ledger
from flows.ledger.bulk import incoming
from flows.ledger.database.models import Batch
from flows.ledger.events.moves import Prepared, Published
from flows.ledger.lifecycles.states import Cause, State


def publish(ledger: Ledger, session: Session, entry: Batch, rows: int) -> None:
    """Takes a sealed batch to its end."""
    none = sha256(b"").hexdigest()
    with incoming(session, []):
        event = Prepared(
            start=State.SEALED,
            rows=rows,
            claims=none,
            package=none,
            merkle_root=entry.merkle_root or none,
            content_digest=none,
        )
        ledger.move(session, entry, event, Cause.PREPARED)
    ledger.move(session, entry, Published(start=State.PREPARED, package=none), Cause.PUBLISHED)
