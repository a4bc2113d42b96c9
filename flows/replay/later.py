"""What a past batch was decided on after its receipt, and by it decided again: the clauses of the publication decision,
asked of its evidence."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from expectations.base.clock import legal_date
from expectations.base.duck import parquet, session
from flows.batch import clauses, grounds
from flows.batch.grounds import Grounds
from flows.batch.law import CHANGED, LISTED, READ, TRIED, explained
from flows.batch.ruling import Kept, Reading, Rows, Ruling
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord, find
from flows.ledger.events.read import Read
from flows.ledger.lifecycles.states import State
from pipelines.context import BatchContext
from pipelines.lake.sql import copy
from pipelines.replay.decide import Decided

_LATE = frozenset({State.REFUSED, State.WITHDRAWN})


@dataclass(frozen=True)
class Later:
    """A decision after receipt, made again. `withheld`: Parquet (ordinal, outcome, codes); None: no row is withheld."""

    ruling: Ruling
    on: Grounds
    withheld: Path | None


def read_of(ledger: Ledger, record: BatchRecord) -> Read | None:
    """What the batch was last decided on. A ledger of an older version did not say: then of a batch that was refused or
    withdrawn, whatever was enrolled at that moment. None: nothing was read after its receipt."""
    found = grounds.last_read(ledger, record)
    if found or record.state not in _LATE:
        return found
    ended = next(e for e in reversed(ledger.events(record.name)) if e["kind"] == record.state.value)
    at = datetime.fromisoformat(ended["at"])
    known = grounds.at(ledger, at)
    on, under = grounds.of_bodies(record, [(name, v.digest, v.body) for name, v in known.items()])
    day = int(f"{legal_date(at, on.agreement.zone):%Y%m%d}")
    return Read(position=ended["seq"] - 1, day=day, under=tuple(sorted(under.items())))


def decided_later(
    ledger: Ledger, record: BatchRecord, read: Read, then: BatchContext, evidence: str, decided: Decided
) -> Later:
    """The batch of `then` (opened from its evidence) decided on what was `read`. `decided`: by what was recorded."""
    under = dict(read.under)
    on = grounds.of_digests(ledger, record, under)
    now = grounds.narrowed(then, record, on, under, datetime.strptime(str(read.day), "%Y%m%d").date())
    folder = then.root / "later"
    folder.mkdir(mode=0o700, exist_ok=True)
    with ledger.reading() as view, session(then.duck) as connection:
        listed, changed, tried = (Kept(None, path if path.exists() else None) for path in _beside(then))
        rows = None
        if decided.looked_up:
            rows = Rows(evidence, _ends(evidence, decided), folder, explained(ledger, record.name))
        asked = Reading(view, find(view, record.name), then, now, under, listed, changed, tried, rows)
        ruling = clauses.decided(asked)
        query, target = ruling.withheld(), folder / "withheld.parquet"
        if query:
            copy(connection, query, target)
    return Later(ruling, on, target if query else None)


def said(ctx: BatchContext) -> Mapping[str, Any]:
    """What the evidence says that may leave since; empty if nothing was read after receipt."""
    path = ctx.root / READ
    return dict(json.loads(path.read_bytes())) if path.exists() else {}


def _beside(ctx: BatchContext) -> tuple[Path, ...]:
    return tuple(ctx.root / name for name in (LISTED, CHANGED, TRIED))


def _ends(evidence: str, decided: Decided) -> str:
    """How each row ends by what was recorded at receipt."""
    known = f"(SELECT ordinal, verdict.record_id AS record_id FROM {evidence} WHERE verdict IS NOT NULL)"
    return f"""(
      SELECT ordinal, request_key, person_key, record_id, outcome, codes
      FROM {parquet([decided.rows])} LEFT JOIN {known} USING (ordinal))"""
