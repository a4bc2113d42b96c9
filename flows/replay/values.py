"""The values of one row: what was asked for, and, for who may see it, what the register had of the person that was
found. They are shown once, to somebody who says why, and the look is an event before anything is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from expectations.base.duck import session
from expectations.base.errors import Usage
from expectations.contracts.request import RAW_NAMES
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.facts import View
from flows.ledger.looks import Why
from flows.replay.opened import one_row


@dataclass(frozen=True)
class Look:
    """Who looks at what of a row, and why."""

    who: str
    what: View
    why: Why


@dataclass(frozen=True)
class Values:
    """`request`: each field as it was sent, empty of a row that could not be read; `person`: standardised fields of the
    record, and `addresses` its addresses on file, the newest first. Both None unless they were asked for and a record
    was found."""

    request: Mapping[str, Any] = field(repr=False)
    person: Mapping[str, Any] | None = field(default=None, repr=False)
    addresses: tuple[Mapping[str, Any], ...] | None = field(default=None, repr=False)


def values(home: Home, ledger: Ledger, batch: str, ordinal: int, look: Look) -> Values:
    """Of a row, to who may look. Raises Usage as `one_row` and `Ledger.audit`, or if there is no such row."""
    with one_row(home, ledger, batch, ordinal) as relation, session(home.duck.for_rows(1)) as connection:
        found = connection.execute(f"FROM {relation} WHERE origin = 'request'").to_arrow_table().to_pylist()
    if len(found) != 1:
        raise Usage("NO_SUCH_ROW", "the batch has no row with this number", remedy="Numbers count from 0.")
    audited(home, ledger, batch, ordinal, look)
    return of(found[0], look.what)


def audited(home: Home, ledger: Ledger, batch: str, ordinal: int, look: Look) -> None:
    """Records the look; raises Usage if it is not allowed."""
    ledger.audit(batch, ordinal, look.what, look.who, look.why, home.config.views_per_hour)


def of(row: Mapping[str, Any], what: View) -> Values:
    """What a row of the evidence has, and `what` may show."""
    request = {name: row[name] for name in RAW_NAMES}
    if what is not View.REGISTER:
        return Values(request)
    verdict, person = row.get("verdict"), row.get("person")
    return Values(request, person, tuple(verdict["addresses_on_file"]) if verdict else None)
