"""The declaration of a batch: how many were asked for, matched, disclosed and withheld, and why; each number with its event.

It is the holder's own paper: it counts by codes that the requester is never told (invariant 9).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from expectations import codes
from expectations.clock import Clock, legal_date
from expectations.errors import Fault, Usage
from expectations.instruments import Agreement, parse_instrument
from flows.home import Home
from flows.ledger import Ledger
from flows.ledger.accounts import ACCOUNTED
from flows.ledger.core import BatchRecord
from flows.ledger.figures import EventRecord
from flows.ledger.states import RUNS_IN, STAGES, Checkpoint, State

_PASSED = {STAGES[STAGES.index(start) + 1].value: which for which, start in RUNS_IN.items()}


def declaration(home: Home, clock: Clock, batch: str) -> dict[str, Any]:
    """What the ledger says of a batch; raises Usage if nobody knows it or it is not accounted for yet, Fault if it contradicts
    itself."""
    with Ledger.open(home.ledger_url, clock) as ledger:
        record = ledger.batch(batch)
        if record is None:
            raise Usage("UNKNOWN_BATCH", "the ledger knows no batch of this name", remedy="See sluicegate status.")
        told = ledger.events_of(batch)
        instruments = list(_instruments(ledger, record))
        return {
            "report": "declaration",
            "made_at": clock.now().isoformat(timespec="seconds"),
            "batch": batch,
            "state": record.state.value,
            "submission": record.submission,
            "received_at": record.received_at.isoformat(timespec="seconds"),
            "decided_on": record.decided_on.isoformat(),
            **_parties(ledger, record, told),
            **_figures(record, told),
            "checkpoints": list(_checkpoints(told)),
            "decisions": [_decision(e) for e in told if e.kind == "decision"],
            "instruments": instruments,
            "register": record.register,
            "chain": vars(ledger.head()),
        }


def _parties(ledger: Ledger, record: BatchRecord, told: Iterable[EventRecord]) -> dict[str, Any]:
    """Who asked, who answered, and when the rows left by the agreement's calendar."""
    body = ledger.instrument(record.instruments.get(record.agreement, ""))
    if body is None:  # an unreadable submission
        return {"agency": None, "holder": None, "agreement": None, "disclosed_on": None}
    found = parse_instrument(body, record.agreement)
    assert isinstance(found, Agreement), "a batch is recorded with its agreement"
    left = next((e.at for e in told if e.kind == State.PUBLISHED), None)
    return {
        "agency": found.requester.model_dump(include={"id", "name", "address"}),
        "holder": found.holder.model_dump(include={"id", "name", "address"}),
        "agreement": {"id": found.id, "title": found.title},
        "disclosed_on": legal_date(left, found.zone).isoformat() if left else None,
    }


def _figures(record: BatchRecord, told: list[EventRecord]) -> dict[str, Any]:
    """The counts; the newest accounting counts, and what was released is disclosed once the batch is published only."""
    accounted = _newest(told, ACCOUNTED)
    if accounted is None:
        if record.state is not State.UNREADABLE:
            raise Usage("NOT_ACCOUNTED", f"the batch is {record.state}, and not accounted for yet", where=record.name,
                        remedy="A declaration is made of a batch that has ended.")  # fmt: skip
        unreadable = _newest(told, State.UNREADABLE)
        assert unreadable is not None
        named = [_code(name, None) for name in unreadable.facts.get("codes", [])]
        return {"figures": [_figure("asked", 0, unreadable)], "outcomes": [], "codes": named, "accounting": None}
    said = accounted.facts
    return {
        "figures": list(_lines(record, told, accounted)),
        "outcomes": [{"outcome": name, "rows": rows} for name, rows in said["outcomes"].items()],
        "codes": [_code(name, rows) for name, rows in said["codes"].items()],
        "accounting": {
            **_source(accounted), **{k: said[k] for k in ("merkle_root", "accounting", "evidence")},
            "package": record.package_digest if record.state is State.PUBLISHED else None,
        },
    }  # fmt: skip


def _lines(record: BatchRecord, told: list[EventRecord], accounted: EventRecord) -> Iterable[dict[str, Any]]:
    asked, outcomes = accounted.facts["rows"], accounted.facts["outcomes"]
    prepared, published = _newest(told, State.PREPARED), _newest(told, State.PUBLISHED)
    disclosed = outcomes.get("released", 0) if published else 0
    if sum(outcomes.values()) != asked or (published and (prepared is None or prepared.facts["rows"] != disclosed)):
        raise Fault("REPORT_DIFFERS", "the events of the batch do not add up", where=record.name,
                    remedy="Run sluicegate ledger verify.")  # fmt: skip
    yield _figure("asked", asked, accounted)
    yield _figure("rejected (could not be read as a row)", outcomes.get("rejected", 0), accounted)
    matching = next((e for e in reversed(told) if e.kind == State.MATCHED and "looked_up" in e.facts), None)
    if matching:
        yield _figure("looked up in the register", matching.facts["looked_up"], matching)
        yield _figure("matched", matching.facts["matched"], matching)
    yield _figure("disclosed", disclosed, published or accounted)
    yield _figure("withheld", asked - disclosed, accounted)


def _checkpoints(told: list[EventRecord]) -> Iterable[dict[str, Any]]:
    """Each time that a checkpoint passed, held or refused the batch, oldest first."""
    for event in told:
        said = event.facts
        if event.kind in _PASSED and "evaluated" in said:
            yield _verdict(_PASSED[event.kind], "passed", event)
        elif event.kind == State.HELD:
            yield _verdict(Checkpoint(said["checkpoint"]), "held", event)
        elif event.kind == State.REFUSED and said.get("start") in {s.value for s in RUNS_IN.values()}:
            yield _verdict(next(c for c, s in RUNS_IN.items() if s.value == said["start"]), "refused", event)


def _verdict(which: Checkpoint, verdict: str, event: EventRecord) -> dict[str, Any]:
    counts = {k: event.facts.get(k) for k in ("declared", "evaluated", "rows")}
    return {
        "checkpoint": which.value,
        "verdict": verdict,
        "codes": event.facts.get("codes", []),
        **counts,
        **_source(event),
    }


def _decision(event: EventRecord) -> dict[str, Any]:
    return {**{k: event.facts[k] for k in ("decision", "reason", "by")}, **_source(event)}


def _instruments(ledger: Ledger, record: BatchRecord) -> Iterable[dict[str, Any]]:
    for name, digest in record.instruments.items():
        version = next((v for v in ledger.versions(name) if v.digest == digest), None)
        yield {"id": name, "digest": digest, "version": version.version if version else None,
               "kind": version.kind if version else None}  # fmt: skip


def _code(name: str, rows: int | None) -> dict[str, Any]:
    known: Mapping[str, codes.Code] = codes.CODES
    return {"code": name, "rows": rows, "message": known[name].message, "source": known[name].source}


def _figure(what: str, rows: int, event: EventRecord) -> dict[str, Any]:
    return {"figure": what, "rows": rows, **_source(event)}


def _source(event: EventRecord) -> dict[str, Any]:
    """Where a number stands in the chain."""
    return {"event": event.seq, "hash": event.hash, "at": event.at.isoformat(timespec="seconds")}


def _newest(told: Iterable[EventRecord], kind: str) -> EventRecord | None:
    return max((e for e in told if e.kind == kind), key=lambda e: e.seq, default=None)
