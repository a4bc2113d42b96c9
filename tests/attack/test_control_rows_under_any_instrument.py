"""Control rows come to the same ends whatever the agreement demands, the orders narrow and the lists hold: they show
that the stages work, not what an instrument says."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.facts import persons
from expectations.instruments import Agreement, CourtOrder
from flows.batch import checkpoints
from flows.ledger.lifecycles.states import Checkpoint
from pipelines import ingest, lake, match, register, sealing, validate
from pipelines.context import BatchContext
from pipelines.control_rows.workshop import PLACES
from tests.factories import contexts, matched, submissions
from tests.factories.match_inputs import raw_register, record

DISTRICTS = ["S.D. Tex.", "N.D. Tex.", "D. Ariz.", "N.D. Ill.", "D. Colo.", "N.D. Ga.", "W.D. Wash.", "S.D. Fla."]
FACILITIES = 'phrase,address\nHouston,\nAve,\n,"700 Refuge Ave, Denver, CO 80202"\n'


def order(name: str, **said: Any) -> CourtOrder:
    whose = {"court": "c", "docket": "d", "title": "t", "source": "s", "effective_on": date(2026, 1, 1)}
    return CourtOrder.model_validate({"kind": "court_order", "id": name, **whose, **said})


ORDERS = (
    order("o1", effect="restrict", only={"persons": "plaintiffs", "fields": ["zip"]}),
    order("o2", effect="forbid", scope={"districts": DISTRICTS}),
)


def narrow(agreement: Agreement) -> Agreement:
    """The least that an agreement takes, and premises in each place where control persons live."""
    bounds = {"persons_per_address": 1, "tries_per_person": 1, "days_after_final_order": 3000}
    premises = tuple(f"{n} Oak St, {city}, {state} {zip}" for n, (city, state, zip) in enumerate(PLACES, 1))
    changes = {
        "tiers": ("D",),
        "addresses_that_corroborate": "current",
        "may_be_left_out": ("state", "city"),
        "thresholds": agreement.thresholds.model_copy(update=bounds),
        "requester": agreement.requester.model_copy(update={"premises": premises}),
    }
    return agreement.model_copy(update=changes)


def ran(
    folder: Path, agreement: Agreement, orders: tuple[CourtOrder, ...] = (), *, lists: bool = False
) -> BatchContext:
    """The batch up to its verdicts. `lists`: the operator's facilities, and everybody on file protected."""
    inbox = submissions.write(folder / "inbox", [submissions.row(n) for n in (1, 2)], agreement=agreement)
    ctx = contexts.taken(folder / "batch", inbox, agreement, orders=orders)
    register.build(raw_register(folder / "raw", [record(n, "Maria", "Lopez") for n in range(1, 40)]), ctx.register)
    if lists:
        (ctx.root / "facilities.csv").write_text(FACILITIES)
        protected = {"record_id": list(range(1, 40)), "list": ["protected"] * 39}
        pq.write_table(pa.table(protected), ctx.root / persons.KEPT)
    for stage in (ingest, match, validate):
        stage.run(ctx)
    return ctx


def ends(ctx: BatchContext) -> dict[int, list[Any]]:
    """What each control row came to, stage by stage."""
    stages = (("ingest.rows", "rows"), ("match.candidates", "candidates"), ("validate.verdicts", "verdicts"))
    found: dict[int, list[Any]] = {}
    for step, dataset in stages:
        for row in matched.rows_of(lake.committed(ctx.step(step)), dataset):
            if row["ordinal"] < 0:
                found.setdefault(row["ordinal"], []).append((dataset, row["outcome"]))
    return found


@pytest.mark.slow
def test_neither_agreement_nor_orders_nor_lists_change_what_they_come_to(tmp_path: Path, sandbox: Agreement) -> None:
    plain = ran(tmp_path / "plain", sandbox)
    narrowed = ran(tmp_path / "narrow", narrow(sandbox), ORDERS, lists=True)
    assert ends(narrowed) == ends(plain)
    for which in (Checkpoint.MATCHING, Checkpoint.ELIGIBILITY):
        verdict = checkpoints.run(which, narrowed, None, sealing.new_identity(), ())
        assert "DECOY_WRONG" not in verdict.codes and all(r.ok is not None for r in verdict.results)
