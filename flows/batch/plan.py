"""The steps of a batch, and which of them are due in each of its states: data."""

from collections.abc import Mapping
from enum import StrEnum

from expectations.base.total import total
from flows.ledger.lifecycles.states import FINAL, STAGES, Checkpoint, State


class Step(StrEnum):
    """A stage, a checkpoint (named as in `Checkpoint`), or a step of publication, in their order."""

    INGEST = "ingest"
    INTAKE = "intake"
    MATCH = "match"
    MATCHING = "matching"
    VALIDATE = "validate"
    ELIGIBILITY = "eligibility"
    RELEASE = "release"
    DISCLOSURE = "disclosure"
    PREPARE = "prepare"
    PUBLISH = "publish"


PLAN: Mapping[State, tuple[Step, ...]] = total(
    State,
    {
        State.RECEIVED: (Step.INGEST, Step.INTAKE),
        State.INGESTED: (Step.MATCH, Step.MATCHING),
        State.MATCHED: (Step.VALIDATE, Step.ELIGIBILITY),
        State.VALIDATED: (Step.RELEASE, Step.DISCLOSURE),
        State.SEALED: (Step.PREPARE,),
        State.PREPARED: (Step.PUBLISH,),
        State.HELD: (),  # waits for people
        State.FAILED: (),  # goes on from the state in which it failed
        **dict.fromkeys(FINAL, ()),
    },
)
# Before these steps the law is read again: once the rows have been read and their authority was decided. `release` asks
# it of each row, `prepare` and `publish` under the lock.
LAW_READ = frozenset({Step.MATCH, Step.MATCHING, Step.VALIDATE, Step.ELIGIBILITY, Step.DISCLOSURE})
# The state of a batch once it has passed a checkpoint.
PASSED: Mapping[Checkpoint, State] = dict(zip(Checkpoint, STAGES[1:], strict=True))
# The stage whose committed output a checkpoint judges.
STAGE_OF: Mapping[Checkpoint, Step] = {Checkpoint(steps[1]): steps[0] for steps in PLAN.values() if len(steps) == 2}
