"""Installations for tests of the whole flow: a sandbox home, a register of a few dozen invented persons, and requests
whose ends are known because each was written to meet, or to break, one thing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON
from expectations.instruments import Agreement
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.registry import enrolled
from flows.sandbox.home import REQUESTER_SIGNING, init
from tests.factories import submissions

PLACES = (
    ("Sacramento", "CA", "95814"),
    ("Austin", "TX", "78701"),
    ("Denver", "CO", "80202"),
    ("Tucson", "AZ", "85701"),
)
FIRST = ("Amara", "Bruno", "Celia", "Dario", "Edith", "Fabio", "Greta", "Hugo", "Irene", "Jonas")
LAST = ("Abernathy", "Birdsong", "Castellan", "Dunwoody", "Eastlake", "Fairweather", "Goldwater", "Hathaway")
STREETS = ("Juniper", "Larkspur", "Magnolia", "Nutmeg", "Oleander")
PERSONS = 80


@dataclass(frozen=True)
class Installation:
    """A home with everything enrolled, and the requester's own key."""

    home: Home
    agreement: Agreement

    def submit(
        self, folder: Path, rows: list[dict[str, Any]], agreement: Agreement | None = None, **changes: Any
    ) -> Path:
        """A signed submission under the agreement in force (or another), dated today."""
        key = signatures.load(self.home.keys / REQUESTER_SIGNING)
        under = agreement or self.agreement
        return submissions.write(folder, rows, key, under, **{"date": Clock().today(under.zone), **changes})


def make(root: Path) -> Installation:
    """The installation in a home at `root`."""
    raw = root / "register" / "raw"
    home = init(root, sandbox=True, settings={"register_folder": str(raw)})
    write_register(raw)
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        return Installation(home, enrolled.newest(ledger).agreements["sandbox-2026"])


def agreement(installation: Installation, name: str) -> Agreement:
    """Another enrolled agreement."""
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        return enrolled.newest(ledger).agreements[name]


@contextmanager
def at_home(home: Home) -> Iterator[None]:
    """Commands run in this home."""
    before = os.environ.get("SLUICEGATE_HOME")
    os.environ["SLUICEGATE_HOME"] = str(home.root)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SLUICEGATE_HOME"]
        else:
            os.environ["SLUICEGATE_HOME"] = before


def person(n: int) -> dict[str, Any]:
    """Person `n` (from 1) of the register."""
    return {
        "record_id": n,
        "tin": f"{200 + n % 400:03d}{10 + n % 80:02d}{1000 + n:04d}",
        "first_name": FIRST[n % len(FIRST)],
        "middle_name": None,
        "last_name": LAST[(n // len(FIRST)) % len(LAST)],
        "suffix": None,
        "birth_date": date(1950, 2, 3) + timedelta(days=211 * n),
    }


def address(n: int) -> dict[str, Any]:
    """The last known address of person `n`."""
    city, state, zip_code = PLACES[n % len(PLACES)]
    street = f"{100 + 2 * n} {STREETS[n % len(STREETS)]} St"
    return {
        "record_id": n,
        "street": street,
        "city": city,
        "state": state,
        "zip": zip_code,
        "valid_from": date(2020, 1, 1),
    }


def write_register(folder: Path) -> None:
    """The raw register."""
    ids = range(1, PERSONS + 1)
    for name, schema, make_row in (("persons", REGISTER_PERSON, person), ("addresses", REGISTER_ADDRESS, address)):
        target = folder / name / "part-0000.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist([make_row(n) for n in ids], schema=schema), target)


def request(n: int, **changes: Any) -> dict[str, Any]:
    """A request for person `n` that must be released, unless `changes` spoil it."""
    who, where = person(n), address(n)
    good = submissions.row(
        n,
        first_name=who["first_name"],
        middle_name=None,
        last_name=who["last_name"],
        street=where["street"],
        unit=None,
        city=where["city"],
        state=where["state"],
        zip=where["zip"],
        birth_date=who["birth_date"].isoformat(),
        tin=who["tin"],
    )
    # another request is another case: over the period, reasons of one case are one reason
    case = changes.get("request_id")
    said = f"The address is needed to serve the indictment in case {case} on the defendant."
    return {**good, **({"case_number": case, "reason": said} if case else {}), **changes}


# What is done to a request, and how it must end: outcome and code.
SPOILED: Mapping[str, tuple[dict[str, Any], str, str | None]] = {
    "placeholder": ({"street": "FAILED TO PROVIDE"}, "held", "PLACEHOLDER"),
    "no number": ({"street": "Juniper St"}, "held", "NO_NUMBER"),
    "zip of another state": ({"zip": "10001"}, "held", "ZIP_NOT_IN_STATE"),
    "another address": ({"street": "9 Quagmire Ave"}, "held", "NOT_CORROBORATED"),
    "too recent an order": (
        {"final_order_date": Clock().today("America/New_York").isoformat()},
        "held",
        "FINAL_ORDER_TOO_RECENT",
    ),
    "unknown officer": ({"officer": "nobody"}, "held", "OFFICER_NOT_IN_LETTER"),
    "unknown person": (
        {
            "first_name": "Zebulon",
            "last_name": "Quartermain",
            "tin": None,
            "birth_date": "1931-07-09",
            "street": "12 Nowhere Ln",
        },
        "unmatched",
        None,
    ),
    "unknown name": (
        {
            "first_name": "Ottoline",
            "last_name": "Vandersloot",
            "tin": None,
            "birth_date": "1944-11-30",
            "street": "77 Elsewhere Rd",
        },
        "unmatched",
        None,
    ),
}


def mixed(good: int = 40) -> list[dict[str, Any]]:
    """`good` requests that must be released, then one for each way of spoiling."""
    rows = [request(n) for n in range(1, good + 1)]
    spoiled = [request(good + i, **changes) for i, (changes, _, _) in enumerate(SPOILED.values(), 1)]
    return rows + spoiled
