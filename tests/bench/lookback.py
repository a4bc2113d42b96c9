"""What deciding again costs: a lookback over millions of accounted requests, and a replay of one batch; processor time,
time on the wall, and peak memory, each in a process of its own.

`python -m tests.bench lookback [--requests ROWS] [--released SHARE]`. One made batch goes through the real stages and
is kept as a real one is, sealed; its kept files stand for those of each other batch. SHARE of its rows is released,
more or less: left out, that of the incident, and then most.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from expectations.base.clock import Clock
from expectations.base.digests import of_bytes
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.evidence import keys
from flows.evidence.store import accounting_path, evidence_folder, store_evidence
from flows.home.tree import HOLDER_AGE, Home
from flows.ledger import Ledger
from flows.ledger.batches import BatchRecord
from flows.ledger.core import find
from flows.ledger.lifecycles.states import State
from flows.sandbox.home import init, make_batch
from pipelines import ingest, match, release, sealing, simulate, validate
from pipelines.simulate.profiles import PROFILES
from tests.bench.ledgers import publish
from tests.bench.measured import peak_mb
from tests.factories import installations

ROWS = BATCH = 1_250_000
SHARES = (0.04, 0.80)  # of the rows: released
_MADE = 0.87  # of the persons on file that the profile `clean` asks for, so many are released
_ENDED = (State.INGESTED, State.MATCHED, State.VALIDATED, State.SEALED)


def main(rows: int, shares: Sequence[float] = SHARES) -> None:
    """Prints a line for each command and each share."""
    size = min(rows, BATCH)
    for share in shares:
        with tempfile.TemporaryDirectory() as place:
            begun = time.perf_counter()
            home = _home(Path(place), size, share)
            first = _released(home, Path(place) / "made" / "submission")
            batches = [first.name, *(_copy(home, first, n) for n in range(1, rows // size))]
            sealed = sum(f.stat().st_size for f in _kept(home, first.name)) >> 20
            print(
                f"lookback, {len(batches)} batches of {size:,} rows: {sealed:,} MB sealed for each; made in"
                f" {time.perf_counter() - begun:.0f} s"
            )
            for what in ("lookback", "replay"):
                sys.stdout.flush()
                if child := os.fork():
                    os.waitpid(child, 0)
                else:
                    os.execv(
                        sys.executable, [sys.executable, "-m", "tests.bench.lookback", what, str(home.root), first.name]
                    )


def one(what: str, root: Path, batch: str) -> None:
    """One command, in this process; prints what it took."""
    from flows.home.tree import open_home
    from flows.replay.lookback import lookback
    from flows.replay.replay import replay

    home, clock = open_home(root), Clock()
    began, busy = time.perf_counter(), time.process_time()
    if what == "lookback":
        found = lookback(home, clock).summary
        assert found["not_decided"] == [], found
        said = f"{found['affected']:,} of {found['released']:,} disclosures affected"
    else:
        found = replay(home, clock, batch, who="bench")
        said = f"{found['changed']:,} of {sum(found['then']['outcomes'].values()):,} rows changed"
    print(
        f"lookback, {what}: {time.process_time() - busy:.1f} s of processor time, {time.perf_counter() - began:.1f} s,"
        f" {peak_mb():,} MB ({said})"
    )


def _home(place: Path, size: int, share: float) -> Home:
    """A home with a register, and beside it a submission of which about `share` is released."""
    raw = place / "raw"
    home = init(place / "home", sandbox=True, settings={"register_folder": str(raw)})
    PROFILES["clean"] = replace(PROFILES["clean"], in_register=min(share / _MADE, 0.97))
    simulate.register(max(size * 6 // 5, 1_000), 1, raw, duck=home.duck)
    today = Clock().today("America/New_York")
    make_batch(home, raw, size, 2, "clean", place / "made", today, "sandbox-2026", None)
    return home


def _released(home: Home, submission: Path) -> BatchRecord:
    """The batch, taken through the stages, kept, and published as far as the ledger goes: no package is sealed, no key
    claimed."""
    with installations.at_home(home), Ledger.open(home.ledger_url) as ledger:
        work = BatchSteps(home, ledger, receive(home, ledger, Clock(), submission))
        ingest.run(work.ctx)
        match.run(work.ctx)
        validate.run(work.ctx)
        work.release.end_rows(None)
        store_evidence(home, work.ctx)
        holder = sealing.load_identity(home.keys / HOLDER_AGE).recipient
        release.seal_accounting(work.ctx, holder, accounting_path(home, work.name))
        record = _publish(ledger, work.name)
        shutil.rmtree(work.folder)
        return record


def _copy(home: Home, first: BatchRecord, number: int) -> str:
    """Another batch in the ledger, of which the same files are kept under its own name."""
    name = f"b-{number:012x}"
    with Ledger.open(home.ledger_url, Clock(datetime(2026, 3, 2, 13, tzinfo=UTC))) as ledger:
        ledger.receive(
            name,
            submission=of_bytes(name.encode()),
            requester=first.requester,
            agreement=first.agreement,
            rows=first.rows,
            received_at=first.received_at,
            decided_on=first.decided_on,
            instruments=first.instruments,
            register=first.register,
        )
        _publish(ledger, name)
    for path in (*_kept(home, first.name), keys.place(home, first.name)):
        os.link(path, path.with_name(path.name.replace(first.name, name)))
    return name


def _kept(home: Home, batch: str) -> list[Path]:
    return [*evidence_folder(home).glob(f"{batch}.*"), accounting_path(home, batch)]


def _publish(ledger: Ledger, name: str) -> BatchRecord:
    record = ledger.batch(name)
    assert record is not None
    for state in _ENDED:
        ledger.advance(name, state, facts={"declared": 9, "evaluated": 9, "rows": record.rows})
    with ledger.transaction() as session:
        publish(ledger, session, find(session, name), record.rows)
    return record


if __name__ == "__main__":
    one(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
