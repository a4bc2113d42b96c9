"""Tells Prefect's server what has happened, as events: triggers of deployments run a batch at once, automations send
word. It reads the ledger and the inbox, so that it does not matter who signed, or on which machine. Ids only.

An event may come twice (after a crash between telling and noting it): what it starts finds the work done. One that the
server lost comes again: what is still due, and no run on the server is for, is told again after a pause.
"""

import json
from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

import httpx

from expectations.base.errors import Fault, Transient
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.events import Kind
from flows.ledger.lifecycles.states import State
from flows.schedule.due import Due, due
from flows.schedule.started import Started
from pipelines.lake import durable

# What of the ledger's events is told, and how it is called there.
TOLD: Mapping[str, str] = {
    Kind.DECISION: "sluicegate.batch.decided",
    Kind.ENROLLED: "sluicegate.instrument.enrolled",
    Kind.HALT: "sluicegate.releases.halted",
    Kind.RESUMED: "sluicegate.releases.resumed",
    Kind.CALLED: "sluicegate.others.called",
    State.HELD: "sluicegate.batch.held",
    State.REFUSED: "sluicegate.batch.refused",
    State.FAILED: "sluicegate.batch.failed",
    State.PUBLISHED: "sluicegate.batch.published",
    State.EXPIRED: "sluicegate.batch.expired",
}
SUBMISSION, GOES_ON = "sluicegate.submission.complete", "sluicegate.batch.goes_on"  # these two start a batch
_PAGE = 200  # runs that the server gives at once


class Relay:
    """Tells each thing once, from where the one before it stopped."""

    def __init__(self, home: Home) -> None:
        self.home, self.path = home, home.root / "prefect" / "relay.json"
        self.started = Started()
        self.after = json.loads(self.path.read_text())["after"] if self.path.exists() else self._newest()

    def step(self) -> int:
        """Tells what is new; gives how many events that were."""
        told = self._ledger()
        wanted = [one for one in due(self.home) if self.started.wanted(one)]
        asked = _asked() if any(self.started.again(one) for one in wanted) else frozenset()
        for one in wanted:
            again = self.started.again(one)
            time = self.started.note(one)
            if not again or one.id not in asked:  # else its run waits or is under way
                self._run(one, time)
                told += 1
        return told

    def _ledger(self) -> int:
        with Ledger.open(self.home.ledger_url, self.home.clock()) as ledger:
            events = ledger.tail(self.after, TOLD)
        for event in events:
            batch = event["batch"]
            resource = f"sluicegate.batch.{batch}" if batch else "sluicegate.home"
            _tell(
                TOLD[event["kind"]], resource, f"{self.home.root}|{event['seq']}", {"batch": batch, "seq": event["seq"]}
            )
            self.after = event["seq"]
            durable.write(self.path, json.dumps({"after": self.after}).encode())
        return len(events)

    def _run(self, one: Due, time: int) -> None:
        name = SUBMISSION if one.is_submission else GOES_ON
        kind = "submission" if one.is_submission else "batch"
        _tell(name, f"sluicegate.{kind}.{one.id}", f"{one.id}|{one.version}|{time}", {"batch": one.id})

    def _newest(self) -> int:
        with Ledger.open(self.home.ledger_url, self.home.clock()) as ledger:
            return ledger.newest_event()


def _asked() -> frozenset[str]:
    """What the runs of batches on the server are for that have not ended. Raises Transient if it does not answer."""
    from prefect.client.orchestration import get_client  # late, as below
    from prefect.client.schemas.filters import FlowRunFilter
    from prefect.client.schemas.objects import TERMINAL_STATES, StateType
    from prefect.exceptions import PrefectHTTPStatusError

    open_states = sorted(set(StateType) - TERMINAL_STATES)
    wanted = FlowRunFilter.model_validate({"tags": {"all_": ["batch"]}, "state": {"type": {"any_": open_states}}})
    found: list[str] = []
    try:
        with get_client(sync_client=True) as client:
            while runs := client.read_flow_runs(flow_run_filter=wanted, limit=_PAGE, offset=len(found)):
                found.extend(str(run.parameters.get("batch")) for run in runs)
    except (httpx.HTTPError, PrefectHTTPStatusError, RuntimeError):  # the last: it cannot be reached
        what, remedy = "Prefect's server does not answer", "Start it, or wait until it has started."
        raise Transient("NO_PREFECT_SERVER", what, remedy=remedy) from None
    return frozenset(found)


def _tell(name: str, resource: str, key: str, payload: Mapping[str, object]) -> None:
    from prefect.events import emit_event  # late: the server's address must be set before

    sent = emit_event(name, {"prefect.resource.id": resource}, payload=dict(payload), id=uuid5(NAMESPACE_URL, key))
    if sent is None:
        remedy = "Set PREFECT_API_URL to a server; without one, use sluicegate watch."
        raise Fault("NO_EVENTS", "Prefect takes no events", remedy=remedy)
