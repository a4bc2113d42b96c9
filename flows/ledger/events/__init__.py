"""What the ledger's events say and do: one class for each kind. A kind without a class fails at import.

A new kind: its word and its class, beside those that it is most like.
"""

from flows.ledger.events.base import Event, UnknownKind, check_total, read
from flows.ledger.events.batch import BatchKind
from flows.ledger.events.moves import State
from flows.ledger.events.recall import RecallKind
from flows.ledger.events.registry import RegistryKind
from flows.ledger.events.review import ReviewKind

KINDS = (State, BatchKind, RegistryKind, ReviewKind, RecallKind)
check_total(*KINDS)

__all__ = ["KINDS", "Event", "UnknownKind", "check_total", "read"]
