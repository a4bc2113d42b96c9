"""Wrong passwords are counted before a password is checked: so many in a row, in however many windows at a time, and
the account is locked for a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from flows.ledger.database.models import stamp
from flows.ledger.entrance.models import Account

WRONG, LOCKED = 5, timedelta(minutes=15)


@dataclass(frozen=True)
class Trying:
    """A password that is about to be checked. `stored`: the hash that it must fit; `locked`: it counts whatever it is
    as wrong; `last`: if it is wrong, the account is locked by it."""

    stored: str | None
    locked: bool
    last: bool


def begin(session: Session, operator: str, now: datetime) -> Trying:
    """Counts it as wrong already. The same is written for each account, locked or not: it takes the same time."""
    account = session.get(Account, operator, with_for_update=True)
    if account is None:
        return Trying(None, False, False)
    at, until = stamp(now), account.locked_until
    if until is not None and until <= at:
        account.failures, account.locked_until = 0, None
    account.failures += 1
    locked, last = account.locked_until is not None, False
    if not locked and account.failures >= WRONG:
        account.locked_until, last = stamp(now + LOCKED), True
    return Trying(account.password, locked, last)


def right(session: Session, operator: str, stored: str) -> bool:
    """The password was right, so nothing counts as wrong any more. False if it was set anew meanwhile."""
    account = session.get(Account, operator, with_for_update=True)
    if account is None or account.password != stored:
        return False
    account.failures, account.locked_until = 0, None
    return True


def has_password(session: Session, operator: str) -> bool:
    """Whether this name can sign in with a password."""
    account = session.get(Account, operator)
    return account is not None and account.password is not None


def set_password(session: Session, operator: str, hashed: str | None) -> None:
    """Gives an account, made if there is none, this password, and unlocks it."""
    account = session.get(Account, operator, with_for_update=True)
    if account is None:
        session.add(Account(operator=operator, password=hashed, failures=0, locked_until=None))
    else:
        account.password, account.failures, account.locked_until = hashed, 0, None
