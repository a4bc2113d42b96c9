"""Brings a ledger's tables to the newest form, in a transaction that holds the lock: two processes may open it."""

from __future__ import annotations

from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

HEAD = "0004"


def is_current(session: Session) -> bool:
    """Whether this ledger has seen every migration: then opening it need not wait for a writer."""
    if not inspect(session.connection()).has_table("alembic_version"):
        return False
    return session.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD


def upgrade(session: Session) -> None:
    """Runs the migrations that this ledger has not seen."""
    if is_current(session):  # another process was faster
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "flows.ledger:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = session.connection()
    command.upgrade(config, "head")
