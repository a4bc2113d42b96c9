"""The declaration of a batch: how many were asked for, matched, disclosed and withheld, and why; each number with its
event. It is the holder's own paper: it counts by codes that the requester never sees (invariant 9)."""

from collections.abc import Iterable, Mapping
from typing import Any

from expectations import codes
from expectations.base.clock import Clock, legal_date
from expectations.base.errors import Fault, Usage
from flows.batch.plan import PASSED
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.accounts import ACCOUNTED, EventRecord
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import RUNS_IN, Checkpoint, State
from flows.registry.enrolled import agreement_at_receipt

_BY_STATE_BEFORE = {state.value: which for which, state in RUNS_IN.items()}
_BY_STATE_PASSED = {state.value: which for which, state in PASSED.items()}


def declaration(home: Home, clock: Clock, batch: str) -> dict[str, Any]:
    """What the ledger says of a batch. Raises Usage if it is not accounted for, Fault if its events do not add up."""
    with Ledger.open(home.ledger_url, clock) as ledger:
        record, events = ledger.known_batch(batch), ledger.events_of(batch)
        return {
            "report": "declaration",
            "made_at": ledger.clock.now().isoformat(timespec="seconds"),
            "batch": batch,
            "state": record.state.value,
            "submission": record.submission,
            "received_at": record.received_at.isoformat(timespec="seconds"),
            "decided_on": record.decided_on.isoformat(),
            **_parties(ledger, record, events),
            **_figures(record, events),
            "checkpoints": list(_checkpoints(events)),
            "decisions": [
                {**{k: e.facts[k] for k in ("decision", "reason", "by")}, **_source(e)}
                for e in events
                if e.kind == "decision"
            ],
            "instruments": list(_instruments(ledger, record)),
            "register": record.register,
            "chain": vars(ledger.head()),
        }


def _parties(ledger: Ledger, record: BatchRecord, events: Iterable[EventRecord]) -> dict[str, Any]:
    """Who asked, who answered, and when the rows left by the agreement's calendar."""
    found = agreement_at_receipt(ledger, record)
    if found is None:  # an unreadable submission
        return {"agency": None, "holder": None, "agreement": None, "disclosed_on": None}
    left = next((e.at for e in events if e.kind == State.PUBLISHED), None)
    return {
        "agency": found.requester.model_dump(include={"id", "name", "address"}),
        "holder": found.holder.model_dump(include={"id", "name", "address"}),
        "agreement": {"id": found.id, "title": found.title},
        "disclosed_on": legal_date(left, found.zone).isoformat() if left else None,
    }


def _figures(record: BatchRecord, events: list[EventRecord]) -> dict[str, Any]:
    """The counts; the newest accounting counts, and what was released is disclosed once the batch is published only."""
    accounted = _newest(events, ACCOUNTED)
    if accounted is None:
        if record.state is not State.UNREADABLE:
            state = f"the batch is {record.state}, and not accounted for yet"
            remedy = "A declaration is made of a batch that has ended."
            raise Usage("NOT_ACCOUNTED", state, where=record.name, remedy=remedy)
        unreadable = _newest(events, State.UNREADABLE)
        assert unreadable is not None
        reasons = [_code(name, None) for name in unreadable.facts.get("codes", [])]
        return {"figures": [_figure("asked", 0, unreadable)], "outcomes": [], "codes": reasons, "accounting": None}
    facts = accounted.facts
    return {
        "figures": list(_lines(record, events, accounted)),
        "outcomes": [{"outcome": name, "rows": rows} for name, rows in facts["outcomes"].items()],
        "codes": [_code(name, rows) for name, rows in facts["codes"].items()],
        "accounting": {
            **_source(accounted),
            **{k: facts[k] for k in ("merkle_root", "accounting", "evidence")},
            "package": record.package_digest if record.state is State.PUBLISHED else None,
        },
    }


def _lines(record: BatchRecord, events: list[EventRecord], accounted: EventRecord) -> Iterable[dict[str, Any]]:
    asked, outcomes = accounted.facts["rows"], accounted.facts["outcomes"]
    prepared, published = _newest(events, State.PREPARED), _newest(events, State.PUBLISHED)
    disclosed = outcomes.get("released", 0) if published else 0
    if sum(outcomes.values()) != asked or (published and (prepared is None or prepared.facts["rows"] != disclosed)):
        remedy = "Run sluicegate ledger verify."
        raise Fault("REPORT_DIFFERS", "the events of the batch do not add up", where=record.name, remedy=remedy)
    yield _figure("asked", asked, accounted)
    yield _figure("rejected (could not be read as a row)", outcomes.get("rejected", 0), accounted)
    if matching := next((e for e in reversed(events) if e.kind == State.MATCHED and "looked_up" in e.facts), None):
        yield _figure("looked up in the register", matching.facts["looked_up"], matching)
        yield _figure("matched", matching.facts["matched"], matching)
    yield _figure("disclosed", disclosed, published or accounted)
    yield _figure("withheld", asked - disclosed, accounted)


def _checkpoints(events: list[EventRecord]) -> Iterable[dict[str, Any]]:
    """Each time that a checkpoint passed, held or refused the batch, oldest first."""
    for event in events:
        if event.kind in _BY_STATE_PASSED and "evaluated" in event.facts:
            yield _verdict(_BY_STATE_PASSED[event.kind], "passed", event)
        elif event.kind == State.HELD:
            yield _verdict(Checkpoint(event.facts["checkpoint"]), "held", event)
        elif event.kind == State.REFUSED and (which := _BY_STATE_BEFORE.get(event.facts.get("start", ""))):
            yield _verdict(which, "refused", event)


def _verdict(which: Checkpoint, verdict: str, event: EventRecord) -> dict[str, Any]:
    said = {"checkpoint": which.value, "verdict": verdict, "codes": event.facts.get("codes", [])}
    return said | {k: event.facts.get(k) for k in ("declared", "evaluated", "rows")} | _source(event)


def _instruments(ledger: Ledger, record: BatchRecord) -> Iterable[dict[str, Any]]:
    for name, digest in record.instruments.items():
        version = next((v for v in ledger.versions(name) if v.digest == digest), None)
        known = {"version": version.version, "kind": version.kind} if version else {"version": None, "kind": None}
        yield {"id": name, "digest": digest, **known}


def _code(name: str, rows: int | None) -> dict[str, Any]:
    known: Mapping[str, codes.Code] = codes.CODES
    return {"code": name, "rows": rows, "message": known[name].message, "source": known[name].source}


def _figure(what: str, rows: int, event: EventRecord) -> dict[str, Any]:
    return {"figure": what, "rows": rows, **_source(event)}


def _source(event: EventRecord) -> dict[str, Any]:
    """Where a number stands in the chain."""
    return {"event": event.seq, "hash": event.hash, "at": event.at.isoformat(timespec="seconds")}


def _newest(events: Iterable[EventRecord], kind: str) -> EventRecord | None:
    return max((e for e in events if e.kind == kind), key=lambda e: e.seq, default=None)
