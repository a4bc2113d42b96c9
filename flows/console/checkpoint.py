"""The page of one checkpoint: the verdict in a sentence, what may be decided, each failed check, and which rows."""

from typing import Any, assert_never

from expectations.codes import CODES
from expectations.gx.verdict import Result
from flows.batch.figures import Measure
from flows.console import kept, spreads
from flows.console.kept import Kept
from flows.console.rows import PAGE, Rows
from flows.console.statements import DOES
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.decisions import KEYS_NEEDED, Decision
from flows.ledger.lifecycles.states import Checkpoint, State

_EARLIER = 12  # batches of the same requester, this one among them, over which a checkpoint is shown

_TENDS = {Checkpoint.INTAKE: "incomplete addresses", Checkpoint.MATCHING: "matched"}  # what is shown over batches


def checkpoint(home: Home, ledger: Ledger, record: BatchRecord, found: Kept, page: int = 1) -> dict[str, Any]:
    """What the template `checkpoint.html` names, with this page of its rows."""
    here = record.state is State.HELD and record.checkpoint is found.checkpoint
    count, rows = Rows(home, record.name, found.checkpoint).page(page) if found.failed else (0, [])
    spoken = {d.operator for d in ledger.decisions(record.name) if d.hold == record.hold} if here else set()
    return {
        "record": record,
        "found": found,
        "decisions": [_decision(d) for d in sorted(ledger.allowed_decisions(record.name))] if here else [],
        "spoken": len(spoken),
        "deciders": ledger.deciders(record.name) if here else {},
        "failed": [_check(one, found) for one in found.failed],
        "trend": _trend(ledger, home, record, found.checkpoint) if found.checkpoint in _TENDS else [],
        "tends": _TENDS.get(found.checkpoint, ""),
        "spreads": spreads.shown(found),
        "count": count,
        "rows": rows,
        "page": page,
        "pages": -(-count // PAGE),
        "first": (page - 1) * PAGE + 1,
    }


def _decision(one: Decision) -> dict[str, Any]:
    return {"decision": one, "does": DOES[one], "needed": KEYS_NEEDED[one]}


def _check(one: Result, found: Kept) -> dict[str, Any]:
    """A failed check for people: what it means, what share of what failed, and the limit where it has one."""
    figure, code = found.figure(one.check), CODES.get(one.code)
    of_rows = not figure  # a share is judged as one fact of the batch
    counted = one.failed / one.rows if one.failed is not None and one.rows else None
    return {
        "check": one,
        "failed": one.failed if of_rows else None,
        "rows": one.rows if of_rows else None,
        "means": code.message if code else one.code,
        "share": figure.share if figure else counted,
        "limit": figure.limit if figure else "none may fail",
    }


def _trend(ledger: Ledger, home: Home, record: BatchRecord, which: Checkpoint) -> list[dict[str, Any]]:
    """How the same checkpoint came out for this batch and for those of its requester before, the newest first."""
    return [
        {"record": before, "status": one.verdict.status, "share": _measured(ledger, one)}
        for before in ledger.newest_batches(_EARLIER, record)
        for one in kept.read(home, before.name)
        if one.checkpoint is which
    ]


def _measured(ledger: Ledger, found: Kept) -> float | None:
    """The one share that shows best how a checkpoint tends; None at those that judge each row by itself."""
    match found.checkpoint:
        case Checkpoint.INTAKE:
            shown = next((r for r in found.verdict.results if r.check == "quality.complete"), None)
            return shown.failed / shown.rows if shown and shown.failed is not None and shown.rows else None
        case Checkpoint.MATCHING:
            facts = [e["facts"] for e in ledger.events(found.batch) if "looked_up" in e["facts"]]
            passed = facts[-1]["matched"] / max(facts[-1]["looked_up"], 1) if facts else None
            figure = found.figure(Measure.MATCHED)
            return figure.share if figure else passed
        case Checkpoint.ELIGIBILITY | Checkpoint.DISCLOSURE:
            return None
        case _:
            assert_never(found.checkpoint)
