"""The annual report per agency: 26 USC 6103(p)(3)(C), due within 90 days of the year's end. A year is counted in the
legal zone of each batch's agreement: requests by the day of their receipt, disclosures and taxpayers by the day on
which they left. Numbers come from the newest accounting of each batch; only what was published was disclosed."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, partial
from typing import Any

from expectations.base.clock import Clock, legal_date
from expectations.base.errors import Usage
from expectations.instruments import Agreement
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.accounts import ACCOUNTED, EventRecord
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import FINAL, State
from flows.registry.enrolled import agreement_version

_DUE = timedelta(days=90)


@dataclass(frozen=True)
class Entry:
    """A batch with the events that count, and its days in its agreement's zone."""

    record: BatchRecord
    agreement: Agreement | None
    accounted: EventRecord | None
    published: EventRecord | None
    received_on: date
    disclosed_on: date | None

    @property
    def rows(self) -> int:
        """As accounted for; until then, as its letter says."""
        return int(self.accounted.facts["rows"]) if self.accounted else self.record.rows

    @property
    def disclosed(self) -> int:
        return int(self.accounted.facts["outcomes"].get("released", 0)) if self.published and self.accounted else 0

    @property
    def withheld(self) -> dict[str, int]:
        """Rows that ended without a disclosure, by outcome; of a batch that ended."""
        if self.record.state not in FINAL or self.accounted is None:
            return {}
        return {k: n for k, n in self.accounted.facts["outcomes"].items() if k != "released" or not self.published}


def annual(home: Home, clock: Clock, year: int, agency: str | None = None) -> dict[str, Any]:
    """The report of a year, of all agencies or of one; raises Usage if the ledger knows no such agency."""
    with Ledger.open(home.ledger_url, clock) as ledger:
        entries = list(_entries(ledger))
        if agency is not None and agency not in {e.record.requester for e in entries}:
            raise Usage("UNKNOWN_AGENCY", "the ledger knows no agency of this id", remedy="See sluicegate status.")
        by_agency: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            days = (entry.received_on, entry.disclosed_on)
            if agency in (None, entry.record.requester) and year in {day.year for day in days if day}:
                by_agency[entry.record.requester].append(entry)
        end = date(year, 12, 31)
        return {
            "report": "annual",
            "year": year,
            "made_at": ledger.clock.now().isoformat(timespec="seconds"),
            "due_on": (end + _DUE).isoformat(),
            "preliminary": ledger.clock.now().date() <= end,
            "agencies": [_agency(ledger, year, name, by_agency[name]) for name in sorted(by_agency)],
            "chain": vars(ledger.head()),
        }


def _entries(ledger: Ledger) -> Iterable[Entry]:
    accounted, published = ledger.newest(ACCOUNTED), ledger.newest(State.PUBLISHED)
    agreement = cache(partial(agreement_version, ledger))
    for record in ledger.batches():
        under = agreement(record.instruments.get(record.agreement, ""))
        zone = under.zone if under else "UTC"
        left = published.get(record.name)
        received_on, disclosed_on = legal_date(record.received_at, zone), legal_date(left.at, zone) if left else None
        yield Entry(record, under, accounted.get(record.name), left, received_on, disclosed_on)


def _agency(ledger: Ledger, year: int, name: str, entries: list[Entry]) -> dict[str, Any]:
    asked = [e for e in entries if e.received_on.year == year]
    left = [e for e in entries if e.disclosed_on and e.disclosed_on.year == year]
    withheld: Counter[str] = Counter()
    for entry in asked:
        withheld.update(entry.withheld)
    requests, of_these = sum(e.rows for e in asked), sum(e.disclosed for e in asked)
    newest = max(entries, key=lambda e: e.record.received_at).agreement
    return {
        "id": name,
        "name": newest.requester.name if newest else None,
        "address": newest.requester.address if newest else None,
        "submissions": len(asked),
        "unreadable_submissions": sum(e.record.state is State.UNREADABLE for e in asked),
        "requests": requests,
        "requests_disclosed": of_these,
        "requests_withheld": withheld.total(),
        "withheld_by_outcome": dict(sorted(withheld.items())),
        "requests_pending": requests - of_these - withheld.total(),
        "disclosures": sum(e.disclosed for e in left),
        "taxpayers": ledger.persons(name, [e.record.name for e in left]),
        "batches": [_line(e) for e in entries],
    }


def _line(entry: Entry) -> dict[str, Any]:
    return {
        "batch": entry.record.name,
        "agreement": entry.record.agreement,
        "state": entry.record.state.value,
        "received_on": entry.received_on.isoformat(),
        "requests": entry.rows,
        "disclosed_on": entry.disclosed_on.isoformat() if entry.disclosed_on else None,
        "disclosures": entry.disclosed,
        **{
            name: {"event": e.seq, "hash": e.hash} if e else None
            for name, e in (("accounted", entry.accounted), ("published", entry.published))
        },
        "merkle_root": entry.accounted.facts["merkle_root"] if entry.accounted else None,
    }
