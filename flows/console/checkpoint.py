"""The page of one checkpoint: the verdict in a sentence, what may be decided, each failed check, and which rows."""

from typing import Any

from expectations.codes import CODES
from expectations.gx.verdict import Result
from flows.console import spreads, trends
from flows.console.kept import Kept
from flows.console.rows import PAGE, Rows
from flows.console.statements import DOES
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.decisions import KEYS_NEEDED, Decision
from flows.ledger.lifecycles.states import State


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
        "trend": trends.over(home, ledger, record, found),
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
