"""Properties of the rule book: the elements of each statute as its twin sees them, and nothing gained by leaving
out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import cycle
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from expectations import address
from expectations.base import duck
from expectations.contracts.request import RAW_NAMES
from expectations.facts import sql
from expectations.names import standard
from expectations.rules import book
from expectations.rules.rule import failing_codes
from expectations.rules.statutes import STATUTES
from tests.generative.examples import examples
from tests.generative.statute_twins import TWINS
from tests.spec import book as spec

# each example is a list of rows, so that shrinking would cost a query a step
SETTINGS = settings(
    max_examples=examples(3),
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
EDGES = [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2023, 3, 1), date(2024, 12, 31), date(2025, 1, 1)]
JUNK = [
    None,
    "",
    " ",
    "\u200b",
    "yes",
    "2023-02-29",
    "2024-02-30",
    "2024-13-01",
    "01/02/2024",
    "20240229",
    "--",
    "0001-01-01",
    "1900-01-01",
]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.session(duck.DuckSettings(threads=1)) as connection:
        standard.setup(connection)
        address.setup(connection)
        yield connection


def under_statutes(con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]) -> list[set[str]]:
    """The codes that the elements of the rows' statutes give them."""
    rules = [rule for one in STATUTES.values() for rule in one.rules.values()]
    kinds = {field.name: field.type for field in spec.kinds(sql.request_constants())}
    names = dict.fromkeys(name for rule in rules for name in rule.inputs)
    columns = {n: pa.array([r.get(n, "R-1") for r in rows], kinds.get(n, pa.string())) for n in names}
    con.register("elements", pa.table({**columns, "n": range(len(rows))}))
    query = f"SELECT {failing_codes(rules)} FROM elements ORDER BY n"
    return [set(codes) for (codes,) in con.execute(query).fetchall()]


def test_every_statute_has_a_twin() -> None:
    assert set(TWINS) == set(STATUTES)


def test_the_ninetieth_day_over_leap_days_and_year_ends(con: duckdb.DuckDBPyConnection) -> None:
    """Each letter of two winters, each order up to a hundred days before it and two after, reviewed by a court or
    not."""
    rows = [
        {
            "statute": "8 USC 1253(a)(1)",
            "case_number": "C-1",
            "removal_ground": "1227(a)(5)",
            "letter_date": letter,
            "days_after_final_order": 90,
            "final_order_date": str(letter - timedelta(days=400 if court else days)),
            "judicial_order_date": str(letter - timedelta(days=days)) if court else "none",
            **dict.fromkeys(("prong", "conduct_date", "conduct_place", "proper_steps")),
        }
        for letter in (
            first + timedelta(days=n) for first in (date(2022, 12, 25), date(2023, 12, 25)) for n in range(110)
        )
        for days in range(-2, 100)
        for court in (False, True)
    ]
    found = under_statutes(con, rows)
    assert found == [TWINS["8 USC 1253(a)(1)"](row) for row in rows]
    assert found.count(set()) == 2 * 2 * 110 * 9  # the 91st day to the 99th


PRONGS = [
    "1253(a)(1)A",
    "8 USC A",
    "1253(a)(1)((A)",
    None,
    " ",
    "A",
    "B",
    "C",
    "D",
    "(B)",
    "D)",
    "E",
    "a",
    "AB",
    "1253(a)(1)(C)",
    "8 U.S.C. § 1253(a)(1)(D)",
    "8 USC A",
]


@st.composite
def removals(draw: st.DrawFn) -> dict[str, Any]:
    """A row under 8 USC 1253(a)(1), near the bounds of its elements."""
    letter = draw(st.one_of(st.sampled_from(EDGES), st.dates(date(2020, 1, 1), date(2032, 12, 31))))
    asked = draw(st.sampled_from([90, 91, 365]))
    near = st.integers(-3, 3).map(lambda n: asked + n)
    days = st.one_of(near, st.integers(-2, 2), st.integers(-400, 4000))
    written = st.builds(
        lambda n, around: around.format(letter - timedelta(days=n)), days, st.sampled_from(["{}", " {} "])
    )
    ground = st.builds(
        "".join,
        st.tuples(
            st.sampled_from(["", "", "8 USC ", "8 U.S.C. § ", " ", "INA "]),
            st.sampled_from(["1227(a)", "1227(b)", "1182(a)"]),
            st.sampled_from(["(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)", ""]),
            st.sampled_from(["", "(A)", "(B)", "(D)", "(E)", "(F)", "(G)", "(H)", "(a)"]),
            st.sampled_from(["", "", "(i)", "(iii)", "(iv)", "(vi)", "(vii)", "(viii)", "(I)"]),
        ),
    )
    return {
        "statute": "8 USC 1253(a)(1)",
        "letter_date": letter,
        "days_after_final_order": asked,
        "final_order_date": draw(st.one_of(written, written, st.sampled_from(JUNK))),
        "judicial_order_date": draw(
            st.one_of(st.sampled_from(["none", " NONE", None]), written, st.sampled_from(JUNK))
        ),
        "removal_ground": draw(st.one_of(st.just("1227(a)(1)(B)"), ground, st.sampled_from(JUNK))),
        "case_number": draw(st.sampled_from(["C-1", "C-1", "", None, "-"])),
        "prong": draw(st.sampled_from(PRONGS)),
        "conduct_date": draw(st.one_of(st.none(), written, st.sampled_from(JUNK))),
        "conduct_place": draw(st.sampled_from(["26 Federal Plaza", "", None, "-"])),
        "proper_steps": draw(st.sampled_from([None, "none", " NONE ", "-", "a motion to reopen"])),
    }


@SETTINGS
@given(st.lists(removals(), min_size=150, max_size=200))
def test_the_twin_of_8_usc_1253_agrees(con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]) -> None:
    twin = TWINS["8 USC 1253(a)(1)"]
    wrong = [(row, codes) for row, codes in zip(rows, under_statutes(con, rows), strict=True) if codes != twin(row)]
    assert wrong == []


# What the properties below draw from: the violating row of every rule, and values of each field of a request, right or
# wrong. Fields whose absence says something of its own; the codes that leaving one out may take away are those that it
# gave.
OPTIONAL: dict[str, tuple[str, ...]] = {
    "middle_name": (),
    "suffix": (),
    "birth_date": ("BAD_BIRTH_DATE",),  # may be left out; one that cannot be right is a defect
    "tin": ("BAD_TIN",),
    "prong": ("BAD_PRONG", "NO_CONDUCT_DATE", "NO_CONDUCT_PLACE"),  # left out it is (A), which asks for 90 days
    "conduct_date": ("BAD_CONDUCT_DATE", "CONDUCT_BEFORE_ORDER", "CONDUCT_IN_FUTURE"),  # (A) asks for none
    "conduct_place": (),
    "proper_steps": ("PROPER_STEPS_TAKEN",),  # who says nothing claims no exception
    "unit": ("PRIVATE_MAILBOX", "NOT_PARSED", "PLACEHOLDER", "FACILITY"),  # a house has none; UNIT_NEEDED asks for it
}
# Name and address may be given in parts or in one line; here a row has one form of each, so that no other stands in.
LINES = {
    "full_name": {"first_name": None, "middle_name": None, "last_name": None},
    "address": {"street": None, "unit": None, "city": None, "state": None, "zip": None},
}
VALUES: dict[str, list[str]] = {
    "full_name": ["LOPEZ GARCIA, MARIA", "Maria Lopez", "FNU LNU"],
    "address": ["12 Elm St, Houston, TX 77002", "UNKNOWN, Houston, TX 77002", "PO Box 9, Houston, TX 77002"],
    "first_name": ["Ana", "FNU"],
    "last_name": ["Diaz", "UNKNOWN"],
    "suffix": ["JR", "x"],
    "street": ["99 Oak Ave", "Oak Ave", "PO Box", "N/A"],
    "unit": ["Apt 7", "PMB 4", "Unknown", "County Jail"],
    "city": ["Houston", "Dallas", "Unknown"],
    "state": ["Texas", "NY"],
    "zip": ["77002", "00000", "10001"],
    "birth_date": ["1980-05-17", "1980-02-30"],
    "tin": ["219-45-6789", "000-00-0000"],
    "taxable_period": ["2024", "2099", "all"],
    "reason": ["To serve the indictment.", "n/a"],
    "officer": ["officer-1", "nobody"],
    "final_order_date": ["2025-06-01", "2026-06-02", "2026-05-01", "yes"],
    "judicial_order_date": ["none", "2025-09-01", "2026-05-01", "2025-01-01", "2027-01-01", "no"],
    "removal_ground": ["1227(a)(1)(B)", "1182(a)(6)"],
    "case_number": ["C-7", "-"],
    "prong": ["A", "B", "D", "E"],
    "conduct_date": ["2025-08-01", "2024-08-01", "2027-01-01", "soon"],
    "conduct_place": ["26 Federal Plaza", "-"],
    "proper_steps": ["none", "a motion to reopen"],
}


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Changes on a request in good order: a few of its fields, right or wrong, and what violates one of the rules."""
    fields = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=4, unique=True))
    rule = draw(st.one_of(st.none(), st.sampled_from(book.request_rules())))
    made = {**{name: draw(st.sampled_from(VALUES[name])) for name in fields}, **(rule.poison if rule else {})}
    for line, parts in LINES.items():
        if line in made:
            made |= parts
    return made


def test_every_field_of_a_request_is_tried() -> None:
    missing = set(RAW_NAMES) - set(VALUES) - {"request_id", "middle_name"}  # a row without its id ends before the rules
    assert missing == set(), (
        f"give {sorted(missing)} values, right and wrong, in VALUES of tests/generative/test_rules.py"
    )


def codes_of(con: duckdb.DuckDBPyConnection, rows: list[Mapping[str, Any]], which: str) -> list[set[str]]:
    rules = book.register_rules() if which == "register" else book.request_rules()
    query = f"SELECT {failing_codes(rules)} FROM {spec.relations(con, rows, which)} ORDER BY n LIMIT {len(rows)}"
    return [set(codes) for (codes,) in con.execute(query).fetchall()]


@SETTINGS
@given(st.lists(requests(), min_size=15, max_size=20), st.sampled_from([None, "", " ", "\u200b"]))
def test_leaving_an_element_out_never_makes_a_request_eligible(
    con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], blank: str | None
) -> None:
    less = [{**row, name: blank} for row in rows for name in RAW_NAMES]
    found = codes_of(con, [*rows, *less], "request")
    before, after = found[: len(rows)], iter(found[len(rows) :])
    for row, had in zip(rows, before, strict=True):
        for name in RAW_NAMES:
            gets = next(after)
            if name in OPTIONAL:
                lost = had - set(OPTIONAL[name]) - gets
                assert lost == set(), f"without {name} {row} loses {lost}: a fault, or a code for OPTIONAL in this file"
            else:
                assert gets or not had, (row, name, had)


# Values of what is known of a matched row, for each fact that a register-phase rule reads.
KNOWN: dict[str, list[Any]] = {
    "a_kind": ["street", "po_box", "rural"],
    "a_unit": [None, "4"],
    "a_state": ["MA", "TX"],
    "units_on_file": [0, 1, 2, 3],
    "earlier_tries": [0, 1, 2, 3, 4],
    "tried_beside": [0, 0, 0, 1],
    "tries_per_person": [1, 3],
    "corroboration": ["same", "differs", "building", "not_comparable"],
    "addresses_on_file": [[], spec.MATCHED["addresses_on_file"]],
    "lists": [[], ["informant"], ["plaintiffs"]],
    "lists_required": [[], ["plaintiffs"]],
    "lists_barred": [[], ["plaintiffs"], ["class"]],
    "lists_on_file": [[], ["class"], ["informant", "plaintiffs"]],
    "states_withheld": [[], ["TX"]],
    "origin": ["request", "request", "decoy"],
}


def test_every_fact_of_a_matched_row_is_tried() -> None:
    missing = {name for rule in book.register_rules() for name in rule.inputs} - set(KNOWN)
    assert missing == set(), (
        f"give {sorted(missing)} values, right and wrong, in KNOWN of tests/generative/test_rules.py"
    )


@SETTINGS
@given(
    st.lists(
        st.fixed_dictionaries({name: st.sampled_from(values) for name, values in KNOWN.items()}),
        min_size=50,
        max_size=80,
    )
)
def test_knowing_less_never_makes_a_matched_row_eligible(
    con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]
) -> None:
    names = list(spec.matched())
    poisoned = [{**row, **rule.poison} for row, rule in zip(rows, cycle(book.register_rules()), strict=False)]
    given_rows = [*rows, *poisoned]
    less = [{**row, name: None} for row in given_rows for name in names]
    found = codes_of(con, [*given_rows, *less], "register")
    before, after = found[: len(given_rows)], iter(found[len(given_rows) :])
    for row, had in zip(given_rows, before, strict=True):
        for name in names:
            assert next(after) >= had, (row, name)
