"""A whole run whose ledger is on a real PostgreSQL server, by the role of batches."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.base.clock import Clock
from flows.batch.advance import advance
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.ledger import Ledger
from flows.ledger.database.rights import Service
from flows.ledger.lifecycles.states import State
from tests.factories import installations, postgres


@pytest.mark.slow
@pytest.mark.outside
def test_a_batch_goes_from_inbox_to_outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here (apt-get install postgresql)")
    with postgres.server(programs) as server:
        url = postgres.as_service(postgres.ledger_on(server), Service.BATCHES)
        monkeypatch.setenv("SLUICEGATE_LEDGER", url)
        installation = installations.make(tmp_path / "home")
        submission = installation.submit(tmp_path / "s", installations.mixed())
        with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
            assert ledger.verify() == []
            for _ in range(2):  # the second time, the same batch: nothing is released twice
                name = receive(installation.home, ledger, Clock(), submission)
                assert advance(BatchSteps(installation.home, ledger, name)) is State.PUBLISHED
                released = list(ledger.disclosed(installation.agreement.requester.id, installation.agreement.id))
                assert len(released) == len(set(released)) > 0
            assert ledger.verify() == []
        assert not (installation.home.root / "ledger.db").exists()
