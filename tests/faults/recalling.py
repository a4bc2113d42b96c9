"""Steps of a recall, for a child that is killed at them: texts only."""

from __future__ import annotations

from pathlib import Path

from expectations.base import signatures
from expectations.base.clock import Clock
from flows.cases import Step
from flows.cases.advancing import advance, hand_in
from flows.cases.opening import Chosen, open_cases
from flows.cases.steps import HandedIn, by_key
from flows.home.tree import open_home
from flows.ledger.lifecycles.cases import CaseReason


def begin(home: str, batch: str, rows: str) -> None:
    open_cases(open_home(Path(home)), Clock(), Chosen(batch, Path(rows)), CaseReason.LOOKBACK, "operator-1")


def hand(home: str, case: str, name: str, file: str) -> None:
    which = Step(name)
    hand_in(open_home(Path(home)), Clock(), case, which, HandedIn.of(which, Path(file)))


def step(home: str, case: str, name: str, file: str, operator: str) -> None:
    opened = open_home(Path(home))
    sign, which = by_key(signatures.load(opened.keys / operator)), Step(name)
    advance(opened, Clock(), case, which, HandedIn.of(which, Path(file) if file else None), sign)
