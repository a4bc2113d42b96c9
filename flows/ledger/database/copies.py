"""All tables of a ledger as Parquet, read in one view while others write; and a ledger made from them.

Sessions, invitations and proposals stay behind: nobody comes into a restored home by what was open before, and what was
signed for one home at one time waits in no other.

One form for SQLite and PostgreSQL: what one wrote, the other takes. The tables are as the database has them, not as
this version would make them, so that an old ledger is filled first and migrated afterwards.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import MetaData, Table, insert, inspect, select, text
from sqlalchemy.orm import Session

from expectations.base.errors import Fault, Usage
from flows.ledger.database import engine
from flows.ledger.entrance.models import PASSING

_VERSION = "alembic_version"
_LEFT_OUT = frozenset({_VERSION, *(model.__tablename__ for model in PASSING)})
_ROWS = 20_000
_TYPES: Mapping[type[Any], pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    bytes: pa.binary(),
    date: pa.date32(),
    bool: pa.bool_(),
}


def write(session: Session, folder: Path) -> str:
    """Writes TABLE.parquet for each table, all as they are at one moment; gives the form of the ledger."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite's transactions see one moment as they are
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    form = str(session.execute(text(f"SELECT version_num FROM {_VERSION}")).scalar_one())
    for table in _tables(session):
        schema = pa.schema([(c.name, _TYPES[c.type.python_type]) for c in table.columns])
        with pq.ParquetWriter(folder / f"{table.name}.parquet", schema, compression="zstd") as writer:
            rows = session.execute(
                select(table).order_by(*table.primary_key).execution_options(yield_per=_ROWS)
            ).mappings()
            for some in rows.partitions():
                writer.write_table(pa.Table.from_pylist([dict(row) for row in some], schema))
    return form


def read(session: Session, folder: Path, form: str) -> None:
    """Makes the tables of this form in an empty database, fills them, and brings them to the newest form, all in the
    caller's transaction. Raises Usage if the database is not empty, or a newer version wrote the copy; Fault if a
    table is missing."""
    if inspect(session.connection()).get_table_names():
        remedy = "Give it a database of its own; nothing is ever restored over a ledger."
        raise Usage("LEDGER_NOT_EMPTY", "there is something in the ledger's database", where="ledger", remedy=remedy)
    engine.upgrade(session, form)
    for table in _tables(session):
        path = folder / f"{table.name}.parquet"
        if not path.is_file():
            raise Fault("LEDGER_COPY", "a table of the ledger is missing in the copy", where=table.name)
        for some in pq.ParquetFile(path).iter_batches(_ROWS):
            session.execute(insert(table), some.to_pylist())
    engine.upgrade(session)


def _tables(session: Session) -> list[Table]:
    """The tables that are copied, as they are, each after those that it refers to."""
    found = MetaData()
    found.reflect(bind=session.connection())
    return [table for table in found.sorted_tables if table.name not in _LEFT_OUT]
