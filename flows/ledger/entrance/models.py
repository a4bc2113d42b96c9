"""The tables of the console. `ledger verify` does not compare them: no event says what stands in them.

Sessions, invitations, wrong tries and proposals are of one home at one time: no backup has them
(`flows.ledger.database.copies`).
"""

from sqlalchemy import BigInteger, Boolean, ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from flows.ledger.database.models import DIGEST, NAME, TIME, WORD

NOBODY = ""  # stands for all names that are none: a wrong password costs the same, whoever it is for


class Private(DeclarativeBase):
    """All tables of the console."""


class Account(Private):
    """An operator who has, or had, a password."""

    __tablename__ = "console_accounts"
    operator: Mapped[str] = mapped_column(NAME, primary_key=True)
    password: Mapped[str | None] = mapped_column(String(255))  # its argon2 hash; None: no password yet


class Wrong(Private):
    """Wrong passwords in a row for one name from one place; after too many none counts until `locked_until`. Those of
    one place lock nobody out elsewhere."""

    __tablename__ = "console_wrong"
    operator: Mapped[str] = mapped_column(NAME, primary_key=True)
    source: Mapped[str] = mapped_column(NAME, primary_key=True)  # the keyed hash of an address
    failures: Mapped[int] = mapped_column(Integer)
    locked_until: Mapped[str | None] = mapped_column(TIME)
    tried_at: Mapped[str] = mapped_column(TIME)


class Session(Private):
    """Somebody who has signed in, until it ends: by hand, by its limits, or with the operator."""

    __tablename__ = "console_sessions"
    token: Mapped[str] = mapped_column(DIGEST, primary_key=True)  # SHA-256 of what the browser has
    operator: Mapped[str] = mapped_column(NAME, index=True)
    created_at: Mapped[str] = mapped_column(TIME)
    seen_at: Mapped[str] = mapped_column(TIME)
    ended: Mapped[bool] = mapped_column(Boolean)
    proved_at: Mapped[str | None] = mapped_column(TIME)  # when a second factor was last shown; None: never
    source: Mapped[str] = mapped_column(NAME)  # the keyed hash of the address where it began


class Invitation(Private):
    """A code that sets a password, once."""

    __tablename__ = "console_invitations"
    token: Mapped[str] = mapped_column(DIGEST, primary_key=True)  # SHA-256 of what stands in the link
    operator: Mapped[str] = mapped_column(NAME, index=True)
    expires_at: Mapped[str] = mapped_column(TIME)
    used: Mapped[bool] = mapped_column(Boolean)


class Proposal(Private):
    """A change that waits until two have signed it (`flows.ledger.proposals`). Its number is that of its event, and so
    never another's. `digest`: of the text that two would have signed when it was proposed."""

    __tablename__ = "proposals"
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(WORD)
    subject: Mapped[str] = mapped_column(NAME)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(DIGEST)
    operator: Mapped[str] = mapped_column(NAME)  # who proposed it
    proposed_at: Mapped[str] = mapped_column(TIME)
    expires_at: Mapped[str] = mapped_column(TIME)


class ProposalSignature(Private):
    """One operator's signature under a proposal. `digest`: of the text that it is over."""

    __tablename__ = "proposal_signatures"
    number: Mapped[int] = mapped_column(ForeignKey("proposals.number", ondelete="CASCADE"), primary_key=True)
    operator: Mapped[str] = mapped_column(NAME, primary_key=True)
    digest: Mapped[str] = mapped_column(DIGEST)
    signature: Mapped[str] = mapped_column(Text)


class Identity(Private):
    """Somebody whom an OpenID Connect provider knows, and which operator that is."""

    __tablename__ = "console_identities"
    identity: Mapped[str] = mapped_column(DIGEST, primary_key=True)  # SHA-256 of issuer and subject
    operator: Mapped[str] = mapped_column(NAME, index=True)
    issuer: Mapped[str] = mapped_column(DIGEST)  # its SHA-256
    bound_at: Mapped[str] = mapped_column(TIME)


class Seen(Private):
    """Up to when an operator has said that what was decided is seen."""

    __tablename__ = "console_seen"
    operator: Mapped[str] = mapped_column(NAME, primary_key=True)
    at: Mapped[str] = mapped_column(TIME)


PASSING: tuple[type[Private], ...] = (Session, Invitation, Wrong, Proposal, ProposalSignature)
