"""Invitations as they are stored: each sets one password, once, within an hour."""

from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from flows.ledger.database.models import stamp
from flows.ledger.entrance.models import Invitation

VALID = timedelta(hours=1)
_KEPT = timedelta(days=2)


def add(session: Session, token: str, operator: str, now: datetime) -> None:
    """Stores a new one (its hash), in the place of those that this operator had."""
    session.execute(delete(Invitation).where(Invitation.expires_at < stamp(now - _KEPT)))
    use(session, operator)
    session.add(Invitation(token=token, operator=operator, expires_at=stamp(now + VALID), used=False))


def operator_of(session: Session, token: str, now: datetime) -> str | None:
    """Whose it is; None if it is used, too old, or none of ours."""
    found = session.get(Invitation, token)
    return found.operator if found and not found.used and stamp(now) < found.expires_at else None


def use(session: Session, operator: str) -> None:
    """From now on none of this operator counts."""
    session.execute(update(Invitation).where(Invitation.operator == operator).values(used=True))
