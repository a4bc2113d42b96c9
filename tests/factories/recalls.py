"""A published batch to recall, and what a recipient hands back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, event, func, select

from expectations.base import signatures
from expectations.base.clock import Clock
from flows.batch.advance import advance
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.cases.opening import Chosen, open_cases
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.case_records import ATTESTATION
from flows.ledger.database.models import Event, RecallCase
from flows.ledger.lifecycles.cases import CaseReason
from flows.sandbox.home import REQUESTER_SIGNING
from tests.factories import installations

COPIES = b"""id,kind,system,rows,derived_from,disposition
package-1,package,intake server,5,,dispose
db-1,database,case system,5,package-1,dispose
derived-1,derived,map of leads,3,db-1,dispose
"""
PERSONS = b"notifies,person,rows,notified_on,because\nnobody,P. Officer,{rows},,no charge and no discipline proposed\n"
LOG = """copy_id,received_on,person,done_on,method,receipt
package-1,2026-03-01,C. Custodian,{day},purge,
db-1,2026-03-01,C. Custodian,{day},clear,
derived-1,2026-03-02,C. Custodian,{day},destroy,
"""


def publish(installation: installations.Installation, folder: Path, numbers: range) -> str:
    """Releases the requests of these persons; gives the batch."""
    spoilt, _, _ = installations.SPOILED["unknown person"]
    unmatched = [
        installations.request(n, **spoilt, request_id=f"N-{numbers.start}-{n}") for n in (71, 72)
    ]  # a match rate of 100 % is out of the agreement's band
    submission = installation.submit(folder, [*(installations.request(n) for n in numbers), *unmatched])
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        batch = receive(installation.home, ledger, Clock(), submission)
        advance(BatchSteps(installation.home, ledger, batch))
        record = ledger.batch(batch)
    assert record is not None and record.state == "published", record
    return batch


def opened(home: Home, batch: str, *ordinals: int) -> str:
    """Opens a case on these rows of a published batch; gives its name."""
    chosen = Chosen(batch, tuple(map(str, ordinals)))
    (case,) = open_cases(home, Clock(), chosen, CaseReason.LOOKBACK, "operator-1")
    return case.id


def multiplied(ledger: Ledger, count: int) -> None:
    """So many more cases, each like the first one: rows and events alone, for measuring."""
    first = ledger.cases()[0]
    with ledger.transaction() as session:
        row = session.get(RecallCase, first.id)
        events = [found for step in first.steps if (found := session.get(Event, step.seq))]
        newest = session.scalar(select(func.max(Event.seq))) or 0
        for number in range(count):
            id = f"c-{number:016x}"
            for at, one in enumerate(events):
                seq = newest + 1 + number * len(events) + at
                session.add(_copied(one, seq=seq, facts=one.facts.replace(first.id, id)))
            session.add(_copied(row, id=id, seq=newest + 1 + number * len(events) + len(events) - 1))


def _copied(row: Any, **other: Any) -> Any:
    return type(row)(**{c.key: getattr(row, c.key) for c in row.__table__.columns} | other)


@contextmanager
def queries() -> Iterator[list[str]]:
    """What is asked of any database meanwhile."""
    asked: list[str] = []

    def note(*args: Any) -> None:
        asked.append(args[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def persons(rows: int) -> bytes:
    """That no notice to the persons concerned by so many rows is due."""
    return PERSONS.replace(b"{rows}", str(rows).encode())


def log(*copies: str, returned: bool = False) -> bytes:
    """A disposal log of these copies, dated today."""
    day = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    head, *rows = LOG.format(day=day).splitlines()
    chosen = [r for r in rows if r.split(",")[0] in copies]
    if returned:
        chosen = [",".join([*r.split(",")[:4], "returned", "R-1"]) for r in chosen]
    return "\n".join([head, *chosen, ""]).encode()


def operator(home: Home, name: str = "operator-1") -> Ed25519PrivateKey:
    return signatures.load(home.keys / name)


def attestation(
    home: Home, case: str, key: Ed25519PrivateKey | None = None, namespace: str = signatures.ATTESTATION
) -> bytes:
    """The recipient's signature under the attestation that was issued."""
    text = (home.root / "recalls" / case / ATTESTATION).read_bytes()
    return signatures.sign(text, key or operator(home, REQUESTER_SIGNING), namespace).encode()
