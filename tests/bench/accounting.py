"""What reports cost over millions of accounted requests: processor time and peak memory of each command, in a process
of its own.

`python -m tests.bench accounting --requests ROWS`. The ledger is made by bulk SQL: every request was disclosed, which
is the most that there can be to count; persons repeat. One accounting of a batch's size is sealed for real, and stands
for each batch's.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from expectations.base import duck
from expectations.base.clock import Clock
from expectations.base.digests import canonical_json, of_file
from flows.home.tree import HOLDER_AGE, Home
from flows.ledger import Ledger, claims
from flows.ledger.bulk import CLAIMS, incoming
from flows.ledger.core import find
from flows.ledger.events.batch import Accounted
from flows.ledger.lifecycles.states import State
from flows.sandbox.home import OPERATORS, init
from pipelines import sealing
from pipelines.context import person_text
from pipelines.lake.sql import copy
from tests.bench.ledgers import publish
from tests.bench.measured import peak_mb

ROWS, BATCH = 10_000_000, 1_250_000
AGENCY, AGREEMENT = "department-of-examples", "sandbox-2026"
PERSON = 7  # the record that is asked for: disclosed once with every batch
NEW = 50_000  # rows of one more batch, whose claims the indexes must take


def main(rows: int) -> None:
    """Makes the ledger, then prints a line for each command."""
    with tempfile.TemporaryDirectory() as place:
        home = init(Path(place) / "home", sandbox=True, settings={})
        begun = time.perf_counter()
        size = min(rows, BATCH)
        batches = [f"bench-{n}" for n in range(rows // size)]
        _make(home, batches, size)
        ledger = (home.root / "ledger.db").stat().st_size >> 20
        sealed = next((home.root / "accounting").iterdir()).stat().st_size >> 20
        print(
            f"accounting, {len(batches) * size:,} disclosures in {len(batches)} batches: ledger {ledger:,} MB, each"
            f" sealed accounting {sealed:,} MB; made in {time.perf_counter() - begun:.0f} s"
        )
        for what in ("person", "annual", "declaration", "claim"):
            sys.stdout.flush()
            if child := os.fork():
                os.waitpid(child, 0)
            else:
                os.execv(
                    sys.executable, [sys.executable, "-m", "tests.bench.accounting", what, str(home.root), batches[0]]
                )


def one(what: str, root: Path, batch: str) -> None:
    """One command, in this process; prints what it took."""
    from flows.home.tree import open_home
    from flows.ledger.looks import LookReason, Why
    from flows.reports.accounting import person
    from flows.reports.annual import annual
    from flows.reports.declaration import declaration
    from flows.reports.render import Format, render

    home, clock = open_home(root), Clock()
    said: object = ""
    began, busy = time.perf_counter(), time.process_time()
    if what == "person":
        said = f"{len(person(home, clock, str(PERSON), OPERATORS[0], Why(LookReason.PERSON_ASKS)))} disclosures"
    elif what == "annual":
        report = annual(home, clock, 2026)
        said = f"{report['agencies'][0]['taxpayers']:,} taxpayers, {len(render(report, Format.HTML)):,} bytes"
    elif what == "declaration":
        said = f"{len(render(declaration(home, clock, batch), Format.HTML)):,} bytes"
    else:
        said = f"{_claim(home):,} claims of one more batch"
    print(
        f"accounting, {what}: {time.process_time() - busy:.1f} s of processor time, {time.perf_counter() - began:.1f}"
        f" s, {peak_mb():,} MB ({said})"
    )


def _claim(home: Home) -> int:
    keys = [_sha(f"new {n}") for n in range(NEW)]
    with Ledger.open(home.ledger_url) as ledger:
        ledger.receive("new", submission=_sha("new"), **_RECEIVED, instruments={}, rows=NEW)
        with ledger.transaction() as session:
            pairs = claims.once("new", pa.table({"request_key": keys, "person_key": keys}))
            with incoming(session, pairs):
                assert not claims.taken(session, find(session, "new"))
                CLAIMS.put(session, "new", requester=AGENCY, agreement=AGREEMENT)
    return NEW


_RECEIVED = {
    "requester": AGENCY,
    "agreement": AGREEMENT,
    "received_at": datetime(2026, 3, 2, 12, tzinfo=UTC),
    "register": "r",
    "decided_on": date(2026, 3, 2),
}


def _make(home: Home, batches: list[str], size: int) -> None:
    accounting = _accounting(home, size)
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        instruments = {AGREEMENT: ledger.versions(AGREEMENT)[-1].digest}
        for name in batches:
            ledger.receive(name, submission=_sha(name), **_RECEIVED, instruments=instruments, rows=size)
            for state in (State.INGESTED, State.MATCHED, State.VALIDATED, State.SEALED):
                ledger.advance(name, state, facts={"declared": 9, "evaluated": 9, "rows": size})
            ledger.account(
                name,
                Accounted(
                    rows=size,
                    outcomes={"released": size},
                    codes={},
                    merkle_root=_sha("root"),
                    accounting=of_file(accounting),
                    evidence=_sha("evidence"),
                ),
            )
            shutil.copy(accounting, home.root / "accounting" / f"{name}.parquet.age")
            with ledger.transaction() as session:
                entry = find(session, name)
                publish(ledger, session, entry, size)
    accounting.unlink()
    _fill(home, batches, size)


def _fill(home: Home, batches: list[str], size: int) -> None:
    """The claims, request keys rising so that they go in quickly; the other indexes are built at the end."""
    known = home.hash_key.keyed_hash(person_text(PERSON))
    persons = max(1, len(batches) * size * 6 // 10)
    with sqlite3.connect(home.root / "ledger.db") as ledger:
        ledger.create_function("sha", 1, lambda n: hashlib.sha256(n.to_bytes(8, "big")).hexdigest())
        indexes = ledger.execute(
            "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'claims' AND sql LIKE 'CREATE INDEX%'"
        ).fetchall()
        for name, _ in indexes:
            ledger.execute(f"DROP INDEX {name}")
        for number, batch in enumerate(batches):
            ledger.execute(f"""
            INSERT INTO claims (requester, agreement, request_key, person_key, batch)
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {size - 1})
            SELECT '{AGENCY}', '{AGREEMENT}', printf('%016x', i + {number * size}) || lower(hex(randomblob(24))),
              CASE WHEN i = {size // 2} THEN '{known}' ELSE sha(abs(random()) % {persons}) END, '{batch}' FROM n""")
        for _, create in indexes:
            ledger.execute(create)


def _accounting(home: Home, size: int) -> Path:
    """A sealed accounting of `size` rows, with a header."""
    plain, sealed = home.root / "plain.parquet", home.root / "accounting.age"
    party = {"id": AGENCY, "name": "Department of Examples", "address": "1000 Example Ave, Washington DC 20001"}
    header = {"nature": ["street"], "purpose": "Criminal proceeding", "statute": "8 USC 1253(a)(1)", "recipient": party}
    rows = f"""
    SELECT i AS ordinal, 1::INTEGER AS file, i + 1 AS row, 'R-' || i AS request_id, sha256('r' || i) AS request_key,
      sha256('p' || i) AS person_key, 'released' AS outcome, []::VARCHAR[] AS codes, []::VARCHAR[] AS told FROM
        range({size}) made(i)"""
    with duck.session(duck.DuckSettings(threads=2)) as connection:
        copy(connection, rows, plain, metadata={"sluicegate.accounting": canonical_json(header).decode()})
    sealing.seal_file(plain, sealed, [sealing.load_identity(home.keys / HOLDER_AGE).recipient])
    plain.unlink()
    return sealed


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    one(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
