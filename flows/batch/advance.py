"""Takes a batch through the steps of its plan until it is released, held or refused. Knows nothing of Prefect: `call`
runs one step, and the flow gives one that runs it as a task."""

from collections.abc import Callable

from expectations.base.errors import BadInput, Fault, SluicegateError
from expectations.contracts.lists import Outcome
from flows.batch import expiry
from flows.batch.plan import PLAN, Step
from flows.batch.publication import recover
from flows.batch.steps import BatchSteps
from flows.batch.unreadable import known_code, read_before
from flows.home import keys
from flows.ledger.accounts import ACCOUNTED
from flows.ledger.lifecycles.states import FINAL, State

Call = Callable[[Step], object]


def advance(batch: BatchSteps, call: Call | None = None) -> State:
    """Takes a batch through its steps until it ends, waits for people, or releases are halted; returns its state. One
    that has waited for longer than its agreement allows expires. Raises what a step raises, after the ledger has
    recorded it: bad input ends the batch, a fault leaves it `failed`."""
    batch.ledger.require_open()
    keys.prove(batch.home, batch.ledger)
    batch.ledger.clock.now()  # a clock that is wrong stops the run here, not in its middle
    if expiry.overdue(batch.ledger, batch.name):
        expiry.expire(batch)
    try:
        _run_steps(batch, call or batch.do)
    except BadInput as error:
        if batch.record.state is State.RECEIVED:
            batch.ledger.advance(batch.name, State.UNREADABLE, facts={"codes": [known_code(error)]})
            _finish(batch)
        raise
    except SluicegateError as error:
        state = batch.record.state
        # the ledger takes closed lists only: what failed, and where, is stored beside the checkpoints' results
        stored = batch.store_fault(error)
        if PLAN[state] and state is not State.PREPARED:
            batch.ledger.advance(batch.name, State.FAILED, facts={"fault": stored})
        raise
    if _finish(batch) is State.UNREADABLE:
        raise read_before(batch.ledger, batch.name)
    return batch.record.state


ROUNDS = 20  # of sealing, in one run: whoever enrols faster than that stops releases, and no run goes on for ever


def _run_steps(batch: BatchSteps, call: Call) -> None:
    sealed = 0
    if not batch.folder.exists():
        _without_files(batch)
    while batch.folder.exists():
        record = batch.record
        if record.state is State.FAILED:
            batch.ledger.advance(batch.name, record.resumes or State.RECEIVED)
            continue
        sealed += record.state is State.VALIDATED
        if sealed > ROUNDS:
            return
        for step in PLAN[record.state]:
            if batch.record.state is record.state:  # the step before may have ended it
                call(step)
        if batch.record.state is record.state:
            return  # it has ended, is held, or releases are halted: the next run goes on


def _without_files(batch: BatchSteps) -> None:
    """A batch that was in flight when a backup was made comes back without its files. Whether its package left is in
    the outbox; else raises Fault: it cannot go on, and expires."""
    state = batch.record.state
    if state is State.PREPARED:
        state = recover(batch.ledger, batch.name, batch.home.delivery)
    if state not in FINAL and state is not State.HELD:
        what, remedy = "the files of this batch are not here", "Have its requests sent again in a new letter."
        raise Fault("FILES_GONE", what, where=batch.name, remedy=remedy)


def _finish(batch: BatchSteps) -> State:
    """Accounts for a batch that ended without a release, and deletes what is left of its plaintext."""
    record = batch.record
    if record.state in FINAL and batch.folder.exists():
        if record.state is not State.PUBLISHED and not _accounted(batch):
            batch.account_refused(record.codes)
        batch.delete_folder()
    return record.state


def _accounted(batch: BatchSteps) -> bool:
    """Whether it is accounted for as it ended: all refused, just before its last event or since."""
    accounting = batch.ledger.accounted(batch.name)
    kinds = [e["kind"] for e in batch.ledger.events(batch.name) if e["kind"] in (ACCOUNTED, *State)]
    refused = accounting is not None and set(accounting["outcomes"]) == {Outcome.REFUSED.value}
    return refused and ACCOUNTED in kinds[-2:]
