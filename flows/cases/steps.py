"""What can be done next on a case."""

from enum import StrEnum


class Step(StrEnum):
    """What an operator can do next."""

    FROZEN = "frozen"  # go on where opening was interrupted
    NOTIFIED = "notified"
    COPIES = "copies"
    DISPOSED = "disposed"
    RETURNED = "returned"
    ATTESTED = "attested"
    CLOSED = "closed"
