"""Control rows: invented persons that the holder runs through every batch, to see that what must be withheld is.

They are made from the submission's digest alone, so that a re-run makes the same ones, and nobody outside can foretell
them. Each has a record in a register of its own (ids below zero), a request, and the end that it must come to. Those
that must be held are on file with a good address: only the check under test stands between them and a release.
"""

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import pyarrow as pa

from expectations.contracts.lists import Origin
from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON
from expectations.contracts.request import RAW_REQUEST
from expectations.contracts.stages import PLACE


class End(StrEnum):
    """What a control row must come to. Whatever is not ELIGIBLE must not leave."""

    ELIGIBLE = "eligible"
    UNMATCHED = "unmatched"
    AMBIGUOUS = "ambiguous"
    HELD = "held"


REQUESTS = pa.schema([*PLACE, *RAW_REQUEST])
EXPECTED = pa.schema(
    [
        pa.field("ordinal", pa.int64(), nullable=False),
        pa.field("expected", pa.string(), nullable=False),  # an End
        pa.field("code", pa.string()),  # a code that it must carry, or null
    ]
)
# Real places, invented streets: the ZIP must lie in the state and the city in the ZIP.
PLACES = (
    ("HOUSTON", "TX", "77002"),
    ("DALLAS", "TX", "75201"),
    ("PHOENIX", "AZ", "85004"),
    ("CHICAGO", "IL", "60601"),
    ("DENVER", "CO", "80202"),
    ("ATLANTA", "GA", "30303"),
    ("SEATTLE", "WA", "98101"),
    ("MIAMI", "FL", "33130"),
)
ONSETS = ("Zv", "Qu", "Xo", "Vr", "Ky", "Dz", "Gw", "Tch", "Pf", "Wro")
MIDDLES = ("ab", "ek", "il", "om", "uz", "yth", "arv", "ent", "isk", "olb")
ENDINGS = ("ax", "eth", "irn", "oq", "umbel", "yzk", "andrix", "ovent")
MOVED_IN = date(2016, 5, 17)


@dataclass(frozen=True)
class ControlRows:
    """Tables for the datasets of `ingest.decoys`. `expected`: ordinal, expected end, the code that it must carry."""

    requests: pa.Table
    persons: pa.Table
    addresses: pa.Table
    expected: pa.Table


def make(seed: str, *, officer: str, reason: str, taxable_period: str, elements: Mapping[str, str]) -> ControlRows:
    """Control rows of a submission; the same ones for the same `seed`, its digest. The other arguments must meet the
    row rules of authority for this letter, `elements` those of its statute: control rows test addresses and matching,
    not authority."""
    workshop = _Workshop(seed, {"officer": officer, "reason": reason, "taxable_period": taxable_period, **elements})
    for case in CASES:
        case(workshop)
    return ControlRows(
        pa.Table.from_pylist(workshop.requests, REQUESTS),
        pa.Table.from_pylist(workshop.persons, REGISTER_PERSON),
        pa.Table.from_pylist(workshop.addresses, REGISTER_ADDRESS),
        pa.Table.from_pylist(workshop.expected, EXPECTED),
    )


@dataclass
class _Workshop:
    """Makes persons, puts them on file, and asks for them."""

    seed: str
    legal: dict[str, str]
    requests: list[dict[str, Any]] = field(default_factory=list)
    persons: list[dict[str, Any]] = field(default_factory=list)
    addresses: list[dict[str, Any]] = field(default_factory=list)
    expected: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(int.from_bytes(hashlib.sha256(f"decoys|{self.seed}".encode()).digest(), "big"))

    def word(self, syllables: int = 2) -> str:
        return "".join(self.dice.choice(part) for part in (ONSETS, *[MIDDLES] * syllables, ENDINGS))

    def person(self, **given: Any) -> dict[str, Any]:
        """Somebody new. The TIN's area was not given out before 2011: it passes as an SSN, and no grown-up has it."""
        born = date(1950, 1, 1) + timedelta(days=self.dice.randrange(15_000))
        made = {
            "tin": f"{self.dice.randrange(880, 899)}{self.dice.randrange(10, 99)}{self.dice.randrange(1000, 9999)}",
            "first_name": self.word(1),
            "middle_name": None,
            "last_name": self.word(),
            "suffix": None,
            "birth_date": born if (born.month, born.day) != (1, 1) else born + timedelta(days=44),
        }
        return {**made, **given}

    def home(self, **given: Any) -> dict[str, Any]:
        """An address that nobody else has."""
        city, state, zip_code = self.dice.choice(PLACES)
        street = f"{self.dice.randrange(1000, 9899)} {self.word()} {self.dice.choice(('ST', 'AVE', 'RD'))}".upper()
        return {"street": street, "unit": None, "city": city, "state": state, "zip": zip_code, **given}

    def file(self, person: dict[str, Any], *homes: dict[str, Any]) -> None:
        """Puts a person on file; the last of `homes` is the last known address."""
        record_id = -1 - len(self.persons)
        self.persons.append({"record_id": record_id, **person})
        for years_back, home in enumerate(reversed(homes)):
            start = MOVED_IN.replace(year=MOVED_IN.year - years_back)
            until = None if years_back == 0 else start.replace(year=start.year + 1)
            lived = {"valid_from": start, "valid_to": until}
            self.addresses.append({"record_id": record_id, "urbanization": None, **home, **lived})

    def ask(self, person: dict[str, Any], home: dict[str, Any], expected: End, code: str | None = None) -> None:
        """A request for a person at an address, and the end that it must come to."""
        number = 1 + len(self.requests)
        key = hashlib.sha256(f"decoy|{self.seed}|{number}".encode()).hexdigest()[:24]
        tin, born = person["tin"], person["birth_date"]
        self.requests.append(
            {
                **{"ordinal": -number, "file": 0, "row": number, "origin": Origin.CONTROL.value, "request_id": key},
                **{name: person[name] for name in ("first_name", "middle_name", "last_name", "suffix")},
                **home,
                "birth_date": born.isoformat() if born else None,
                "tin": f"{tin[:3]}-{tin[3:5]}-{tin[5:]}" if tin else None,
                **self.legal,
            }
        )
        self.expected.append({"ordinal": -number, "expected": expected.value, "code": code})


def _on_file(
    expected: End, code: str | None = None, *, person: dict[str, Any] | None = None, home: dict[str, Any] | None = None
) -> Callable[[_Workshop], None]:
    """Somebody on file with a good address; the request differs from the file as `person` and `home` say."""

    def case(shop: _Workshop) -> None:
        somebody, place = shop.person(), shop.home()
        shop.file(somebody, place)
        shop.ask({**somebody, **(person or {})}, {**place, **(home or {})}, expected, code)

    return case


def _other_spelling(shop: _Workshop) -> None:
    somebody, place = shop.person(), shop.home()
    shop.file(somebody, place)
    spelt = place["street"].title().replace(" St", " Street").replace(" Ave", " Avenue").replace(" Rd", " Road")
    shop.ask({**somebody, "last_name": somebody["last_name"].upper()}, {**place, "street": spelt}, End.ELIGIBLE)


def _slip_in_surname(shop: _Workshop) -> None:
    """Tier C: two letters of the surname change places; no TIN; birth date and full address agree."""
    somebody, place = shop.person(last_name=shop.word(3)), shop.home()
    shop.file(somebody, place)
    *most, last, final = somebody["last_name"]
    shop.ask({**somebody, "last_name": "".join([*most, final, last]), "tin": None}, place, End.ELIGIBLE)


def _with_unit(shop: _Workshop) -> None:
    """A building with two units on file: one request names its unit, the other does not."""
    building = shop.home()
    named, unnamed = shop.person(), shop.person()
    shop.file(named, {**building, "unit": "APT 3"})
    shop.file(unnamed, {**building, "unit": "APT 7"})
    shop.ask(named, {**building, "unit": "APT 3"}, End.ELIGIBLE)
    shop.ask(unnamed, building, End.HELD, "UNIT_NEEDED")


def _stranger(shop: _Workshop) -> None:
    shop.ask(shop.person(), shop.home(), End.UNMATCHED)


def _borrowed_tin(shop: _Workshop) -> None:
    """The TIN is somebody's, the name and the address are not."""
    owner = shop.person()
    shop.file(owner, shop.home())
    shop.ask(shop.person(tin=owner["tin"]), shop.home(), End.UNMATCHED)


def _elsewhere(shop: _Workshop) -> None:
    """TIN, name and birth date agree; the address is complete, and not on file: what the failed control let through."""
    somebody = shop.person()
    shop.file(somebody, shop.home())
    shop.ask(somebody, shop.home(), End.HELD, "NOT_CORROBORATED")


def _two_records(shop: _Workshop) -> None:
    """Two records that nothing tells apart."""
    somebody, place = shop.person(tin=None), shop.home()
    shop.file(somebody, place)
    shop.file(somebody, place)
    shop.ask(somebody, place, End.AMBIGUOUS)


def _claimed_twice(shop: _Workshop) -> None:
    """One record without a birth date, claimed by two requests with different ones."""
    somebody, place = shop.person(), shop.home()
    shop.file({**somebody, "birth_date": None}, place)
    shop.ask(somebody, place, End.AMBIGUOUS)
    shop.ask({**somebody, "birth_date": somebody["birth_date"] + timedelta(days=700)}, place, End.AMBIGUOUS)


CASES: tuple[Callable[[_Workshop], None], ...] = (
    *[_on_file(End.ELIGIBLE)] * 2,
    _on_file(End.ELIGIBLE, person={"birth_date": None}),
    *[_on_file(End.ELIGIBLE, person={"tin": None})] * 2,
    _other_spelling,
    _slip_in_surname,
    _with_unit,
    *[_stranger] * 2,
    _borrowed_tin,
    _two_records,
    _claimed_twice,
    *[_elsewhere] * 2,
    _on_file(End.HELD, "PLACEHOLDER", home={"street": "FAILED TO PROVIDE"}),
    _on_file(End.HELD, "PLACEHOLDER", home={"street": "UNKNOWN ADDRESS", "city": None, "state": None}),
    _on_file(End.HELD, "NO_ADDRESS", home={"street": None, "city": None, "state": None}),
    _on_file(End.HELD, "NO_NUMBER", home={"street": "OAK STREET"}),
    _on_file(End.HELD, "NO_BOX", home={"street": "PO BOX"}),
    _on_file(End.HELD, "NO_ZIP", home={"zip": None}),
    _on_file(End.HELD, "ZIP_NOT_IN_STATE", home={"state": "OH"}),
)
