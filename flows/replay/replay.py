"""`sluicegate replay`: decides a past batch again from its evidence, and shows what would differ. The same command is
what-if for a planned order, agreement or rule. Nothing is written to ledger (but that somebody opened the evidence),
lake or outbox, and what is opened is deleted. Counts, ids and codes come out, never a value."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from expectations.base.clock import Clock
from expectations.base.duck import parquet, session
from expectations.base.errors import Usage
from flows.batch import grounds
from flows.batch.grounds import Grounds
from flows.batch.law import explained
from flows.batch.steps import BatchSteps
from flows.evidence.store import accounting_path, open_accounting
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.facts import View
from flows.ledger.lifecycles.states import FINAL, State
from flows.replay import later, opened
from flows.replay.later import Later
from pipelines.context import BatchContext
from pipelines.lake.sql import copy
from pipelines.lake.workplace import workplace
from pipelines.replay.decide import Decided, decide

# Whatever its rows were, the batch was ended by people, or by what was read again before publication.
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
        self,
        on: Grounds,
        day: date,
        corrected: Path | None = None,
        *,
        released: bool = False,
        since: bool = True,
    ) -> tuple[BatchContext, Decided]:
        """Decides it on these grounds on this day; `released`: only the rows that were released; `since`: what was
        found out about persons since the match counts."""
        ctx = replace(self.ctx, agreement=on.agreement, orders=on.orders, successors=on.successors, decided_on=day)
        of = self.evidence, self.accounting, self.ctx.root, corrected
        return ctx, decide(ctx, *of, released=released, since=since)


@contextmanager
def past(home: Home, ledger: Ledger, record: BatchRecord) -> Iterator[Past]:
    """Opens a batch that ended; the plaintext is deleted at the end. Raises Usage if nothing is stored of it."""
    batch = BatchSteps(home, ledger, record.name)
    if record.state not in FINAL or batch.folder.exists() or not accounting_path(home, record.name).exists():
        remedy = "See sluicegate status; of a batch in flight, see review show and explain."
        raise Usage("NOT_ENDED", "the batch has not ended, or no row was read", where=record.name, remedy=remedy)
    with opened.opened(home, batch) as (ctx, relation):
        accounting = ctx.root / "accounting.parquet"
        open_accounting(home, record.name, accounting)
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
    instruments  folder of TOML files that replace the enrolled instruments with their ids, or are added to them
    first, out   how many changed rows are listed; a file (CSV, Parquet) for all of them
    Raises Usage if there is no such batch, or nothing is stored of it.
    """
    with Ledger.open(home.ledger_url, clock) as ledger:
        record = ledger.known_batch(batch)
        as_recorded = as_of is None and instruments is None
        then, today = grounds.recorded(ledger, record), grounds.enrolled(ledger, record, instruments)
        now, read = then if as_recorded else today, later.read_of(ledger, record)
        with past(home, ledger, record) as opened:
            ledger.audit(batch, None, View.EVIDENCE, who)
            if not as_recorded:  # on another day the determinations made since count as well
                made = (*opened.ctx.determinations, *grounds.newest_determinations(ledger))
                opened = replace(opened, ctx=replace(opened.ctx, determinations=made))
            ctx, decided = opened.decide(now, as_of or record.decided_on, since=not (as_recorded and read))
            again = None
            if as_recorded and read:
                again = later.decided_later(ledger, record, read, opened.ctx, opened.evidence, decided)
            end = _end(ledger, record, ctx, decided, again)
            compared = decided.compared(end.refused, end.held, end.withheld)
            found = _compared(ctx, compared, batch, first)
            if out:
                _write(home, compared, batch, out)
            fields = later.said(opened.ctx).get("fields") if record.state is State.PUBLISHED else None
    # what was enrolled before publication may have stood in its way too; and in the version that did
    cited = {
        **today.cited,
        **then.cited,
        **(grounds.of_digests(ledger, record, dict(read.under)).cited if read else {}),
    }
    then = replace(then, cited=cited)
    # what a published batch was once held for is history
    codes = () if record.state is State.PUBLISHED else tuple(sorted(record.codes))
    ended = _End(record.state, codes, tuple(record.cites), fields=tuple(fields or opened.ctx.standing.fields))
    verdict = {
        "then": _verdict(opened.ctx, ended, then) | found.pop("then"),
        "now": _verdict(ctx, end, then if as_recorded else now) | found.pop("now"),
    }
    same = all(verdict["then"][k] == verdict["now"][k] for k in ("state", "codes", "fields"))
    return {"batch": batch, **verdict, **found, "differs": bool(found["changed"]) or not same}


@dataclass(frozen=True)
class _End:
    """How the batch as a whole ends. `refused`, `held`: codes that its rows then have; `cites`: ids of instruments;
    `withheld`: rows that end otherwise by what was read after receipt; `fields`: what may leave."""

    state: State
    codes: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    withheld: str | None = None
    fields: tuple[str, ...] | None = None


def _end(ledger: Ledger, record: BatchRecord, ctx: BatchContext, decided: Decided, again: Later | None) -> _End:
    """First by the rules; then by what people decided of a batch that would be held for them again; then, of a batch as
    it was recorded, by what was read after its receipt."""
    if decided.refuse:
        codes = tuple(sorted({*decided.refuse, *decided.hold}))
        state = record.state if record.state in _LATE else State.REFUSED
        return _End(state, codes, tuple(sorted(grounds.cited_for(codes, ctx))), refused=codes)
    held = decided.hold or tuple(c for c in decided.rate if c not in explained(ledger, record.name))
    if held:
        return _held(record, held, tuple(sorted(grounds.cited_for(held, ctx))))
    if again and again.ruling.refuses:
        codes, state = again.ruling.codes, record.state if record.state in _LATE else State.REFUSED
        return _End(state, codes, again.ruling.cites, refused=codes)
    if again and again.ruling.holds:
        return _held(record, again.ruling.codes, again.ruling.cites)
    if not decided.looked_up:
        return _End(State.INGESTED)
    if again is None:
        return _End(State.PUBLISHED)
    withheld = parquet([again.withheld]) if again.withheld else None
    return _End(State.PUBLISHED, withheld=withheld, fields=again.ruling.fields)


def _held(record: BatchRecord, held: tuple[str, ...], cites: tuple[str, ...]) -> _End:
    """A batch that would be held for these codes: it ended by what people decided, or it waits."""
    if record.state in _BY_PEOPLE:
        codes = tuple(sorted({*held, *record.codes}))
        return _End(record.state, codes, refused=codes)
    return _End(State.HELD, held, cites, held=held)


def _verdict(ctx: BatchContext, end: _End, on: Grounds) -> dict[str, Any]:
    """The verdict on the batch as a whole, on these grounds."""
    return {
        "decided_on": ctx.decided_on,
        "state": end.state,
        "codes": list(end.codes),
        "cites": on.cites(end.cites),
        "fields": list(ctx.standing.fields if end.fields is None else end.fields),
    }


_CHANGED = "(outcome_then <> outcome_now OR list_sort(codes_then) <> list_sort(codes_now))"


def _compared(ctx: BatchContext, compared: str, batch: str, first: int) -> dict[str, Any]:
    with session(ctx.duck) as connection:
        connection.execute(f"CREATE TEMP VIEW compared AS {compared}")

        def counts(what: str) -> dict[str, int]:
            query = f"SELECT k, count(*) FROM (SELECT {what} AS k FROM compared) GROUP BY k ORDER BY k"
            return dict(connection.execute(query).fetchall())

        columns = "outcome_then, outcome_now, codes_now, count(*)"
        grouped = f"SELECT {columns} FROM compared WHERE {_CHANGED} GROUP BY ALL ORDER BY ALL"
        moved = connection.execute(grouped).fetchall()
        rows = connection.execute(f"SELECT ordinal FROM compared WHERE {_CHANGED} ORDER BY 1 LIMIT {first}").fetchall()
        return {
            "then": {"outcomes": counts("outcome_then"), "row_codes": counts("unnest(codes_then)")},
            "now": {"outcomes": counts("outcome_now"), "row_codes": counts("unnest(codes_now)")},
            "changed": sum(n for *_, n in moved),
            "moved": [{"then": a, "now": b, "codes": c, "rows": n} for a, b, c, n in moved],
            "rows": [f"{batch}#{ordinal}" for (ordinal,) in rows],
        }


def _write(home: Home, compared: str, batch: str, out: Path) -> None:
    """Writes all rows that change, as CSV (codes with spaces between) or Parquet: outcomes and codes then and now."""
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
