"""Great Expectations used once on nothing, in a process that waits for its work: what it makes at its first use takes
0.1 s, and a batch half a second of processor time less."""

from expectations.gx.checkpoint import run
from expectations.gx.checks import Suite, condition


def rehearse() -> None:
    """Runs a checkpoint on a table of one row."""
    check = condition(("rehearsal.one", "one", "COUNTS_DIFFER"), ["number"], "number = 1", {"number": 2})
    run(Suite("rehearsal", "one", (check,)), {"one": "(SELECT 1 AS number)"}, rows=1)
