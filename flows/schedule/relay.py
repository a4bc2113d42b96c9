"""Tells Prefect's server what has happened, as events: triggers of deployments run a batch at once, automations send
word. It reads the ledger and the inbox, so that it does not matter who signed, or on which machine. Ids only.

An event may come twice (after a crash between telling and noting it): what it starts finds the work done.
"""

import json
from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

from expectations.base.errors import Fault
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.events import Kind
from flows.ledger.lifecycles.states import State
from flows.schedule.due import Due, due
from pipelines.lake import durable

# What of the ledger's events is told, and how it is called there.
TOLD: Mapping[str, str] = {
    Kind.DECISION: "sluicegate.batch.decided",
    Kind.ENROLLED: "sluicegate.instrument.enrolled",
    Kind.HALT: "sluicegate.releases.halted",
    Kind.RESUMED: "sluicegate.releases.resumed",
    State.HELD: "sluicegate.batch.held",
    State.REFUSED: "sluicegate.batch.refused",
    State.FAILED: "sluicegate.batch.failed",
    State.PUBLISHED: "sluicegate.batch.published",
    State.EXPIRED: "sluicegate.batch.expired",
}
SUBMISSION, GOES_ON = "sluicegate.submission.complete", "sluicegate.batch.goes_on"  # these two start a batch


class Relay:
    """Tells each thing once, from where the one before it stopped."""

    def __init__(self, home: Home) -> None:
        self.home, self.path = home, home.root / "prefect" / "relay.json"
        self.seen: dict[str, int] = {}
        self.after = json.loads(self.path.read_text())["after"] if self.path.exists() else self._newest()

    def step(self) -> int:
        """Tells what is new; gives how many events that were."""
        told = self._ledger()
        for one in due(self.home):
            if self.seen.get(one.what) != one.version:
                self.seen[one.what] = one.version
                self._run(one)
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

    def _run(self, one: Due) -> None:
        name = SUBMISSION if one.is_submission else GOES_ON
        kind = "submission" if one.is_submission else "batch"
        _tell(name, f"sluicegate.{kind}.{one.id}", f"{one.id}|{one.version}", {"batch": one.id})

    def _newest(self) -> int:
        with Ledger.open(self.home.ledger_url, self.home.clock()) as ledger:
            return ledger.newest_event()


def _tell(name: str, resource: str, key: str, payload: Mapping[str, object]) -> None:
    from prefect.events import emit_event  # late: the server's address must be set before

    sent = emit_event(name, {"prefect.resource.id": resource}, payload=dict(payload), id=uuid5(NAMESPACE_URL, key))
    if sent is None:
        remedy = "Set PREFECT_API_URL to a server; without one, use sluicegate watch."
        raise Fault("NO_EVENTS", "Prefect takes no events", remedy=remedy)
