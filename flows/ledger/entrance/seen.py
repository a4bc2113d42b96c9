"""Up to when an operator has said that what was decided is seen: at the console, by a button of its own. No event says
it: it is a mark in one's own reading."""

from datetime import UTC, datetime

from flows.ledger.core import Core
from flows.ledger.database.models import stamp
from flows.ledger.entrance.models import Seen


def until(ledger: Core, operator: str) -> datetime | None:
    """None of somebody who has not said so yet."""
    with ledger.reading() as session:
        found = session.get(Seen, operator)
        return datetime.fromisoformat(found.at) if found else None


def mark(ledger: Core, operator: str, at: datetime) -> None:
    """What was decided before this moment is seen; never of what lies ahead. It never goes back either: a page of
    another tab may be older."""
    said = stamp(min(at, ledger.clock.machine().astimezone(UTC)))
    with ledger.beside() as session:
        found = session.get(Seen, operator, with_for_update=True)
        if found is None:
            session.add(Seen(operator=operator, at=said))
        else:
            found.at = max(found.at, said)
