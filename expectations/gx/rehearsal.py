"""Great Expectations used once on nothing, in a process that waits for its work: what it, SQLAlchemy and the dialect
make at their first use, the first checkpoint of a batch need not make."""

from expectations.gx.checkpoint import run
from expectations.gx.checks import Suite, condition


def rehearse() -> None:
    """Runs a checkpoint on a table of one row; raises nothing about it."""
    check = condition(("rehearsal.one", "one", "COUNTS_DIFFER"), ["number"], "number = 1", {"number": 2})
    run(Suite("rehearsal", "one", (check,)), {"one": "(SELECT 1 AS number)"}, rows=1)
