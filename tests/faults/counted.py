"""Full counts may be stopped: each kill or cut that is done stands in `tests/bench/results`, and is not done again.

One JSON line each, with the commit that it was done on. A seeded share (no `TESTS_SOAK`) keeps nothing.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests import SEED, SOAK

RESULTS = Path(__file__).parents[1] / "bench" / "results"


class Counted:
    """What is done of one kind (`kills`, `cuts`) of one action."""

    def __init__(self, kind: str, action: str, results: Path | None = RESULTS if SOAK else None) -> None:
        self.action = action
        self.path = results / f"{kind}-{SEED}.jsonl" if results else None
        there = self.path.read_text().splitlines() if self.path and self.path.exists() else []
        self.lines: list[dict[str, Any]] = [line for line in map(json.loads, there) if line["action"] == action]
        self.commit = _commit() if self.path else ""

    def add(self, **found: Any) -> None:
        """One more is done, and ended as it must."""
        line = {"action": self.action, **found}
        self.lines.append(line)
        if self.path:
            with self.path.open("a") as stream:  # one short write: several processes may add
                stream.write(json.dumps({**line, "commit": self.commit}) + "\n")


def _commit() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=RESULTS, capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or "unknown"
