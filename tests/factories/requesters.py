"""A requester that asks for persons, round after round, and learns which of its rows were released.

Strategies are generators: each gives the rows of its next batch, and gets what became of them, in their order. Several
are played at a time, each on persons of its own, so that they share batches.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON
from flows.batch.advance import advance
from flows.batch.receive import receive
from flows.evidence.store import open_accounting
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from tests.factories import installations, runs, submissions
from tests.factories.installations import Installation

Row = dict[str, Any]
Strategy = Generator[list[Row], list[bool], None]  # rows of a batch → whether each was released
LAST = (*installations.LAST, "Ibarra", "Juniper", "Kowalczyk", "Lindqvist", "Montague", "Nakamura", "Okonkwo", "Pruitt")
HONEST = (901, 902)  # asked for in every batch, so that its match rate is that of an ordinary one


@dataclass
class Requester:
    """Sends batches from a home; `codes`: of each own row in the accounting, by batch."""

    installation: Installation
    folder: Path
    sent: int = 0
    rows: int = 0
    codes: dict[str, list[list[str]]] = field(default_factory=dict)

    def submission(self, rows: list[Row]) -> Path:
        """A submission of these rows under ids of their own, two honest ones, and one that finds nobody."""
        self.sent += 1
        honest = [right(person(n), tin=None) for n in HONEST]
        lost = right(person(HONEST[0]), street=f"{self.sent} Elsewhere Rd", **runs.NOBODY)
        named = [self._of_its_own(row, f"{n:04d}") for n, row in enumerate(rows)]
        beside = [self._of_its_own(row, f"beside-{n}") for n, row in enumerate([*honest, lost])]
        return self.installation.submit(self.folder / f"batch-{self.sent}", [*named, *beside])

    def _of_its_own(self, row: Row, name: str) -> Row:
        """The row with an id, a case and a reason that no other has."""
        self.rows += 1
        own = submissions.row(self.rows)
        return {**row, "request_id": f"{self.sent}-{name}", **{k: own[k] for k in ("reason", "case_number")}}

    def take_in(self, ledger: Ledger, rows: list[Row]) -> str:
        return receive(self.installation.home, ledger, ledger.clock, self.submission(rows))

    def answer(self, ledger: Ledger, name: str) -> list[bool]:
        """Runs a batch until it is answered; gives whether each of its own rows was released."""
        assert advance(runs.work(self.installation.home, ledger, name)) is State.PUBLISHED
        target = self.folder / f"{name}.parquet"
        open_accounting(self.installation.home, name, target)
        rows = [r for r in pq.read_table(target).to_pylist() if "beside" not in r["request_id"]]
        rows.sort(key=lambda r: r["ordinal"])
        assert all(r["outcome"] == "released" or r["told"] == ["NOT_CONFIRMED"] for r in rows)
        self.codes[name] = [r["codes"] for r in rows]
        return [r["outcome"] == "released" for r in rows]

    def ask(self, *rows: Row) -> list[bool]:
        with runs.ledger_of(self.installation.home) as ledger:
            return self.answer(ledger, self.take_in(ledger, list(rows)))

    def send(self, plans: Mapping[str, list[list[Row]]]) -> dict[str, list[list[bool]]]:
        """Sends the batches of several plans, which share them: the first is answered, then all others are received
        before any of them is run. Gives the answers by plan."""
        rounds = max(map(len, plans.values()))
        shared = [{name: plan[n] for name, plan in plans.items() if n < len(plan)} for n in range(rounds)]
        answers: dict[str, list[list[bool]]] = {name: [] for name in plans}
        with runs.ledger_of(self.installation.home) as ledger:
            for several in (shared[:1], shared[1:]):
                names = [self.take_in(ledger, [r for rows in asked.values() for r in rows]) for asked in several]
                for name, asked in zip(names, several, strict=True):
                    told = iter(self.answer(ledger, name))
                    for plan, rows in asked.items():
                        answers[plan].append([next(told) for _ in rows])
        return answers

    def play(self, strategies: Mapping[str, Strategy], rounds: int) -> dict[str, list[list[bool]]]:
        """Plays strategies in batches that they share, until all end or so many rounds are over; gives the answers."""
        answers: dict[str, list[list[bool]]] = {name: [] for name in strategies}
        asked = {name: next(strategy) for name, strategy in strategies.items()}
        for _ in range(rounds):
            if not asked:
                break
            told = iter(self.ask(*(row for rows in asked.values() for row in rows)))
            for name, rows in list(asked.items()):
                answers[name].append([next(told) for _ in rows])
                try:
                    asked[name] = strategies[name].send(answers[name][-1])
                except StopIteration:
                    del asked[name]
        return answers


def person(n: int, **changes: Any) -> Row:
    """Person `n` (from 1), with an address of its own: no two share a name, a birth date, a number or a street."""
    city, state, zip_code = installations.PLACES[n % len(installations.PLACES)]
    return {
        **installations.person(n),
        "last_name": LAST[(n // len(installations.FIRST)) % len(LAST)],
        "birth_date": date(1945 + n % 50, 1 + n % 12, 2 + n % 27),
        "tin": f"{200 + n % 400:03d}{10 + n % 80:02d}{1000 + n:04d}",
        **{"street": f"{100 + 7 * n} Magnolia St", "unit": None, "city": city, "state": state, "zip": zip_code},
        **changes,
    }


def right(who: Row, **changes: Any) -> Row:
    """A request for this person that must be released, unless `changes` spoil it."""
    asked = {k: v for k, v in {**who, **changes}.items() if k in submissions.row(1)}
    born = asked["birth_date"]
    return {**submissions.row(1), **asked, "birth_date": born.isoformat() if isinstance(born, date) else born}


def make(folder: Path, people: Mapping[int, Row]) -> Requester:
    """A home whose register holds these persons, by record id, and the honest ones; and who asks it."""
    everybody = {**{n: person(n) for n in HONEST}, **people}
    installation = installations.make(folder / "home")
    raw = installation.home.root / "register" / "raw"
    for name, schema in (("persons", REGISTER_PERSON), ("addresses", REGISTER_ADDRESS)):
        rows = [{**who, "record_id": n, "valid_from": date(2020, 1, 1)} for n, who in everybody.items()]
        kept = [{k: v for k, v in row.items() if k in schema.names} for row in rows]
        pq.write_table(pa.Table.from_pylist(kept, schema=schema), raw / name / "part-0000.parquet")
    return Requester(installation, folder)
