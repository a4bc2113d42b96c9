"""When the request's address corroborates: the table is the rule book."""

from datetime import date

import pyarrow as pa
import pytest

from expectations import address
from expectations.base.duck import session
from expectations.contracts.register import ON_FILE
from expectations.facts import corroboration
from expectations.facts.letter import RegisterFacts, register_facts
from expectations.instruments import Agreement, standing
from tests.factories import submissions

# request | addresses on file (street, unit, city, state, zip, urbanization) | how they compare
REQUEST = ("100 N Main Street", "Apt 4", "Springfield", "IL", "62701")
SPRINGFIELD = ("SPRINGFIELD", "IL", "62701")
TABLE: list[tuple[str, tuple[str | None, ...], list[tuple[str | None, ...]], str]] = [
    ("another spelling of the same", REQUEST, [("100 NORTH MAIN ST", "#4", *SPRINGFIELD)], "same"),
    ("ZIP+4 on file", REQUEST, [("100 N MAIN ST", "APT 4", "SPRINGFIELD", "IL", "62701-1234")], "same"),
    ("another city name of the ZIP", REQUEST, [("100 N MAIN ST", "APT 4", "SPFLD", "IL", "62701")], "same"),
    ("another unit", REQUEST, [("100 N MAIN ST", "APT 5", *SPRINGFIELD)], "building"),
    ("no unit on file", REQUEST, [("100 N MAIN ST", None, *SPRINGFIELD)], "building"),
    ("no unit asked", ("100 N Main St", None, *SPRINGFIELD), [("100 N MAIN ST", "APT 4", *SPRINGFIELD)], "building"),
    ("no unit on either side", ("100 N Main St", None, *SPRINGFIELD), [("100 N MAIN ST", None, *SPRINGFIELD)], "same"),
    (
        "the basement is another place",
        ("100 N Main St", None, *SPRINGFIELD),
        [("100 N MAIN ST", "BSMT", *SPRINGFIELD)],
        "building",
    ),
    ("floor 4 is not apartment 4", REQUEST, [("100 N MAIN ST", "FL 4", *SPRINGFIELD)], "building"),
    ("apartment 4 of a building", REQUEST, [("100 N MAIN ST", "BLDG C APT 4", *SPRINGFIELD)], "building"),
    ("another number", REQUEST, [("102 N MAIN ST", "APT 4", *SPRINGFIELD)], "differs"),
    ("another direction", REQUEST, [("100 S MAIN ST", "APT 4", *SPRINGFIELD)], "differs"),
    ("another kind of street", REQUEST, [("100 N MAIN AVE", "APT 4", *SPRINGFIELD)], "differs"),
    ("another ZIP", REQUEST, [("100 N MAIN ST", "APT 4", "SPRINGFIELD", "IL", "62702")], "differs"),
    ("another state", REQUEST, [("100 N MAIN ST", "APT 4", "SPRINGFIELD", "MO", "62701")], "differs"),
    ("a box is not a street", REQUEST, [("PO BOX 100", None, *SPRINGFIELD)], "differs"),
    ("the same box", ("P.O. Box 12", None, *SPRINGFIELD), [("PO BOX 12", None, *SPRINGFIELD)], "same"),
    ("nothing on file", REQUEST, [], "not_comparable"),
    ("nothing readable on file", REQUEST, [("UNKNOWN", None, *SPRINGFIELD)], "not_comparable"),
    ("nulls on file", REQUEST, [(None,) * 5], "not_comparable"),
    ("an unreadable request", ("UNKNOWN", None, *SPRINGFIELD), [("UNKNOWN", None, *SPRINGFIELD)], "not_comparable"),
    ("blank on both sides", (None,) * 5, [(None,) * 5], "not_comparable"),
    ("no number on either side", ("Main St", None, *SPRINGFIELD), [("MAIN ST", None, *SPRINGFIELD)], "not_comparable"),
    (
        "the best of several counts",
        REQUEST,
        [("1 ELM ST", None, *SPRINGFIELD), ("100 N MAIN ST", "4", *SPRINGFIELD), ("UNKNOWN", None, *SPRINGFIELD)],
        "same",
    ),
    (
        "ZIP and a placeholder",
        ("Unknown Address", None, None, None, "62701"),
        [("1 ELM ST", None, *SPRINGFIELD)],
        "not_comparable",
    ),
    (
        "an urbanization on one side only",
        ("100 Calle 1", None, "San Juan", "PR", "00926"),
        [("100 CALLE 1", None, "SAN JUAN", "PR", "00926", "URB LOS PINOS")],
        "differs",
    ),
    (
        "an urbanization before the street, and in its own field",
        ("Urb. Los Pinos 100 Calle 1", None, "San Juan", "PR", "00926"),
        [("100 CALLE 1", None, "SAN JUAN", "PR", "00926", "URBANIZACION LOS PINOS")],
        "same",
    ),
    (
        "another urbanization",
        ("URB LOS PINOS 100 CALLE 1", None, "San Juan", "PR", "00926"),
        [("100 CALLE 1", None, "SAN JUAN", "PR", "00926", "URB LAS LOMAS")],
        "differs",
    ),
]


NAMES = ("street", "unit", "city", "state", "zip", "urbanization")
ASKED = pa.schema([("ordinal", pa.int64()), *((n, pa.string()) for n in NAMES[:5])])
FACTS = pa.schema([("ordinal", pa.int64()), ("addresses_on_file", pa.list_(ON_FILE))])


@pytest.fixture(scope="module")
def compared() -> dict[int, str]:
    """The whole table through the SQL at once, by its line."""
    start = {"valid_from": date(2020, 1, 1), "valid_to": None}
    asked, facts = [], []
    for ordinal, (_, request, on_file, _) in enumerate(TABLE):
        held = [{**dict.fromkeys(NAMES), **dict(zip(NAMES, a, strict=False)), **start} for a in on_file]
        asked.append({"ordinal": ordinal, **dict(zip(NAMES, request, strict=False))})
        facts.append({"ordinal": ordinal, "addresses_on_file": held})
    # a verdict without its request: nothing was compared
    facts.append({"ordinal": len(TABLE), "addresses_on_file": facts[0]["addresses_on_file"]})
    with session() as connection:
        address.setup(connection)
        connection.register("asked", pa.Table.from_pylist(asked, schema=ASKED))
        connection.register("facts", pa.Table.from_pylist(facts, schema=FACTS))
        connection.execute(f"CREATE TEMP TABLE parsed AS {address.derive('asked', one_line=False)}")
        found = connection.execute(corroboration.sql("parsed", "facts")).fetchall()
    assert len(found) == len(facts)
    return dict(found)


@pytest.mark.parametrize("line", range(len(TABLE)), ids=[r[0] for r in TABLE])
def test_corroboration(compared: dict[int, str], line: int) -> None:
    assert compared[line] == TABLE[line][3]


def test_a_verdict_without_its_request_is_not_corroborated(compared: dict[int, str]) -> None:
    assert compared[len(TABLE)] == "not_comparable"


DECIDED = date(2026, 3, 1)
# which addresses | years | on file from | on file until | counts
COUNTS: list[tuple[str, int, date, date | None, bool]] = [
    ("current_and_earlier", 200, date(2020, 1, 1), None, True),
    ("current_and_earlier", 200, date(1990, 1, 1), date(1995, 1, 1), True),
    ("current_and_earlier", 5, date(1990, 1, 1), date(2021, 2, 28), False),
    ("current_and_earlier", 5, date(1990, 1, 1), date(2021, 3, 1), True),
    ("current", 200, date(2020, 1, 1), None, True),
    ("current", 200, date(1990, 1, 1), date(2025, 1, 1), False),
    ("current_and_earlier", 200, DECIDED, None, True),
    ("current_and_earlier", 200, date(2026, 3, 2), None, False),
]


def of(agreement: Agreement, day: date) -> RegisterFacts:
    return register_facts(agreement, standing(agreement, [], agreement.statutes[0], agreement.purposes[0], day), day)


@pytest.mark.parametrize(("which", "years", "begins", "ends", "counting"), COUNTS)
def test_which_addresses_on_file_count(which: str, years: int, begins: date, ends: date | None, counting: bool) -> None:
    agreement = submissions.sandbox().model_copy(
        update={"addresses_that_corroborate": which, "earlier_addresses_years": years}
    )
    counts = corroboration.counts(of(agreement, DECIDED))
    with session() as connection:
        query = f"SELECT {counts} FROM (SELECT $1::DATE AS valid_from, $2::DATE AS valid_to)"
        assert connection.execute(query, [begins, ends]).fetchall() == [(counting,)]


def test_the_29th_of_february_has_a_day_five_years_before() -> None:
    agreement = submissions.sandbox().model_copy(update={"earlier_addresses_years": 5})
    assert of(agreement, date(2028, 2, 29)).earliest_address_end == date(2023, 2, 28)
