"""The tables of the console. `ledger verify` does not compare them: no event says what stands in them.

Sessions and invitations are of one home at one time: no backup has them (`flows.ledger.database.copies`).
"""

from sqlalchemy import Boolean, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from flows.ledger.database.models import DIGEST, NAME, TIME

NOBODY = ""  # the account of all names that are none: a wrong password costs the same, whoever it is for


class Private(DeclarativeBase):
    """All tables of the console."""


class Account(Private):
    """How an operator signs in. `failures`: wrong passwords in a row; after too many `locked_until`."""

    __tablename__ = "console_accounts"
    operator: Mapped[str] = mapped_column(NAME, primary_key=True)
    password: Mapped[str | None] = mapped_column(String(255))  # its argon2 hash; None: no password yet
    failures: Mapped[int] = mapped_column(Integer)
    locked_until: Mapped[str | None] = mapped_column(TIME)


class Session(Private):
    """Somebody who has signed in, until it ends: by hand, by its limits, or with the operator."""

    __tablename__ = "console_sessions"
    token: Mapped[str] = mapped_column(DIGEST, primary_key=True)  # SHA-256 of what the browser has
    operator: Mapped[str] = mapped_column(NAME, index=True)
    created_at: Mapped[str] = mapped_column(TIME)
    seen_at: Mapped[str] = mapped_column(TIME)
    ended: Mapped[bool] = mapped_column(Boolean)


class Invitation(Private):
    """A link that sets a password, once."""

    __tablename__ = "console_invitations"
    token: Mapped[str] = mapped_column(DIGEST, primary_key=True)  # SHA-256 of what stands in the link
    operator: Mapped[str] = mapped_column(NAME, index=True)
    expires_at: Mapped[str] = mapped_column(TIME)
    used: Mapped[bool] = mapped_column(Boolean)


PASSING: tuple[type[Private], ...] = (Session, Invitation)
