"""The life of a batch as data: its states, and which step leads from one to the next for which cause.

Read by the ledger (which refuses every other step), by `ledger verify` (which plays the events over it) and by the
diagram in infra/docs/lifecycles.md.
"""

from enum import StrEnum
from itertools import pairwise

from flows.ledger.lifecycles.lifecycle import Lifecycle


class State(StrEnum):
    """Where a batch is. A stage's name stands once its checkpoint has passed."""

    RECEIVED = "received"  # copied and recorded; nothing else is known
    INGESTED = "ingested"  # intake passed
    MATCHED = "matched"  # matching passed
    VALIDATED = "validated"  # eligibility passed
    SEALED = "sealed"  # disclosure passed: the package may go out
    PREPARED = "prepared"  # keys claimed, accounting written
    PUBLISHED = "published"  # the package lies in the outbox
    HELD = "held"  # a checkpoint waits for people
    FAILED = "failed"  # a fault of ours; run it again once it is fixed
    REFUSED = "refused"  # no authority
    REJECTED = "rejected"  # a person rejected it
    WITHDRAWN = "withdrawn"  # prepared, then stopped by an order
    UNREADABLE = "unreadable"  # the submission is not what a submission is
    EXPIRED = "expired"  # held for longer than the agreement allows


class Cause(StrEnum):
    """Why a batch goes from one state to another: each has its own method, with its own proof."""

    PASSED = "its checkpoint passed"
    UNREADABLE = "cannot be read"
    HELD = "its checkpoint held it"
    REFUSED = "no authority"
    FAILED = "a fault"
    RETRIED = "run again"
    RESEALED = "must be sealed again"
    DECIDED = "people decided"
    PREPARED = "claimed and accounted"
    PUBLISHED = "in the outbox"
    WITHDRAWN = "stopped in time"
    EXPIRED = "not decided in time"


class Checkpoint(StrEnum):
    """The four checkpoints, in their order."""

    INTAKE = "intake"
    MATCHING = "matching"
    ELIGIBILITY = "eligibility"
    DISCLOSURE = "disclosure"


STAGES = (State.RECEIVED, State.INGESTED, State.MATCHED, State.VALIDATED, State.SEALED)
# A checkpoint runs while the batch is in this state, and a batch that it held goes on from there.
RUNS_IN: dict[Checkpoint, State] = dict(zip(Checkpoint, STAGES[:-1], strict=True))

_BEFORE_SEALED = STAGES[:-1]
TRANSITIONS: dict[tuple[State, State], Cause] = {
    **dict.fromkeys(pairwise(STAGES), Cause.PASSED),
    (State.RECEIVED, State.UNREADABLE): Cause.UNREADABLE,
    **{(s, State.HELD): Cause.HELD for s in _BEFORE_SEALED},
    **{(s, State.REFUSED): Cause.REFUSED for s in (*STAGES, State.HELD, State.FAILED)},
    **{(s, State.FAILED): Cause.FAILED for s in STAGES},
    **{(State.FAILED, s): Cause.RETRIED for s in STAGES},
    **{(s, State.VALIDATED): Cause.RESEALED for s in (State.SEALED, State.PREPARED)},
    **{(State.HELD, s): Cause.DECIDED for s in (*_BEFORE_SEALED, State.REJECTED)},
    (State.SEALED, State.PREPARED): Cause.PREPARED,
    (State.PREPARED, State.PUBLISHED): Cause.PUBLISHED,
    (State.PREPARED, State.WITHDRAWN): Cause.WITHDRAWN,
    **{(s, State.EXPIRED): Cause.EXPIRED for s in (State.HELD, State.FAILED)},
}
BATCH = Lifecycle("batch", State.RECEIVED, tuple((start, cause, end) for (start, end), cause in TRANSITIONS.items()))
FINAL = BATCH.final
OPEN = tuple(state for state in State if state not in FINAL)
# Held, or ended without a release: what a batch that went on was once held for is history.
STOPPED = FINAL - {State.PUBLISHED, State.UNREADABLE} | {State.HELD}
