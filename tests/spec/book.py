"""The spec of the rule book: for each rule, cases that meet it and cases that violate it (`tests/spec/rules/*.yaml`).

A case changes some fields of a base that meets every rule: a request with the letter's constants beside it, the facts
on file of a matched row, or the one-row table of batch facts. `relations` gives all cases as tables that predicates can
be run on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

from expectations import address
from expectations.base import duck
from expectations.contracts.request import RAW_NAMES
from expectations.contracts.stages import CANONICAL, VERDICT
from expectations.facts import crowding, letter, sql
from expectations.facts.letter import LetterFacts
from expectations.instruments import Agreement, CourtOrder, Determination, parse_kept_letter
from expectations.names import standard
from expectations.rules import book
from expectations.rules.address import CLEAN, CROWD, PREMISES
from expectations.rules.rule import Phase, Rule, Scope
from tests.factories import submissions
from tests.factories.matched import on_file
from tests.factories.submissions import LETTER_DATE

FOLDER = Path(__file__).parent / "rules"
TABLES = ("request", "register", "batch")
CROWDED = 200  # the agreement's persons_per_address here: more than there are cases

# What a register-phase rule reads of a verdict row and of its canonical row; letter facts stand beside it.
FROM_VERDICT = (
    *("addresses_on_file", "units_on_file", "earlier_tries", "tried_beside", "corroboration", "lists", "origin"),
)
FROM_ROW = ("a_kind", "a_unit", "a_state")
MATCHED: dict[str, Any] = {
    "addresses_on_file": [on_file(1)],
    "units_on_file": 0,
    "earlier_tries": 0,
    "tried_beside": 0,
    "corroboration": "same",
    "a_kind": "street",
    "a_unit": None,
    "a_state": "MA",
    "lists": [],
    "origin": "request",
}
COUNTS: dict[str, Any] = {
    "rows_submitted": 1000,
    "rows_rejected": 0,
    "rows_dropped": 0,
    "incomplete_rows": 10,
    "worst_file_incomplete_share": 0.01,
    "identical_reason_rows": 0,
    "busiest_officer_rows": 500,
    "codes_over_limit": (),
}


@dataclass(frozen=True)
class Case:
    """What differs from the base, whether the rule is met, all codes that the base then gets, and why the case is here.

    id   `rule-number`, counted within the rule
    """

    id: str
    rule: str
    meets: bool
    changes: Mapping[str, Any]
    codes: tuple[str, ...]
    why: str = ""


def cases() -> list[Case]:
    """Every case of every file, in order."""
    known = {rule.id: rule for rule in book.every_rule()}
    found: list[Case] = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for rule, listed in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if rule not in known:
                raise ValueError(f"{path.name} has cases of {rule}, and the rule book has no such rule")
            found += [_case(known[rule], number, path.name, **case) for number, case in enumerate(listed, 1)]
    return found


def _case(
    rule: Rule,
    number: int,
    where: str,
    meets: Mapping[str, Any] | None = None,
    fails: Mapping[str, Any] | None = None,
    codes: Sequence[str] | None = None,
    why: str = "",
) -> Case:
    if (meets is None) == (fails is None):
        raise ValueError(f"{where}: a case of {rule.id} either meets or fails it")
    given = ([] if meets is not None else [rule.code]) if codes is None else codes
    return Case(
        f"{rule.id}-{number}", rule.id, meets is not None, meets if fails is None else fails, tuple(sorted(given)), why
    )


def table(rule: Rule) -> str:
    """The table that a rule is judged on."""
    return "batch" if rule.scope is Scope.BATCH else "register" if rule.phase is Phase.REGISTER else "request"


def letter_facts(
    under: Agreement | None = None,
    *,
    orders: tuple[CourtOrder, ...] = (),
    today: date = LETTER_DATE,
    determinations: tuple[Determination, ...] = (),
    **changes: Any,
) -> LetterFacts:
    """Facts of a letter in good order (but for `changes`)."""
    known = under or submissions.sandbox()
    made = submissions.determined().model_copy(update={"determined_on": today})
    determinations = determinations or (made,)
    text = submissions.letter([submissions.DataFile("requests.csv", b"", 1)], known, **changes).encode()
    signed = submissions.signatures.sign(text, submissions.KEY, submissions.signatures.LETTER)
    return letter.letter_facts(
        parse_kept_letter(text), text, signed, known, orders, today, today, determinations=determinations
    )


def of_batch(facts: LetterFacts | None = None) -> dict[str, Any]:
    """The one-row table of batch facts: a letter's, and the counts of a batch in good order."""
    return {**(facts or letter_facts()).flat(), **COUNTS}


def matched() -> dict[str, Any]:
    """The base of the register phase: the facts on file of a matched row, and the letter facts beside them."""
    facts = letter_facts().flat()
    return {**MATCHED, **{name: facts[name] for name in sql.register_constants()}}


def kinds(names: Iterable[str]) -> pa.Schema:
    """The types of these letter facts, as SQL has them."""
    facts = letter_facts().flat()
    with duck.session(duck.DuckSettings(threads=1)) as connection:
        return connection.execute(f"SELECT {sql.columns(facts, names)}").to_arrow_table().schema


def relations(connection: duckdb.DuckDBPyConnection, given: Sequence[Mapping[str, Any]], which: str) -> str:
    """Makes a table of these changes on the base of table `which`, numbered in column `n`, and returns its name."""
    made = {"request": _requests, "register": _matched, "batch": _facts}[which](connection, given)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {which}_cases AS {made}")
    return f"{which}_cases"


def _requests(connection: duckdb.DuckDBPyConnection, given: Sequence[Mapping[str, Any]]) -> str:
    """Each on a street address of its own; the address of CROWD is one that more live at than the agreement allows."""
    neighbours = [{**CROWD, "last_name": f"Neighbour {_letters(n)}"} for n in range(CROWDED)]
    rows = [
        {**submissions.row(1), **CLEAN, "street": f"{1000 + n} N Alder St", **change}
        for n, change in enumerate([*given, *neighbours])
    ]
    raw = pa.table({n: pa.array([r.get(n) for r in rows], pa.string()) for n in RAW_NAMES})
    connection.register("spec_raw", raw.append_column("n", pa.array(range(len(rows)))))
    base, names = letter_facts().flat(), sql.request_constants()
    constants = [{n: change.get(n, base[n]) for n in names} for change in given]
    connection.register("spec_constants", _numbered(constants, kinds(names)))
    derived = address.derive(f"({standard.derive('spec_raw')})", one_line=True, premises=PREMISES)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE spec_parsed AS SELECT *, 'request' AS origin, n AS ordinal FROM ({derived})"
    )
    marked = crowding.marked("spec_parsed", f"({crowding.sql('spec_parsed', CROWDED)})", "a_codes")
    return f"SELECT * FROM ({marked}) JOIN spec_constants USING (n)"


def _matched(connection: duckdb.DuckDBPyConnection, given: Sequence[Mapping[str, Any]]) -> str:
    base, own = matched(), kinds(sql.register_constants())
    stored = [*(VERDICT.field(n) for n in FROM_VERDICT), *(CANONICAL.field(n) for n in FROM_ROW)]
    connection.register("spec_matched", _numbered([{**base, **change} for change in given], pa.schema([*stored, *own])))
    return "FROM spec_matched"


def _facts(connection: duckdb.DuckDBPyConnection, given: Sequence[Mapping[str, Any]]) -> str:
    base = of_batch()
    selects = [sql.one_row({**base, **change}) for change in given]
    return " UNION ALL BY NAME ".join(f"SELECT *, {n} AS n FROM ({one})" for n, one in enumerate(selects))


def _numbered(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    made = pa.Table.from_pylist(list(rows), schema=pa.schema([f.with_nullable(True) for f in schema]))
    return made.append_column("n", pa.array(range(made.num_rows)))


def _letters(number: int) -> str:
    return "".join(chr(65 + int(digit)) for digit in str(number))
