"""What the ledger's events say and do: one class for each kind. A kind without a class fails at import.

A new kind: its word, and its class beside those that it is most like.
"""

from flows.ledger.events import (
    batch,
    carried,
    console,
    corrections,
    home,
    moves,
    operators,
    proposals,
    recall,
    registry,
    requests,
    restored,
    review,
    seals,
    snoozes,
)
from flows.ledger.events.base import Event, Kind, UnknownKind, check_total, read
from flows.ledger.lifecycles.states import State

KINDS = (State, Kind)
check_total(*KINDS)

__all__ = ["KINDS", "Event", "Kind", "UnknownKind", "check_total", "read"]
