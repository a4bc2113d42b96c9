"""What an event is applied to: the ledger's tables, as they were before it.

It is done twice: in the transaction that appends the event, and by `flows.ledger.rebuild`, which plays all
events over an empty database to compare it with the live one. What an event has by digest only comes from whoever
writes it, or from the live row.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Set
from typing import Any, TypeVar

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from flows.ledger.bulk import Bulk
from flows.ledger.chain import Link, first_hash, head_but
from flows.ledger.database.models import Base, Batch, Event

Row = TypeVar("Row", bound=Base)


class Tables:
    """The tables of the ledger itself, and the place of the event that is applied to them.

    `contents`: what the event has by digest only.
    """

    def __init__(self, session: Session, place: Link, contents: Mapping[str, Any]) -> None:
        self.session, self.place, self.contents = session, place, contents

    # Whether an event before this one named the home: then those after it must.
    homes_are_named = False
    # The kinds of which an event before this one did.
    kinds_for_home: Set[str] = frozenset()

    @property
    def home(self) -> str:
        """What the home is called in signatures: the hash of its first event. `GENESIS` in that event itself."""
        return first_hash(self.session, self.place.seq)

    def newest_but(self, kinds: Collection[str]) -> tuple[int, str]:
        """Number and hash of the newest event before this one that is of another kind; 0 and `GENESIS` of none."""
        found = head_but(self.session, kinds, self.place.seq)
        return found.seq, found.hash

    def kind_before(self) -> str | None:
        """The kind of the event before this one."""
        return self.session.scalar(select(Event.kind).where(Event.seq == self.place.seq - 1))

    def rows_of(self, bulk: Bulk, owner: str) -> int | None:
        """How many rows an owner has in this table; None: an older event did not say."""
        return bulk.count(self.session, owner)

    def has(self, bulk: Bulk) -> bool:
        """Whether anybody has rows in this table."""
        return self.session.scalar(select(bulk.owner).limit(1)) is not None

    @property
    def batch(self) -> Batch:
        """The batch that the event is about."""
        return self.row(Batch, self.place.batch)

    def find(self, model: type[Row], key: Any) -> Row | None:
        return None if key is None else self.session.get(model, key)

    def row(self, model: type[Row], key: Any) -> Row:
        """The row with this key; raises ValueError if there is none."""
        found = self.find(model, key)
        if found is None:
            raise ValueError(f"no row of {model.__tablename__} is as it says")
        return found

    def add(self, row: Base, key: Any) -> None:
        """Adds a row; raises ValueError if its key is there."""
        if self.find(type(row), key) is not None:
            raise ValueError(f"a row of {row.__tablename__} is there already")
        self.session.add(row)

    def content(self, column: InstrumentedAttribute[Any], key: Any, digest: str) -> Any:
        """What belongs into `column` of the row with this key, of which the event has the digest."""
        return self.contents[digest]

    def unsaid(self, column: InstrumentedAttribute[Any], key: Any, fits: Callable[[Any], bool] = lambda _: True) -> Any:
        """The value of `column` in the row with this key, which events of an older version did not have."""
        raise ValueError("whoever writes an event says everything")

    def put(self, bulk: Bulk, owner: str, rows: int | None, digest: str | None, **fixed: str) -> None:
        """Gives an owner the rows that came in, which have this digest; None: an older event did not say."""
        bulk.put(self.session, owner, **fixed)

    def carry(self, bulk: Bulk, owner: str, rows: int, digest: str, **fixed: str) -> None:
        """Gives an owner, in place of its rows, those that came in, which have this digest."""
        self.clear(bulk, [owner])
        self.put(bulk, owner, rows, digest, **fixed)

    def clear(self, bulk: Bulk, owners: Collection[str] | Select[Any]) -> None:
        """Takes all rows of these owners away."""
        self.session.execute(delete(bulk.model).where(bulk.owner.in_(owners)))

    def baseline(self, values: Mapping[str, str], tries: Iterable[tuple[str, int, str]]) -> None:
        """Takes what an operator vouches for of the values that older events did not say; here they stand already."""
