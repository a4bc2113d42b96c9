"""What is stored of a batch for people: checkpoint results and rows by outcome. Counts, rule ids and codes only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from expectations.contracts.lists import Outcome
from flows.home.tree import Home
from pipelines.lake import durable

OUTCOMES = "outcomes"  # rows by outcome, once the rows of the batch have ended


def store_result(home: Home, batch: str, name: str, result: Mapping[str, Any]) -> None:
    """Stores a result of a batch as NAME.json."""
    folder = home.verdicts / batch
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    durable.write(folder / f"{name}.json", json.dumps(result, indent=1, default=str).encode())


def outcome_counts(home: Home, batch: str) -> dict[str, int]:
    """Rows by outcome, in the order of the outcomes; empty before the rows of the batch have ended."""
    path = home.verdicts / batch / f"{OUTCOMES}.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    return {o.value: found[o.value] for o in Outcome if o.value in found}
