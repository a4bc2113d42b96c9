"""What the checkpoints derive again of a small batch is derived once, and by each run for itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expectations.base.clock import Clock
from expectations.suites import eligibility, intake
from flows.batch import checkpoints
from flows.batch.advance import advance
from flows.batch.plan import Step
from flows.batch.receive import receive
from flows.ledger.lifecycles.states import State
from tests.factories import installations, runs
from tests.factories.installations import Installation


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """The checkpoints that ran, in their order, and whether the rows were given to each."""
    found: list[tuple[str, bool]] = []
    for suite in (intake, eligibility):

        def check(inputs: Any, duck: Any, name: str = suite.NAME, real: Any = suite.check) -> Any:
            found.append((name, inputs.ahead is not None))
            return real(inputs, duck)

        monkeypatch.setattr(suite, "check", check)
    return found


def test_both_checkpoints_are_given_the_rows(
    installation: Installation, tmp_path: Path, seen: list[tuple[str, bool]]
) -> None:
    runs.released(installation, tmp_path, 1, 8)
    assert seen == [("intake", True), ("eligibility", True)]


def test_a_run_that_goes_on_derives_them_itself(
    installation: Installation, tmp_path: Path, seen: list[tuple[str, bool]]
) -> None:
    lost = [installations.request(80 + n, street=f"{n} Elsewhere Rd", **runs.NOBODY) for n in (1, 2)]
    folder = installation.submit(tmp_path, [*(installations.request(n) for n in range(11, 19)), *lost])
    with runs.ledger_of(installation.home) as ledger:
        name = receive(installation.home, ledger, Clock(), folder)
        first = runs.work(installation.home, ledger, name)
        for step in (Step.INGEST, Step.INTAKE):
            first.do(step)
        assert advance(runs.work(installation.home, ledger, name)) is State.PUBLISHED
    assert seen == [("intake", True), ("eligibility", False)]


def test_many_rows_are_not_kept_in_memory(
    installation: Installation, tmp_path: Path, seen: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "FEW", 9)
    runs.released(installation, tmp_path, 21, 28)
    assert seen == [("intake", False), ("eligibility", False)]
