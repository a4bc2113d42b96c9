"""The ledger takes an entry, and is gone before it can say so: the step is not done twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expectations.base.clock import Clock
from expectations.base.errors import Transient
from flows import audit
from flows.cli import main
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from tests.factories import installations


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_entry_whose_answer_was_lost_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each state once: a checkpoint that ran again would store its result anew, which then is not the one that the
    event names."""
    made, lost = installations.make(tmp_path / "home"), set()
    advance = Ledger.advance

    def answer_is_lost(self: Ledger, batch: str, to: State, **given: Any) -> Any:
        found = advance(self, batch, to, **given)
        if to not in lost:
            lost.add(to)
            raise Transient("LEDGER_BUSY", "the ledger's database is out of reach", remedy="Try again.")
        return found

    monkeypatch.setattr(Ledger, "advance", answer_is_lost)
    rows = [installations.request(n) for n in range(1, 36)]
    stranger, _, _ = installations.SPOILED["unknown person"]
    folder = made.submit(made.home.inbox / "one", [*rows, installations.request(70, request_id="S", **stranger)])
    with installations.at_home(made.home):
        assert main.run(["run", str(folder), "--json"]) == 0
        with Ledger.open(made.home.ledger_url, Clock()) as ledger:
            (batch,) = ledger.batches()
            kinds = [event["kind"] for event in ledger.events(batch.name)]
            assert batch.state is State.PUBLISHED and len(set(kinds)) == len(kinds)
            assert audit.verify(made.home, ledger).problems == ()
    assert {State.INGESTED, State.MATCHED, State.VALIDATED, State.SEALED} <= lost
