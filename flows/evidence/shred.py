"""Shredding: when retention has ended, the key of a batch's evidence is destroyed, and with it every copy of the
evidence. The accounting stays. The chain says `shredding` before anything is destroyed and `shredded` after, so that a
crash in between is seen, and the same call goes on."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path

from expectations.base.clock import legal_date
from expectations.base.digests import name_of_bytes
from expectations.base.errors import Usage
from expectations.instruments import Agreement
from expectations.instruments.standing import ended
from flows.evidence import keys
from flows.evidence.store import evidence_folder, stored_evidence
from flows.home.tree import Home, alone
from flows.ledger import Ledger
from flows.ledger.accounts import SHREDDED
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.cases import CaseState
from flows.registry import enrolled
from flows.registry.enrolled import Enrolled, agreement_at_receipt
from pipelines.lake import durable

# Why a batch's evidence must be kept: asked with the enrolled instruments, under the lock that a new order takes.
Keeper = Callable[[Ledger, BatchRecord, Enrolled], Iterable[str]]


def shred(home: Home, ledger: Ledger, batch: str) -> list[str]:
    """Destroys the evidence of a batch; gives the reasons why it must be kept instead, and then nothing was done.
    Again, or after a crash: goes on where it was. Raises Usage if there is no such batch, or if it has not ended."""
    with alone(home, batch):
        record = ledger.known_batch(batch)
        done = ledger.shredding(batch)
        if SHREDDED not in done and (not done or keys.place(home, batch).exists()):
            stored = stored_evidence(home, batch)
            if not done and stored is None and not _files(home, batch):
                raise Usage("NO_EVIDENCE", "no evidence of this batch is stored", where=batch)
            # no key where the evidence was sealed before batches had keys of their own
            key = name_of_bytes(stored.recipient.encode()) if stored else None
            if reasons := ledger.begin_shredding(batch, key, lambda bodies: keeps(ledger, record, bodies)):
                return reasons
        _destroy(home, batch)
        ledger.end_shredding(batch)
    return []


def _files(home: Home, batch: str) -> list[Path]:
    return list(evidence_folder(home).glob(f"{batch}.*"))


def _destroy(home: Home, batch: str) -> None:
    keys.destroy(home, batch)  # first: from here on the rest is noise
    for path in _files(home, batch):
        path.unlink(missing_ok=True)
    durable.fsync(evidence_folder(home))


def keeps(ledger: Ledger, record: BatchRecord, bodies: list[bytes]) -> list[str]:
    """Why the evidence of this batch must be kept, in words for people; nothing if it need not be."""
    known = enrolled.read(bodies)
    return [reason for keeper in KEEPERS for reason in keeper(ledger, record, known)]


def retained(ledger: Ledger, record: BatchRecord, known: Enrolled) -> Iterator[str]:
    """5 USC 552a(c)(2): kept for the years of the agreement from the day on which the batch ended. Of the version that
    the batch was received under and the one enrolled now, the longer counts."""
    agreements = _agreements(ledger, record, known)
    if (until := _until(ledger, record, agreements)) and ledger.clock.today(agreements[0].zone) < until:
        yield f"{record.agreement} keeps it until {until}"


def too_early(home: Home, ledger: Ledger, record: BatchRecord) -> bool:
    """Whether, by the chain, the evidence was destroyed before the retention of the version at receipt had ended. A day
    that a sandbox pretended counts there, and nowhere else."""
    agreements = _agreements(ledger, record)
    begun, until = ledger.shredding_began(record.name), _until(ledger, record, agreements)
    if begun is None or until is None:
        return False
    at, as_of = begun
    day = as_of if as_of and home.config.sandbox else legal_date(at, agreements[0].zone)
    return day < until


def kept_until(ledger: Ledger, bodies: list[bytes]) -> date | None:
    """The first day on which the evidence of some batch need not be kept any more; None if no batch has any."""
    known = enrolled.read(bodies)
    left = (r for r in ledger.batches() if ledger.accounted(r.name) and not ledger.shredding(r.name))
    days = (_until(ledger, record, _agreements(ledger, record, known)) for record in left)
    return min((day for day in days if day), default=None)


def _until(ledger: Ledger, record: BatchRecord, agreements: list[Agreement]) -> date | None:
    """The day from which the evidence need not be kept; None of a batch that has not ended."""
    ended_at = ledger.ended_at(record.name)
    if not agreements or ended_at is None:
        return None
    return _years_on(legal_date(ended_at, agreements[0].zone), max(a.retention_years for a in agreements))


def ordered(ledger: Ledger, record: BatchRecord, known: Enrolled) -> Iterator[str]:
    """A court order that holds, recalls, or has preserved what was requested under this agreement. Which statute it
    names does not matter: in doubt the evidence is kept. That one order lets the recipient destroy its copies says
    nothing of the holder's evidence."""
    agreements = _agreements(ledger, record, known)
    if not agreements:
        return
    day = ledger.clock.today(agreements[0].zone)
    over = ended(known.orders.values(), day)
    for order in known.orders.values():
        covers = any(
            order.covers(a.id, a.requester.id, s) for a in agreements for s in (*a.statutes, *order.scope.statutes)
        )
        keeps = order.preserve or order.does.keeps_evidence
        if keeps and order.in_force(day) and order.id not in over and covers:
            yield f"{order.id} is in force ({'preserve' if order.preserve else order.effect})"


def recalled(ledger: Ledger, record: BatchRecord, known: Enrolled) -> Iterator[str]:
    """A recall of some of its disclosures that is not closed: only the evidence says whom they concern."""
    for case in ledger.cases():
        if record.name in case.batches and case.state is not CaseState.CLOSED:
            yield f"recall case {case.id} is not closed"


KEEPERS: tuple[Keeper, ...] = (retained, ordered, recalled)


def _agreements(ledger: Ledger, record: BatchRecord, known: Enrolled | None = None) -> list[Agreement]:
    """The batch's agreement as it was at receipt, then as it is enrolled now."""
    now = known.agreements.get(record.agreement) if known else None
    return [found for found in (agreement_at_receipt(ledger, record), now) if found is not None]


def _years_on(day: date, years: int) -> date:
    """The same day so many years later; 1 March where there is no 29 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
