"""Passwords as they are stored, and wrong ones: they are counted by name and place before a password is checked. So
many in a row from one place, in however many windows at a time, and none counts there for a while; elsewhere one
does."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flows.ledger.database.models import stamp
from flows.ledger.entrance.models import Account, Wrong

WRONG, LOCKED = 5, timedelta(minutes=15)
_KEPT = timedelta(days=2)


@dataclass(frozen=True)
class Trying:
    """A password that is about to be checked. `stored`: the hash that it must fit; `locked`: it counts whatever it is
    as wrong; `last`: if it is wrong, this name is locked here by it."""

    stored: str | None
    locked: bool
    last: bool


def begin(session: Session, operator: str, source: str, now: datetime) -> Trying:
    """Counts it as wrong already. The same is written for each name, locked or not: it takes the same time."""
    account, at = session.get(Account, operator), stamp(now)
    wrong = _counted(session, operator, source, at)
    if wrong.locked_until is not None and wrong.locked_until <= at:
        wrong.failures, wrong.locked_until = 0, None
    wrong.failures, wrong.tried_at = wrong.failures + 1, at
    locked, last = wrong.locked_until is not None, False
    if not locked and wrong.failures >= WRONG:
        wrong.locked_until, last = stamp(now + LOCKED), True
    return Trying(account.password if account else None, locked, last)


def _counted(session: Session, operator: str, source: str, at: str) -> Wrong:
    found = session.get(Wrong, (operator, source), with_for_update=True)
    if found is not None:
        return found
    with suppress(IntegrityError), session.begin_nested():  # another window was faster
        session.add(Wrong(operator=operator, source=source, failures=0, locked_until=None, tried_at=at))
    return session.get_one(Wrong, (operator, source), with_for_update=True)


def forget(session: Session, now: datetime) -> None:
    """Wrong ones of long ago go."""
    session.execute(delete(Wrong).where(Wrong.tried_at < stamp(now - _KEPT)))


def right(session: Session, operator: str, source: str, stored: str, renewed: str | None) -> bool:
    """The password was right, so nothing counts as wrong here any more. `renewed`: its hash, as it is kept from now on.
    False if the password was set anew meanwhile."""
    account = session.get(Account, operator, with_for_update=True)
    if account is None or account.password != stored:
        return False
    if renewed is not None:
        account.password = renewed
    session.execute(delete(Wrong).where(Wrong.operator == operator, Wrong.source == source))
    return True


def password(session: Session, operator: str) -> str | None:
    """The hash of an operator's password, if there is one."""
    account = session.get(Account, operator)
    return account.password if account else None


def set_password(session: Session, operator: str, hashed: str) -> None:
    """Gives an account, made if there is none, this password, and unlocks it everywhere."""
    account = session.get(Account, operator, with_for_update=True)
    if account is None:
        session.add(Account(operator=operator, password=hashed))
    else:
        account.password = hashed
    session.execute(delete(Wrong).where(Wrong.operator == operator))
