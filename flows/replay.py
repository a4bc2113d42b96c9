"""`sluicegate replay`: a past batch decided again from its evidence, and what would differ. The same command is what-if for a
planned order, agreement or rule.

A sandbox: nothing is written to ledger (but that somebody opened the evidence), lake or outbox, and what is opened is deleted.
Counts, ids and codes come out, never a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from expectations.clock import Clock, legal_date
from expectations.duck import parquet, session
from expectations.errors import Usage
from flows import evidence, grounds, publication
from flows.grounds import Grounds
from flows.home import HOLDER_AGE, Home
from flows.ledger import Ledger
from flows.ledger.batches import BatchRecord
from flows.ledger.decisions import Decision
from flows.ledger.facts import View
from flows.ledger.states import FINAL, State
from flows.work import Work
from pipelines import sealing
from pipelines.context import BatchContext
from pipelines.ingest import letter_facts
from pipelines.outfile import workplace
from pipelines.recall.decide import Decided, decide
from pipelines.sql import copy

# By people, or by what was read again before publication: the batch ended, whatever its rows were.
_BY_PEOPLE = frozenset({State.REJECTED, State.EXPIRED})
_LATE = frozenset({State.REFUSED, State.WITHDRAWN})


@dataclass(frozen=True)
class Past:
    """A batch that ended, opened: its context as it was, and relations of its evidence and accounting."""

    record: BatchRecord
    ctx: BatchContext
    evidence: str
    accounting: str

    def decide(
        self, on: Grounds, day: date, corrected: Path | None = None, *, released: bool = False
    ) -> tuple[BatchContext, Decided]:
        """Decides it on these grounds on this day; `released`: only of the rows that were released an end is asked."""
        ctx = replace(self.ctx, agreement=on.agreement, orders=on.orders, successors=on.successors, decided_on=day)
        return ctx, decide(ctx, self.evidence, self.accounting, self.ctx.root, corrected, released=released)


@contextmanager
def past(home: Home, ledger: Ledger, clock: Clock, record: BatchRecord) -> Iterator[Past]:
    """Opens a batch that ended; what is opened for that is deleted at the end. Raises Usage if nothing is kept of it."""
    work = Work(home, ledger, clock, record.name, lambda *_: None)
    sealed = home.root / "accounting" / f"{record.name}.parquet.age"
    if record.state not in FINAL or work.folder.exists() or not sealed.exists():
        raise Usage(
            "NOT_ENDED",
            "the batch has not ended, or no row of it was read",
            where=record.name,
            remedy="See sluicegate status; a batch in flight is looked at with review show and explain.",
        )
    with evidence.opened(home, work) as (ctx, relation):
        accounting = ctx.root / "accounting.parquet"
        sealing.open_file(sealed, accounting, sealing.load_identity(home.keys / HOLDER_AGE))
        yield Past(record, ctx, relation, parquet([accounting]))


def replay(
    home: Home,
    clock: Clock,
    batch: str,
    *,
    who: str,
    as_of: date | None = None,
    instruments: Path | None = None,
    first: int = 20,
    out: Path | None = None,
) -> dict[str, Any]:
    """What is decided of a past batch, then and now.

    as_of        the decision date, by the instruments enrolled now; left out (and no `instruments`): as it was recorded
    instruments  folder of TOML files in the place of the enrolled instruments with their ids, or beside them
    first, out   how many changed rows are named; a file (CSV, Parquet) for all of them
    Raises Usage if there is no such batch, or nothing is kept of it.
    """
    with Ledger.open(home.ledger_url, clock) as ledger:
        record = ledger.batch(batch)
        if record is None:
            raise Usage("UNKNOWN_BATCH", "the ledger knows no batch of this name", remedy="See sluicegate status.")
        as_recorded = as_of is None and instruments is None
        then, today = grounds.recorded(ledger, record), grounds.enrolled(ledger, record, instruments)
        # what was enrolled before publication may have stood in its way too
        then = replace(then, cited={**today.cited, **then.cited})
        now = then if as_recorded else today
        with past(home, ledger, clock, record) as opened:
            ledger.audit(batch, None, View.EVIDENCE, who)
            ctx, decided = opened.decide(now, as_of or record.decided_on)
            end = _end(ledger, record, ctx, decided, as_recorded=as_recorded)
            compared = decided.compared(end.refused, end.held)
            found = _compared(home, ctx, compared, batch, first)
            if out:
                _write(home, compared, batch, out)
    verdict = {
        "then": _said(record, then, opened.ctx) | found.pop("then"),
        "now": {
            "decided_on": ctx.decided_on,
            "state": end.state,
            "codes": list(end.codes),
            "cites": now.cites(sorted(end.cites)),
            "fields": list(ctx.standing.fields),
        }
        | found.pop("now"),
    }
    same = all(verdict["then"][k] == verdict["now"][k] for k in ("state", "codes", "fields"))
    return {"batch": batch, **verdict, **found, "differs": bool(found["changed"]) or not same}


@dataclass(frozen=True)
class _End:
    """How the batch as a whole ends. refused, held: codes that its rows then bear; cites: ids of instruments."""

    state: State
    codes: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


def _end(ledger: Ledger, record: BatchRecord, ctx: BatchContext, decided: Decided, *, as_recorded: bool) -> _End:
    """The rules first; then what people decided of a batch that they would have been asked about again; then, of a batch as it
    was recorded, what stood in the way just before publication."""
    if decided.refuse:
        codes = tuple(sorted({*decided.refuse, *decided.hold}))
        state = record.state if record.state in _LATE else State.REFUSED
        return _End(state, codes, tuple(grounds.against(codes, letter_facts(ctx), ctx.agreement.id)), refused=codes)
    held = decided.hold or tuple(c for c in decided.rate if c not in _confirmed(ledger, record))
    if held:
        if record.state in _BY_PEOPLE:
            codes = tuple(sorted({*held, *record.codes}))
            return _End(record.state, codes, refused=codes)
        return _End(State.HELD, held, tuple(grounds.against(held, letter_facts(ctx), ctx.agreement.id)), held=held)
    if as_recorded and record.state in _LATE:
        late = _late(ledger, record, ctx)
        codes = tuple(sorted(late))
        return _End(record.state, codes, tuple(i for ids in late.values() for i in ids), refused=codes)
    return _End(State.PUBLISHED if decided.looked_up else State.INGESTED)


def _confirmed(ledger: Ledger, record: BatchRecord) -> frozenset[str]:
    """The codes that two people explained."""
    granted = {d.hold for d in ledger.decisions(record.name) if d.decision is Decision.CONFIRM and d.granted}
    held = (e["facts"]["codes"] for e in ledger.events(record.name) if e["seq"] in granted)
    return frozenset(code for codes in held for code in codes)


def _late(ledger: Ledger, record: BatchRecord, ctx: BatchContext) -> Mapping[str, Sequence[str]]:
    """What stood against the batch when it was refused under the publication lock, by code: ids of instruments."""
    ended = next(e for e in reversed(ledger.events(record.name)) if e["kind"] == record.state.value)
    at = datetime.fromisoformat(ended["at"])
    bodies = [version.body for version in grounds.at(ledger, at).values()]
    day = legal_date(at, ctx.agreement.zone)
    check = publication.narrowed(ctx.agreement.id, ctx.letter.statute, ctx.letter.purpose, ctx.standing, lambda: day)
    return check(bodies)


def _said(record: BatchRecord, then: Grounds, ctx: BatchContext) -> dict[str, Any]:
    """What the ledger says of the batch as a whole."""
    codes = [] if record.state is State.PUBLISHED else sorted(record.codes)  # what it was once held for is history
    return {
        "decided_on": record.decided_on,
        "state": record.state,
        "codes": codes,
        "cites": then.cites(record.cites),
        "fields": list(ctx.standing.fields),
    }


_CHANGED = "(outcome_then <> outcome_now OR list_sort(codes_then) <> list_sort(codes_now))"


def _compared(home: Home, ctx: BatchContext, compared: str, batch: str, first: int) -> dict[str, Any]:
    with session(ctx.duck) as connection:
        connection.execute(f"CREATE TEMP VIEW compared AS {compared}")

        def counts(what: str) -> dict[str, int]:
            query = f"SELECT k, count(*) FROM (SELECT {what} AS k FROM compared) GROUP BY k ORDER BY k"
            return dict(connection.execute(query).fetchall())

        moved = connection.execute(
            f"SELECT outcome_then, outcome_now, codes_now, count(*) FROM compared WHERE {_CHANGED} GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        named = connection.execute(f"SELECT ordinal FROM compared WHERE {_CHANGED} ORDER BY 1 LIMIT {first}").fetchall()
        return {
            "then": {"outcomes": counts("outcome_then"), "row_codes": counts("unnest(codes_then)")},
            "now": {"outcomes": counts("outcome_now"), "row_codes": counts("unnest(codes_now)")},
            "changed": sum(n for *_, n in moved),
            "moved": [{"then": a, "now": b, "codes": c, "rows": n} for a, b, c, n in moved],
            "rows": [f"{batch}#{ordinal}" for (ordinal,) in named],
        }


def _write(home: Home, compared: str, batch: str, out: Path) -> None:
    """All rows that change, as CSV or Parquet: batch, ordinal, outcomes and codes then and now; a list in CSV has spaces."""
    listed = {n: n if out.suffix == ".parquet" else f"array_to_string({n}, ' ')" for n in ("codes_then", "codes_now")}
    columns = f"outcome_then, {listed['codes_then']} AS codes_then, outcome_now, {listed['codes_now']} AS codes_now"
    query = f"SELECT '{batch}' AS batch, ordinal, {columns} FROM ({compared}) WHERE {_CHANGED} ORDER BY ordinal"
    with workplace(out, home.root, "replay") as folder, session(home.duck) as connection:
        made = folder / out.name
        if out.suffix == ".parquet":
            copy(connection, query, made)
        else:
            connection.execute(f"COPY ({query}) TO '{made}' (FORMAT csv, HEADER)")
        made.replace(out)
