"""What a batch is due for in each state, as data, and the loop that takes it as far as it goes.

Knows nothing of Prefect: `call` runs one step by name, and the flow gives one that runs it as a task.
"""

from __future__ import annotations

from collections.abc import Callable

from expectations.contracts import Outcome
from expectations.errors import BadInput, SluicegateError
from flows import expiry
from flows.ledger.accounts import ACCOUNTED
from flows.ledger.states import FINAL, Checkpoint, State
from flows.work import Work

PLAN: dict[State, tuple[str, ...]] = {
    State.RECEIVED: ("ingest", Checkpoint.INTAKE),
    State.INGESTED: ("match", Checkpoint.MATCHING),
    State.MATCHED: ("validate", Checkpoint.ELIGIBILITY),
    State.VALIDATED: ("release", Checkpoint.DISCLOSURE),
    State.SEALED: ("prepare",),
    State.PREPARED: ("publish",),
}
Call = Callable[[str], object]


def advance(work: Work, call: Call | None = None) -> State:
    """Takes a batch through its steps until it ends, waits for people, or releases are halted; returns its state. One that has
    waited for longer than its agreement allows expires.

    Raises what a step raises, after the ledger has recorded it: bad input ends the batch, a fault leaves it `failed`.
    """
    if expiry.overdue(work.ledger, work.name):
        expiry.expire(work)
    try:
        _steps(work, call or work.do)
    except BadInput as error:
        if work.record.state is State.RECEIVED:
            work.ledger.advance(work.name, State.UNREADABLE, facts={"codes": [error.code]})
            _finish(work)
        raise
    except SluicegateError as error:
        if work.record.state in PLAN and work.record.state is not State.PREPARED:
            work.ledger.advance(work.name, State.FAILED)
        # the ledger takes closed lists only: what failed, and where, is kept beside the checkpoints' results
        work.keep_fault(error)
        raise
    return _finish(work)


def _steps(work: Work, call: Call) -> None:
    while work.folder.exists() and (state := work.record.state) not in FINAL and state is not State.HELD:
        if state is State.FAILED:
            work.ledger.advance(work.name, work.record.resumes or State.RECEIVED)
            continue
        for step in PLAN[state]:
            call(step)
        if work.record.state is state:
            return  # releases are halted: nothing changed, and the next run goes on


def _finish(work: Work) -> State:
    """Accounts for a batch that ended without a release, and deletes what is left of it in clear."""
    record = work.record
    if record.state in FINAL and work.folder.exists():
        if record.state is not State.PUBLISHED and not _accounted(work):
            work.account_refused(record.codes)
        work.tidy()
    return record.state


def _accounted(work: Work) -> bool:
    """Whether it is accounted for as it ended: all refused, just before its last event or since."""
    said = work.ledger.accounted(work.name)
    kinds = [e["kind"] for e in work.ledger.events(work.name) if e["kind"] in (ACCOUNTED, *State)]
    return said is not None and set(said["outcomes"]) == {Outcome.REFUSED.value} and ACCOUNTED in kinds[-2:]
