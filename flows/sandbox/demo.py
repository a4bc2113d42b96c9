"""`make demo`: the incident, and what Sluicegate does about it, on made-up data, in one process, in about a minute. The
only code that reads the truth: to say what the old check would have let out, and that nothing of it left here."""

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.duck import parquet, session
from expectations.base.errors import DONE, Fault
from flows.evidence import keys
from flows.home.tree import Home
from flows.ledger.core import BatchRecord
from flows.operations.printing import print_table
from flows.operations.progress import Reporter
from flows.schedule import server

_INCOMPLETE = 0.22  # above the sandbox agreement's tolerance of 10 %


def demo(root: Path, rows: int, clock: Clock) -> int:
    """Runs the demo in a home of its own at `root`, made anew; returns the exit code."""
    begun = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - begun:5.1f} s] {text}", flush=True)

    if root.exists() and any(root.iterdir()) and not (root / "made").is_dir():  # it deletes an earlier demo only
        remedy = "Choose another with --home."
        raise Fault("NOT_A_DEMO", "the folder holds something else", where=root.name, remedy=remedy)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True, mode=0o700)
    os.environ["SLUICEGATE_HOME"] = str(root)
    from flows.sandbox.home import OPERATORS, init, make_batch

    raw = root / "register" / "raw"
    home = init(root, sandbox=True, settings={"register_folder": str(raw)})
    wait = server.warm_up(home)
    from flows.batch.decisions import sign
    from flows.ledger.decisions import Decision
    from pipelines import simulate

    simulate.register(rows, 1, raw, duck=home.duck)
    tell(f"a register of {rows:,} invented persons, and a sandbox home with keys for a requester and two operators")
    today = clock.today("America/New_York")
    requests = max(2_000, rows // 10)
    ordered = make_batch(home, raw, 2_000, 2, "incident", root / "made" / "ordered", today, "irs-ice-2025", None)
    messy = make_batch(home, raw, requests, 3, "clean", root / "made" / "messy", today, "sandbox-2026", _INCOMPLETE)
    tell(f"two signed batches: 2,000 rows under the 2025 agreement, {requests:,} under an agreement in force")
    wait()
    first = _run(home, str(ordered))
    codes, cites = ", ".join(first.codes), ", ".join(first.cites)
    tell(f"1. under the 2025 agreement: {first.state} at intake, {codes}; it cites {cites}")
    held = _run(home, str(messy))
    tell(f"2. under the agreement in force: {held.name} is {held.state} at intake, {', '.join(held.codes)}")
    for operator in OPERATORS:
        state = sign(home, held.name, Decision.DROP, signatures.load(home.keys / operator))
        tell(f"   {operator} signs: drop the incomplete rows; the batch is {state}")
    tell(f"3. run again: {held.name} is {_run(home, held.name).state}")
    code = _compare(home, root / "made" / "messy", held.name)
    tell("done")
    return code


def _run(home: Home, what: str) -> BatchRecord:
    from flows.schedule.run import run

    with Reporter(quiet=not sys.stderr.isatty()) as report:
        return run(home, what, report)


def _compare(home: Home, made: Path, batch: str) -> int:
    """What left, and what the old check ("the field is not blank") would have let out, against the truth."""
    from flows.sandbox.home import REQUESTER_AGE
    from pipelines import release, sealing

    opened = home.root / "opened"
    identity = sealing.load_identity(home.keys / REQUESTER_AGE)
    release.open_package(home.outbox / batch, identity, opened, home.holders)
    evidence = opened / "evidence.parquet"
    sealing.open_file(home.root / "evidence" / f"{batch}.parquet.age", evidence, keys.identity(home, batch))
    rows, certain, answered = _counted(home, made, opened / "addresses.parquet", evidence)
    shutil.rmtree(opened)
    print()
    print_table("What left, against the truth", ["check", "released", *KINDS], rows)
    _, released, *wrongly, rightly = rows[1]
    alike = f"{certain:,} requests that agree with the file in name, address, and birth date or TIN"
    print(f"Of {alike}, {answered:,} were answered.")
    others = f"The other {rightly - answered:,} differ in one of these, such as a new surname"
    print(f"{others}, and more agrees beside it.\n")
    for line in _WHERE_NEXT:
        print("  " + line.format(home=os.path.relpath(home.root), batch=batch))
    return DONE if released > 0 and not any(wrongly) else Fault.exit_code


# One of these is true of each released row.
KINDS = {
    "deficient address": "address_defect IS NOT NULL",
    "address of no record": "address_defect IS NULL AND NOT corroborated",
    "no legal ground": "corroborated AND NOT legally_eligible",
    "rightly": "corroborated AND legally_eligible",
}


def _counted(home: Home, made: Path, released: Path, evidence: Path) -> tuple[list[tuple[Any, ...]], int, int]:
    """For each check its name, what it releases, and that by kind; how many requests are certain, and were released."""
    columns = ", ".join(["count(*)", *(f"count(*) FILTER (WHERE {kind})" for kind in KINDS.values())])
    # the old check looked for some text in the address: every such row that has a record would have left
    asked = f"SELECT request_id FROM {parquet([evidence])} WHERE trim(concat(address, street, city, state, zip)) <> ''"
    left = f"truth SEMI JOIN {parquet([released])} USING (request_id)"
    checks = {
        "old check: not blank": f"truth SEMI JOIN ({asked}) USING (request_id) WHERE record_id IS NOT NULL",
        "Sluicegate": left,
    }
    with session(home.duck) as con:
        con.execute(f"CREATE VIEW truth AS FROM {parquet([made / 'truth.parquet'])}")
        found = {name: con.execute(f"SELECT {columns} FROM {source}").fetchall()[0] for name, source in checks.items()}
        certain, answered = (
            con.execute(f"SELECT count(*) FROM {source} WHERE releasable").fetchall()[0][0]
            for source in ("truth", left)
        )
    return [(name, *counts) for name, counts in found.items()], certain, answered


_WHERE_NEXT = (
    "Where to look next (export SLUICEGATE_HOME={home}):",
    "  sluicegate status {batch}          what happened, checkpoint by checkpoint",
    "  sluicegate explain {batch} 0       every rule that the first row met",
    "  sluicegate gates selftest          each rule fails on its known-bad row",
    "  sluicegate ledger verify           the chain of events is whole",
    "  {home}/outbox/{batch}              the sealed package",
)
