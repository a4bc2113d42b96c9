"""Recall cases: getting a wrong disclosure back, from the day it is found until the recipient has attested that nothing
is left.

`opening` finds what is affected and freezes it at once; `advancing` takes the proof of each later step; `documents`
writes what each step sends out; `deadlines` says what is due. The machine itself is `flows.ledger.lifecycles.cases`.
"""

from enum import StrEnum


class Step(StrEnum):
    """What an operator can do next on a case."""

    FROZEN = "frozen"  # go on where opening was interrupted
    NOTIFIED = "notified"
    PERSONS = "persons"
    COPIES = "copies"
    DISPOSED = "disposed"
    RETURNED = "returned"
    ATTESTED = "attested"
    CLOSED = "closed"
