"""What an operator hears of their own account, in plain words: on the first page, and on their own."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flows.ledger.core import Core
from flows.ledger.entrance import Entered
from flows.ledger.entrance.notices import Noticed, news
from flows.ledger.events.base import Kind
from flows.ledger.facts import Failure


@dataclass(frozen=True)
class Line:
    """Something that was noticed, `count` times between `first` and `last`."""

    says: str
    count: int
    first: datetime
    last: datetime


def told(ledger: Core, one: Entered, idle: timedelta) -> dict[str, Any]:
    """What the template `notices.html` names."""
    said, lines = news(ledger, one, idle), dict[str, Line]()
    for each in said.found:
        says, count = _says(each), each.facts.get("count", 1)
        known = lines.get(says)
        lines[says] = Line(says, count + (known.count if known else 0), known.first if known else each.at, each.at)
    way = str(said.before.facts.get("way", "")).replace("_", " ") if said.before else ""
    return {"before": said.before, "way": way, "lines": sorted(lines.values(), key=lambda one: one.last, reverse=True)}


def _says(one: Noticed) -> str:
    by, who = str(one.facts.get("way") or "an unknown way").replace("_", " "), one.facts.get("who")
    match one.kind:
        case Kind.SIGN_IN_FAILED:
            locked = ", while it was locked" if one.facts.get("why") == Failure.LOCKED else ""
            return f"A try to come in failed, by {by}{locked}"
        case Kind.LOCKED:
            return "Your name was locked for a quarter of an hour, at the address where the tries came from"
        case Kind.SIGNED_IN:
            return f"One factor was right, by {by}, and no key was shown then: somebody may know it"
        case Kind.PASSWORD_SET:
            return f"Your password was set anew, by {by}"
        case Kind.INVITED:
            return f"{who} made an invitation, with which your password can be set, or an account be bound"
        case Kind.OPERATOR_KEY:
            change = "was added" if one.facts["added"] else "was taken away"
            return f"A key of yours {change}, {one.facts['key'][:16]}"
        case Kind.IDENTITY_BOUND:
            return "An account at a provider was bound to you"
        case _:
            return f"{who} took away the account at a provider that was bound to you"
