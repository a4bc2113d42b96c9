"""Identities at an OpenID Connect provider, each of one operator. Of the provider and of whom it names no more than
digests are kept: a provider's subject may be a name, or an address of a person."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from expectations.base.digests import name_of_bytes, name_of_json
from flows.ledger.database.models import Operator, stamp
from flows.ledger.entrance.models import Identity


def issuer_digest(issuer: str) -> str:
    """What is kept of a provider, and stands in events."""
    return name_of_bytes(issuer.encode())


def _digest(issuer: str, subject: str) -> str:
    """Of both together: each provider names its subjects as it likes."""
    return name_of_json({"issuer": issuer, "subject": subject})


def operator_of(session: Session, issuer: str, subject: str) -> str | None:
    """Whose it is; None if it is bound to nobody."""
    found = session.get(Identity, _digest(issuer, subject))
    return found.operator if found else None


def bind(session: Session, operator: str, issuer: str, subject: str, now: datetime) -> bool:
    """Binds it to this operator, in the place of the one that was; False if it is another's, who was not revoked."""
    kept, of = _digest(issuer, subject), issuer_digest(issuer)
    found = session.get(Identity, kept)
    if found and found.operator != operator:
        if session.get_one(Operator, found.operator).revoked_at is None:
            return False
        session.delete(found)
        session.flush()
    unbind(session, operator)
    session.add(Identity(identity=kept, operator=operator, issuer=of, bound_at=stamp(now)))
    return True


def unbind(session: Session, operator: str) -> list[str]:
    """Takes away what this operator had; gives the digests of its issuers."""
    theirs = Identity.operator == operator
    issuers = list(session.scalars(select(Identity.issuer).where(theirs).order_by(Identity.issuer)))
    session.execute(delete(Identity).where(theirs))
    return issuers
