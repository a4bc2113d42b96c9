"""Opens the ledger's database, SQLite by default, PostgreSQL by URL, and brings its tables to the newest form.

One writer at a time, on both, is what the chain needs (each event names the one before), and what makes a halt or a new
order either wait for a publication or stop it. Errors of the database quote what was written: none leaves this folder.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError, SQLAlchemyError, TimeoutError
from sqlalchemy.orm import Session

from expectations.base.errors import Fault, Transient, Usage
from flows.ledger.database import elsewhere

HEAD = "0017"  # the newest migration
WRITES = "sluicegate_writes"
BUSY_SECONDS = 60
_CONNECT_SECONDS = 10
_MAY_NOT = "42501"  # what PostgreSQL calls a right that its role lacks
GRANT = "Run sluicegate ledger grant as the owner of the ledger."
_LOCK = 0x51C0_1CE6  # any number, the same in every process


def connect(url: str, waits: int | None = None) -> Engine:
    """An engine for `sqlite:///PATH` or `postgresql://…`; raises Usage for another URL, and for a server elsewhere
    without verified TLS and a certificate of our own, never quoting it. `waits`: for so many seconds at most a
    transaction waits for another's lock (on SQLite always BUSY_SECONDS)."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Usage("LEDGER_URL", "the ledger's URL cannot be read", remedy="Write sqlite:///PATH.") from None
    if parsed.drivername == "sqlite" and parsed.database:
        path = Path(parsed.database)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)  # SQLite gives its WAL the mode of the database, so this covers both
        engine = create_engine(parsed, hide_parameters=True)
        event.listen(engine, "connect", _sqlite_settings)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return _postgresql(parsed, waits)
    remedy = "Write sqlite:///PATH or postgresql://USER@HOST/DATABASE."
    raise Usage("LEDGER_URL", "the ledger's URL names no database that is supported", remedy=remedy)


def _postgresql(url: URL, waits: int | None) -> Engine:
    more: dict[str, Any] = dict(elsewhere.check(url))
    if "connect_timeout" not in url.query:
        more["connect_timeout"] = _CONNECT_SECONDS
    driver = url.set(drivername="postgresql+psycopg")
    engine = create_engine(driver, hide_parameters=True, pool_pre_ping=True, connect_args=more)
    if waits is not None:

        def bounded(connection: Any, _record: Any) -> None:
            connection.execute(f"SET lock_timeout = '{waits}s'")
            connection.commit()

        event.listen(engine, "connect", bounded)
    return engine


def _sqlite_settings(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own: _sqlite_begin does
    for pragma in (
        f"busy_timeout = {BUSY_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        "cache_size = -65536",  # 64 MiB: bulk claims would otherwise spill page by page into the WAL
    ):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def on_postgresql(session: Session) -> bool:
    """Whether it is a database with roles, or else SQLite."""
    return session.get_bind().dialect.name == "postgresql"


def lock(session: Session) -> None:
    """Waits until this transaction is the only one that writes. (SQLite's took its lock when it began.)"""
    if on_postgresql(session):
        session.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))


FULL = "LEDGER_FULL"
_DISK_FULL = "53100"


@contextmanager
def translated() -> Iterator[None]:
    """Turns errors of the database into ours, which say what to do and quote nothing."""
    try:
        yield
    except IntegrityError:
        raise Fault("LEDGER_CONFLICT", "the ledger refused an entry that contradicts another") from None
    except (OperationalError, TimeoutError) as error:  # the latter: every connection of the pool is in use
        if _is_full(error):
            what = "the disk with the ledger's database is full, and nothing was written"
            raise Transient(FULL, what, remedy="Make room on it, then try again.") from None
        what = "the ledger's database is busy, full or out of reach"
        raise Transient("LEDGER_BUSY", what, remedy="Try again.") from None
    except SQLAlchemyError as error:
        if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _MAY_NOT:
            raise Fault("LEDGER_RIGHTS", "PostgreSQL does not let its role do that", remedy=GRANT) from None
        what = f"the ledger's database failed: {type(error).__name__}"
        raise Fault("LEDGER_BROKEN", what, remedy="Run sluicegate ledger verify.") from None


def _is_full(error: Exception) -> bool:
    """Whether the database says that its disk is full, as SQLite and PostgreSQL say it."""
    orig = error.orig if isinstance(error, DBAPIError) else None
    return getattr(orig, "sqlite_errorname", "") == "SQLITE_FULL" or getattr(orig, "sqlstate", None) == _DISK_FULL


def is_current(session: Session) -> bool:
    """Whether this ledger has seen every migration: then opening it need not wait for a writer."""
    if not inspect(session.connection()).has_table("alembic_version"):
        return False
    return session.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD


def upgrade(session: Session, to: str = HEAD) -> None:
    """Runs the migrations that this ledger has not seen, in a transaction that holds the lock. Raises Usage if `to` is
    a form that only a newer version knows, or if the role of this session may make no tables."""
    if is_current(session):  # another process was faster
        return
    if not may_make(session):
        what = "the ledger has not the form of this version, and its role may not change that"
        raise Usage("LEDGER_FORM", what, where="ledger", remedy=GRANT)
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "flows.ledger:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = session.connection()
    try:
        command.upgrade(config, to)
    except CommandError:
        what = "the ledger has a form that this version does not know"
        raise Usage("LEDGER_NEWER", what, remedy="Install the version of Sluicegate that wrote it.") from None


def may_make(session: Session) -> bool:
    """Whether the role of this session makes tables, and owns those that are there."""
    if not on_postgresql(session):
        return True
    owns = "SELECT bool_and(pg_has_role(relowner, 'MEMBER')) FROM pg_class WHERE oid = to_regclass('alembic_version')"
    makes = "SELECT has_schema_privilege(current_schema(), 'CREATE')"
    return bool(session.scalar(text(makes))) and session.scalar(text(owns)) is not False
