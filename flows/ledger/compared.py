"""The ledger's tables as they are, compared with what its events say of them (`rebuild`)."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, or_, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from expectations.base import algorithms
from expectations.base.algorithms import FIRST, Scheme
from flows.ledger.bulk import Bulk
from flows.ledger.chain import Problem
from flows.ledger.database.models import Base


def rows(model: type[Base], place: str, live: Session, rebuilt: Session) -> Iterator[Problem]:
    """Every row that differs, with its columns. `place`: how people call a row of this table, by its key."""
    keys = [c.name for c in model.__table__.primary_key]
    raw = select(*(type_coerce(c, NullType()).label(c.name) for c in model.__table__.columns))
    raw = raw.order_by(*model.__table__.primary_key)
    seen = set()
    for row in live.execute(raw.execution_options(yield_per=1_000)).mappings():
        key = tuple(row[name] for name in keys)
        seen.add(key)
        at = place.format(*key)
        here = (model.__table__.c[name] == value for name, value in zip(keys, key, strict=True))
        said = rebuilt.execute(raw.where(*here)).mappings().first()
        if said is None:
            yield Problem(at, f"no event tells of this row of {model.__tablename__}")
            continue
        for name, value in row.items():
            if _plain(value) != _plain(said[name]):
                yield Problem(at, f"{model.__tablename__}.{name} is not what its events say")
    for row in rebuilt.execute(raw).mappings():
        key = tuple(row[name] for name in keys)
        if key not in seen:
            yield Problem(place.format(*key), f"its row of {model.__tablename__} is missing")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _are(bulk: Bulk, live: Session, owner: str, rows: int | None, digest: str, scheme: Scheme) -> bool:
    with algorithms.using(scheme):
        return bulk.digest(live, owner) == (rows, digest)


def bulk(of: Bulk, live: Session, said: Mapping[str, tuple[int | None, str, Scheme] | None]) -> Iterator[Problem]:
    """Every owner whose rows are not those that its events gave it."""
    count = select(of.owner, func.count()).group_by(of.owner)
    there = {row[0]: row[1] for row in live.execute(count)}
    for owner in sorted(said.keys() | there.keys(), key=str):
        expected, place = said.get(owner, (0, "", FIRST)), f"{of.place} {owner}"
        if owner not in said:
            yield Problem(place, f"no event tells of these rows of {of.name}")
        elif expected is not None and (there.get(owner, 0) != expected[0] or not _are(of, live, owner, *expected)):
            yield Problem(place, f"the rows of {of.name} are not those that its events say")
    key, columns = of.owned
    if columns:  # the owners of which some rows do not say what their owner's own row does
        owners, rows = key.class_, of.model.__table__.c
        differs = or_(*(rows[name] != owners.__table__.c[name] for name in columns))
        query = select(of.owner).join(owners, key == of.owner).where(differs).distinct().order_by(of.owner)
        for stranger in live.scalars(query):
            yield Problem(f"{of.place} {stranger}", f"rows of {of.name} name other parties than it has")
