"""Shreds a batch, for a child that is killed at it: home, batch and day as texts."""

from __future__ import annotations

from pathlib import Path

from flows.evidence.shred import shred as destroy
from flows.home.tree import open_home
from flows.ledger import Ledger
from tests.factories.runs import at


def shred(home: str, batch: str, day: str) -> None:
    opened = open_home(Path(home))
    with Ledger.open(opened.ledger_url, at(day)) as ledger:
        if destroy(opened, ledger, batch):
            raise SystemExit(4)
