"""The page of one checkpoint: the verdict in a sentence, what may be decided, each failed check, and which rows."""

from pathlib import Path
from typing import Any, assert_never

from expectations.base.duck import parquet, quote, session
from expectations.codes import CODES
from expectations.contracts.lists import Origin
from expectations.gx.verdict import Result
from flows.batch.figures import Measure
from flows.console import kept, spreads
from flows.console.kept import Kept
from flows.console.statements import DOES
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.decisions import KEYS_NEEDED, Decision
from flows.ledger.lifecycles.states import Checkpoint, State
from pipelines import lake

_SHOWN = 500  # rows on the page; the file has all
_EARLIER = 12  # batches of the same requester, this one among them, over which a checkpoint is shown

_TENDS = {Checkpoint.INTAKE: "incomplete addresses", Checkpoint.MATCHING: "matched"}  # what is shown over batches
# The step whose rows a checkpoint judges, and the dataset in it that says why a row goes no further.
_ROWS = {Checkpoint.INTAKE: ("ingest.rows", "rows"), Checkpoint.ELIGIBILITY: ("validate.verdicts", "verdicts")}


def checkpoint(home: Home, ledger: Ledger, record: BatchRecord, found: Kept) -> dict[str, Any]:
    """What the template `checkpoint.html` names."""
    here = record.state is State.HELD and record.checkpoint is found.checkpoint
    count, rows = Rows(home, record.name, found.checkpoint).first(_SHOWN) if found.failed else (0, [])
    spoken = {d.operator for d in ledger.decisions(record.name) if d.hold == record.hold} if here else set()
    return {
        "record": record,
        "found": found,
        "decisions": [_decision(d) for d in sorted(ledger.allowed_decisions(record.name))] if here else [],
        "spoken": len(spoken),
        "failed": [_check(one, found) for one in found.failed],
        "trend": _trend(ledger, home, record, found.checkpoint) if found.checkpoint in _TENDS else [],
        "tends": _TENDS.get(found.checkpoint, ""),
        "spreads": spreads.shown(found),
        "count": count,
        "rows": rows,
    }


class Rows:
    """The requests of a batch in flight that go no further at a checkpoint, by code, then number: code, number in the
    batch, file and row of it (a row that was looked up has only its number). None once the batch has ended."""

    def __init__(self, home: Home, batch: str, which: Checkpoint) -> None:
        step, dataset = _ROWS.get(which, ("", ""))
        stored = lake.read_manifest(home.lake / batch / step) if step else None
        self._home, self._paths = home, stored.paths(dataset) if stored else []
        self._place = "file, row" if which is Checkpoint.INTAKE else "NULL AS file, NULL AS row"

    def first(self, count: int) -> tuple[int, list[tuple[Any, ...]]]:
        """How many there are, a row once for each of its codes; and the first of them."""
        if not self._paths:
            return 0, []
        with session(self._home.duck) as connection:
            found = connection.execute(f"{self._query()} LIMIT {count}").fetchall()
            ((all_of_them,),) = connection.execute(f"SELECT count(*) FROM ({self._query()})").fetchall()
        return all_of_them, found

    def write(self, path: Path) -> None:
        """All of them, as CSV: numbers and codes only, so that no cell is ever a formula."""
        with session(self._home.duck) as connection:
            connection.execute(f"COPY ({self._query()}) TO {quote(str(path))} (FORMAT csv, HEADER)")

    def _query(self) -> str:
        return f"""
            SELECT code, ordinal AS number, {self._place} FROM (
              SELECT unnest(codes) AS code, * FROM {parquet(self._paths)} WHERE origin = '{Origin.REQUEST}')
            ORDER BY code, number"""


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
