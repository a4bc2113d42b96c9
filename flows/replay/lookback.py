"""Lookback: every published disclosure is decided again, from its evidence, under today's rules, instruments and
register.

A batch is decided on its own decision date: that its agreement ended since makes no past release wrong, but an order
that was in effect then and was enrolled later does, and so does an order to recall, from the day on which it is in
force. The result: what would not be released today, by which code, and who is affected, as a list sealed to the holder,
from which a recall starts.
"""

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from expectations.base.clock import Clock
from expectations.base.digests import of_file
from expectations.base.duck import parquet, session
from expectations.base.errors import DONE, HELD, SluicegateError
from expectations.instruments import CourtOrder, standing
from expectations.instruments.standing import ended
from flows.batch import grounds
from flows.batch.grounds import Grounds
from flows.evidence.store import plaintext_folder, seal_to_holder
from flows.home import keys
from flows.home.registers import all_versions, current_register
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.decisions import Decision, allowed
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.replay import later
from flows.replay.replay import Past, past
from pipelines import register
from pipelines.context import BatchContext
from pipelines.lake import Progress, durable
from pipelines.lake.sql import copy
from pipelines.replay import corrections
from pipelines.replay.decide import Decided

SHREDDED = "EVIDENCE_SHREDDED"  # retention ended: nothing is left to decide, and nothing is wrong


@dataclass(frozen=True)
class Lookback:
    """What a lookback found.

    summary   counts, ids and codes, as JSON can hold them
    affected  Parquet (batch, ordinal, request_key, person_key, codes), sealed to the holder, of what would not be
              released today; None: nothing
    """

    summary: dict[str, Any]
    affected: Path | None

    @property
    def exit_code(self) -> int:
        """0 if all would be released again; 3 if not, or if a batch could not be decided."""
        missing = [one for one in self.summary["not_decided"] if one["code"] != SHREDDED]
        return HELD if self.affected or missing else DONE

    @property
    def headline(self) -> str:
        """The result in one line."""
        affected, released, missing = (self.summary[k] for k in ("affected", "released", "not_decided"))
        return f"{affected} of {released} disclosures would not be made today; {len(missing)} batches not decided"


def lookback(home: Home, clock: Clock, *, as_of: date | None = None, progress: Progress = lambda *_: None) -> Lookback:
    """Decides all published batches again, one after the other; stores the result under lookback/ in the home. `as_of`:
    as of the end of that day (in each agreement's zone): batches decided by then, versions enrolled by then,
    corrections in effect. A batch that cannot be decided is listed with its code, and the others go on."""
    folder = home.root / "lookback"
    folder.mkdir(exist_ok=True, mode=0o700)
    found: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    with Ledger.open(home.ledger_url, clock) as ledger, plaintext_folder(home) as place:
        name = f"{ledger.clock.now():%Y%m%dT%H%M%S%fZ}"
        batches = [b for b in ledger.batches(State.PUBLISHED) if as_of is None or b.decided_on <= as_of]
        for number, record in enumerate(batches):
            progress("lookback", number, len(batches))
            try:
                with past(home, ledger, record) as opened:
                    found.append(_batch(home, ledger, opened, as_of, place / f"{number:06d}.parquet"))
            except SluicegateError as error:
                failed.append({"batch": record.name, "code": error.code})
        progress("lookback", len(batches), len(batches))
        summary: dict[str, Any] = {
            "at": ledger.clock.now().isoformat(timespec="seconds"),
            "as_of": as_of,
            "batches": len(found),
            "released": sum(one["released"] for one in found),
            "affected": sum(one["affected"] for one in found),
            "persons": 0,
            "codes": dict(sorted(sum((Counter(one["codes"]) for one in found), Counter()).items())),
            "found": [one for one in found if one["affected"] or one["batch_codes"]],
            "not_decided": failed,
        }
        affected = folder / f"{name}.parquet.age" if summary["affected"] else None
        if affected:
            whole, lists = place / "affected", parquet(sorted(place.glob("*.parquet")))
            with session(home.duck) as connection:
                home.hash_key.install(connection)
                then = {one["batch"]: keys.hashed_with(home, ledger, one["batch"]) for one in found if one["affected"]}
                person = home.hash_key.sql_carried_each("person_key", "batch", then)
                counted = connection.execute(f"SELECT count(DISTINCT {person}) FROM {lists}").fetchall()
                copy(connection, f"FROM {lists} ORDER BY batch, ordinal", whole)
            summary["persons"] = counted[0][0]
            seal_to_holder(home, whole, affected)
    if affected:
        summary |= {"list": affected.name, "list_digest": of_file(affected)}
    durable.write(folder / f"{name}.json", json.dumps(summary, indent=1, default=str).encode())
    return Lookback(summary, affected)


def _batch(home: Home, ledger: Ledger, opened: Past, as_of: date | None, target: Path) -> dict[str, Any]:
    """One batch: writes its affected rows to `target`, gives its line of the summary."""
    zone = opened.ctx.agreement.zone
    today = as_of or ledger.clock.today(zone)
    midnight = datetime.combine(as_of + timedelta(days=1), time(), ZoneInfo(zone)) if as_of else None
    on = _recalling(grounds.enrolled(ledger, opened.record, until=midnight), opened.ctx, today)
    corrected = opened.ctx.root / "corrected.parquet"
    persons = _corrections(home, opened, on, corrected, today)
    ctx, decided = opened.decide(on, opened.record.decided_on, corrected if persons else None, released=True)
    codes, refused, held = _stops(opened.ctx, ctx, decided)
    with session(ctx.duck) as connection:
        compared = decided.compared(refused, held)
        lost = f"""
            SELECT '{opened.record.name}' AS batch, ordinal, request_key, person_key, codes_now AS codes
            FROM ({compared}) WHERE outcome_then = 'released' AND outcome_now <> 'released' ORDER BY ordinal"""
        copy(connection, lost, target)
        rows = parquet([target])
        by_code = f"SELECT code, count(*) FROM (SELECT unnest(codes) AS code FROM {rows}) GROUP BY 1 ORDER BY 1"
        codes_of_rows = dict(connection.execute(by_code).fetchall())
        counts = f"SELECT count(*) FILTER (outcome_then = 'released'), (SELECT count(*) FROM {rows}) FROM ({compared})"
        released, affected = connection.execute(counts).fetchall()[0]
    return {
        "batch": opened.record.name,
        "decided_on": opened.record.decided_on,
        "released": released,
        "affected": affected,
        "codes": codes_of_rows,
        "batch_codes": list(codes),
        "corrected_persons": persons,
        "cites": on.cites(grounds.cited_for(codes, ctx)),
    }


def _recalling(on: Grounds, ctx: BatchContext, today: date) -> Grounds:
    """An order to recall that is in force today applies to decisions of any earlier day."""
    over = ended(on.orders, today)

    def back(order: CourtOrder) -> CourtOrder:
        recalls = order.does.reaches_back and order.in_force(today) and order.id not in over
        early = min(order.effective_on, ctx.decided_on)
        return order.model_copy(update={"effective_on": early}) if recalls else order

    return replace(on, orders=tuple(back(order) for order in on.orders))


def _stops(then: BatchContext, now: BatchContext, decided: Decided) -> tuple[tuple[str, ...], ...]:
    """Codes of the batch as a whole; those for which it is refused; those for which it is held and nobody may let it go
    on. A share or a rate that people may explain makes no single disclosure wrong."""
    refused = tuple(sorted({*decided.refuse, *decided.hold})) if decided.refuse else ()
    held = tuple(c for c in decided.hold if allowed(Checkpoint.INTAKE, [c]) <= {Decision.REJECT})
    fields = standing(then.agreement, now.orders, now.letter.statute, now.letter.purpose, now.decided_on).fields
    left = later.said(then).get("fields") or then.standing.fields
    if not refused and set(left) - set(fields):
        refused = ("COURT_ORDER",)  # a field left that an order forbids
    return tuple(sorted({*refused, *decided.hold, *decided.rate})), refused, held


def _corrections(home: Home, opened: Past, on: Grounds, target: Path, today: date) -> int:
    versions = all_versions(home)
    changed = corrections.changes(versions)
    if not changed:
        return 0
    known = corrections.changes([v for v in versions if register.version(v) == opened.record.register])
    ctx, now = replace(opened.ctx, agreement=on.agreement), current_register(home)
    return corrections.write(ctx, opened.evidence, target, changed=changed, known=known, now=now, until=today)
