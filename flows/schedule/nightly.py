"""The nightly run that nobody watches: gates first, then every submission in the inbox that is not done, then what
waited too long or did not end cleanly; a signed head of the audit log; one summary of all that waits for people. A
held, refused or unreadable batch stops nothing but itself. If a gate let its known-bad batch pass, nothing runs at all.

It ends as `Completed`, `Held` or `Failed` by what is there at its end, not by what it did: as long as anything waits,
every night says so.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State as PrefectState
from prefect.states import Completed, Failed

from expectations.base.errors import DONE, HELD, BadInput, Fault, SluicegateError
from expectations.suites.selftest import selftest
from flows.audit import settling, signed_heads
from flows.batch.inbox import waiting
from flows.batch.unreadable import put_aside, shown_name
from flows.cases.watching import issue_notices
from flows.evidence import notes
from flows.home import keys
from flows.home.tree import Home, open_home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.operations import delivery, logs, notify
from flows.schedule import summary as summaries
from flows.schedule import sweep
from flows.schedule.batch import batch_flow, take_in
from flows.schedule.retries import PARTS, Part
from flows.schedule.summary import FAILED, PASSED
from flows.schedule.tasks import as_task
from flows.schedule.waiting import everything

Result = TypeVar("Result")


def gates_fail_as_they_must() -> bool:
    """Every rule of every suite fails on its known-bad batch."""
    results = selftest()
    return bool(results) and all(proof.can_fail for proof in results)


class Night:
    """What one night does, and what came of it."""

    def __init__(self, home: Home, ledger: Ledger, quiet: bool) -> None:
        self.home, self.ledger, self.quiet = home, ledger, quiet
        self.faults: dict[str, str] = {}  # of a part: its code

    def run(self) -> dict[str, Any]:
        """Everything, in its order."""
        batches = [self._submission(folder) for folder in waiting(self.home)]
        due = self.part(Part.EXPIRY, lambda: sweep.due(self.home, self.ledger))
        batches += [self._batch(batch) for batch in due or []]
        self.part(Part.SWEEP, self._sweep)
        self.part(Part.RECALLS, lambda: issue_notices(self.home, self.ledger.clock))
        head = self.part(Part.SIGNED_HEAD, lambda: signed_heads.write(self.home, self.ledger).stem)
        return {"batches": batches, "signed_head": head}

    def part(self, part: Part, work: Callable[[], Result]) -> Result | None:
        """What a part gives; None if it failed: the night goes on without it, and says so."""
        try:
            return as_task(part.value, work, PARTS[part])
        except Exception as error:
            self.faults[part.value] = error.code if isinstance(error, SluicegateError) else type(error).__name__
            return None

    def _submission(self, folder: Path) -> tuple[str, str | None, str, list[str]]:
        """One submission, whatever becomes of it: (folder, batch, state, codes)."""
        name = shown_name(folder)
        try:
            ended = self._batch(take_in(self.home, self.ledger, folder))
            if ended[2] == State.UNREADABLE:
                put_aside(self.home, folder)
            return name, *ended[1:]
        except SluicegateError as error:
            unreadable = isinstance(error, BadInput)
            return name, None, State.UNREADABLE.value if unreadable else State.FAILED.value, [error.code]
        except Exception as error:  # whatever it is, the next submission goes on
            return name, None, State.FAILED.value, [type(error).__name__]

    def _batch(self, batch: str) -> tuple[str, str | None, str, list[str]]:
        """One batch, run until it is released, held or refused: ("", batch, state, codes)."""
        batch_flow(batch, str(self.home.root), quiet=self.quiet, return_state=True)
        record = self.ledger.known_batch(batch)
        return "", batch, record.state.value, list(record.codes)

    def _sweep(self) -> None:
        settling.settle(self.home, self.ledger)
        sweep.age_tries(self.ledger)
        sweep.delete_abandoned(self.home, self.ledger.clock)
        notes.delete_unsigned(self.home, self.ledger.noted(), self.ledger.clock.now())
        self.ledger.tick()


@flow(name="nightly", persist_result=False, validate_parameters=False)
def nightly(home: str | None = None, quiet: bool = False) -> PrefectState:
    """Runs what lies in the inbox of `home` (SLUICEGATE_HOME if left out). Its summary is stored in the home tree."""
    opened = open_home(Path(home) if home else None)
    logs.join(opened)
    with Ledger.open(opened.ledger_url, opened.clock()) as ledger:
        ledger.require_open()
        keys.prove(opened, ledger)
        night = Night(opened, ledger, quiet)
        summary: dict[str, Any] = summaries.begin(opened, ledger.clock.now())
        summary |= {"selftest": PASSED, "batches": [], "faults": night.faults}
        if night.part(Part.GATES, gates_fail_as_they_must) is True:
            summary |= night.run()
        else:
            summary["selftest"] = FAILED
        if opened.config.log.to is not None:
            night.part(Part.LOG, lambda: delivery.deliver(opened))
        now = ledger.clock.now()
        summary["waiting"] = [one.told(now) for one in everything(opened, ledger)]
        night.part(Part.NOTIFICATION, lambda: _tell(opened, summary))
        if summary["selftest"] == PASSED:
            night.part(Part.PING, lambda: notify.ping(opened))
    summaries.store(opened, summary)
    create_markdown_artifact(key="nightly", markdown=summaries.markdown(opened, summary))
    headline = summaries.headline(summary)
    logs.say("night.ended", headline=headline, exit_code=summaries.exit_code(summary))
    return {
        DONE: lambda: Completed(message=headline),
        HELD: lambda: Failed(name="Held", message=headline),
        Fault.exit_code: lambda: Failed(message=headline),
    }[summaries.exit_code(summary)]()


def _tell(home: Home, summary: dict[str, Any]) -> None:
    """Word of a night after which something waits, in which something was refused, failed or ended, or before which one
    is missing."""
    ended = {State.REFUSED, State.EXPIRED, State.REJECTED, State.WITHDRAWN}
    over = [f"{batch}: {state} ({', '.join(codes)})" for _, batch, state, codes in summary["batches"] if state in ended]
    over += [f"{batch}: failed, and started again" for batch in summaries.started_again(summary)]
    missing = summary["broke_off"] or summary["none_since"]
    if over or missing or summaries.exit_code(summary) != DONE:
        waits = [", ".join(part for part in summaries.shown(one) if part) for one in summary["waiting"]]
        notify.send(home, f"Sluicegate: {summaries.headline(summary)}", [*waits, *over])


def run_nightly(home: Home, *, quiet: bool) -> dict[str, Any]:
    """Runs the flow in this process; returns its summary. Raises what stopped it before it had one."""
    before = summaries.newest(home)
    ended = cast(Any, nightly)(str(home.root), quiet=quiet, return_state=True)
    found = summaries.newest(home)
    if found is None or found == before:
        error = ended.result(raise_on_failure=False)
        raise error if isinstance(error, BaseException) else Fault("NIGHT_BROKE_OFF", "the night left no summary")
    return found
