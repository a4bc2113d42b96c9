"""The first page for whoever reads it: what this operator may do about each thing, and what was decided meanwhile."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from expectations.base.total import total
from flows.console.queue import decided
from flows.ledger import Ledger
from flows.ledger.decisions import Decision
from flows.ledger.roles import DECIDES, ROLES, Act, Role, may
from flows.schedule.things import Kind

# What somebody must be allowed to who does what each kind waits for; None: whoever runs this system.
_TAKES: Mapping[Kind, Act | None] = total(
    Kind,
    {
        **dict.fromkeys((Kind.UNKNOWN, Kind.FAILED, Kind.HALTED, Kind.BACKUP), None),
        **dict.fromkeys((Kind.NOT_READ, Kind.UNREADABLE, Kind.UNSIGNED, Kind.INCOMPLETE), None),
        **dict.fromkeys((Kind.HELD, Kind.PROPOSAL), None),  # each decision, or change, has its own
        **dict.fromkeys((Kind.RESTORED, Kind.EARLIER_KEY), Act.HOME),
        **dict.fromkeys((Kind.RECALL, Kind.LOOKBACK), Act.RECALL),
        Kind.ORDER: Act.COMPLIANCE,
        Kind.HALT: Act.RESUME,
    },
)


@dataclass(frozen=True)
class Reader:
    """Who looks at the first page, and what that changes there. `own`: the holds on which this operator has signed;
    `seen`: up to when what was decided was seen, None if that was never said."""

    name: str
    roles: tuple[Role, ...]
    own: frozenset[int]
    seen: datetime | None

    def may(self, one: Mapping[str, Any]) -> list[Decision]:
        """The decisions that are open on what waits, and that this operator may sign now."""
        barred = self.barred(one)
        return [one for one in one["open"] if may(self.roles, DECIDES[one]) and one not in barred]

    def barred(self, one: Mapping[str, Any]) -> list[Decision]:
        """Those that this operator's roles allow, and the batch's agreement does not."""
        return barred(one["deciders"], self.name, self.roles)

    def lacks(self, one: Mapping[str, Any]) -> list[Role]:
        """The roles of which one would be needed to do what it waits for; none if there is such a one, or none is."""
        act = _TAKES[Kind(one["kind"])]
        acts = [DECIDES[decision] for decision in one["open"]] if one["open"] else [act] if act else []
        missing = bool(acts) and not any(may(self.roles, each) for each in acts)
        return sorted({role for each in acts for role in ROLES[each]}) if missing else []

    @property
    def may_read(self) -> bool:
        """Whether this operator may read what was written about reasons."""
        return may(self.roles, Act.VIEW_REQUEST)

    def may_snooze(self, one: Mapping[str, Any]) -> bool:
        """Whether this operator may set it aside, or take that back."""
        return one["may_snooze"] and may(self.roles, Act.SNOOZE)

    def may_call(self, one: Mapping[str, Any]) -> bool:
        """Whether this operator may ask others to look at it."""
        return may(self.roles, Act.CALL)


def barred(deciders: Mapping[Decision, Collection[str]], operator: str, roles: Collection[Role]) -> list[Decision]:
    """The decisions open on a batch that these roles allow this operator, and that its agreement does not. `deciders`:
    who may sign each, as `Ledger.deciders` gives them."""
    return [one for one, names in deciders.items() if operator not in names and may(roles, DECIDES[one])]


def lacking(roles: tuple[Role, ...]) -> dict[Decision, list[Role]]:
    """The decisions that nobody with these roles may sign, with the roles of which one would be needed."""
    return {one: sorted(ROLES[act]) for one, act in DECIDES.items() if not may(roles, act)}


def for_reader(
    ledger: Ledger, given: dict[str, Any], operator: str, roles: tuple[Role, ...], seen: datetime | None
) -> dict[str, Any]:
    """What `queue` gave for all readers, for one of them: what this operator may do, and what was decided since it last
    said that it had seen that."""
    holds = [one["hold"] for one in given["waiting"] if one["hold"] and one["spoken"]]
    reader = Reader(operator, roles, ledger.spoken_by(operator, holds), seen)
    return {**given, "reader": reader, **({} if seen is None else {"since": seen, "decided": decided(ledger, seen)})}
