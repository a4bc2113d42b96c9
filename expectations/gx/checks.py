"""What a suite is made of: declared checks on tables, each of a kind that GX has an expectation for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import duckdb

from expectations import codes
from expectations.base.errors import Fault
from expectations.base.total import total
from expectations.contracts.schemas import schema
from expectations.rules.rule import REFUSES, Disposition, Rule

Setup = Callable[[duckdb.DuckDBPyConnection], None]


class Kind(StrEnum):
    """What a check looks at; `gx.declare` has the expectations of each."""

    RULE = "rule"  # a predicate on every row
    ROWS = "rows"  # the number of rows
    COLUMNS = "columns"  # the names of the columns
    UNIQUE = "unique"  # no null and no duplicate in a column
    IN_SET = "in_set"  # only values of a closed list in a column
    SHARE = "share"  # a predicate on a share of the rows; it only informs, beside the strict check that decides


# Whether a check looks at rows: one that saw none has proved nothing.
LOOKS_AT_ROWS = total(
    Kind,
    {
        Kind.RULE: True,
        Kind.ROWS: False,
        Kind.COLUMNS: False,
        Kind.UNIQUE: True,
        Kind.IN_SET: True,
        Kind.SHARE: True,
    },
)
# What GX calls the weight of a failure: final for the batch, or it waits for a person. What only informs is `info`.
SEVERITY: Mapping[Disposition, str] = total(
    Disposition,
    {Disposition.HOLD_ROW: "warning", Disposition.HOLD_BATCH: "warning", Disposition.REFUSE_BATCH: "critical"},
)


@dataclass(frozen=True)
class Check:
    """One declared check on one table.

    arguments    what the kind needs; see the constructors below
    code         of the closed list: what its failure means; `source` of law with it
    disposition  what its failure does
    poison       columns of the table that, so changed, violate this check: the self-test proves that it then fails
    """

    id: str
    table: str
    kind: Kind
    arguments: Mapping[str, Any]
    code: str
    disposition: Disposition = Disposition.HOLD_BATCH
    poison: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return codes.code(self.code).source

    @property
    def informs(self) -> bool:
        """Whether its failure is shown and decides nothing."""
        return self.kind is Kind.SHARE

    @property
    def severity(self) -> str:
        """The severity of its GX expectations."""
        return "info" if self.informs else SEVERITY[self.disposition]

    @property
    def said(self) -> dict[str, Any]:
        """What the verdict has to know of it, as JSON can hold it (`portable.decide`)."""
        looks = LOOKS_AT_ROWS[self.kind]
        return {
            "code": self.code,
            "refuses": REFUSES[self.disposition],
            "informs": self.informs,
            "looks_at_rows": looks,
        }


def rule(one: Rule, table: str) -> Check:
    """Every row of `table` meets the rule; NULL is a failure."""
    return condition((one.id, table, one.code), one.inputs, one.predicate, one.poison, one.disposition)


def condition(
    head: tuple[str, str, str],
    columns: Sequence[str],
    predicate: str,
    poison: Mapping[str, Any],
    disposition: Disposition = Disposition.HOLD_BATCH,
) -> Check:
    """Every row fulfils `predicate` (DuckDB SQL over `columns`); NULL is a failure. `head`: id, table, code."""
    id, table, code = head
    return Check(id, table, Kind.RULE, {"columns": tuple(columns), "predicate": predicate}, code, disposition, poison)


def share(
    head: tuple[str, str, str], column: str, predicate: str, tolerated: float, poison: Mapping[str, Any]
) -> Check:
    """All rows but a share of `tolerated` fulfil `predicate`, SQL over `column`; NULL does not. It only informs."""
    id, table, code = head
    arguments = {"columns": (column,), "predicate": predicate, "mostly": 1.0 - tolerated}
    return Check(id, table, Kind.SHARE, arguments, code, poison=poison)


def equal(id: str, table: str, left: str, right: str, code: str, poison: Any) -> Check:
    """In every row of `table` the columns `left` and `right` are the same. `poison`: what `left` then is not."""
    return condition((id, table, code), (left, right), f"{left} = {right}", {left: poison})


def none(id: str, table: str, column: str, code: str = "COUNTS_DIFFER") -> Check:
    """`table` counts nothing in `column`."""
    return condition((id, table, code), (column,), f"{column} = 0", {column: 1})


def row_count(id: str, table: str, rows: int, code: str = "COUNTS_DIFFER") -> Check:
    """`table` has exactly `rows` rows."""
    return Check(id, table, Kind.ROWS, {"rows": rows}, code)


def unique(id: str, table: str, column: str, code: str = "COUNTS_DIFFER") -> Check:
    """No value of `column` is null or a duplicate."""
    return Check(id, table, Kind.UNIQUE, {"column": column}, code)


def in_set(id: str, table: str, column: str, values: Iterable[str], *, null: bool, code: str) -> Check:
    """Every value of `column` is one of `values`, or null where that is allowed."""
    return Check(id, table, Kind.IN_SET, {"column": column, "values": tuple(values), "null": null}, code)


def columns(id: str, table: str, names: Iterable[str], code: str = "VERDICT_DIFFERS") -> Check:
    """`table` has these columns, no more and no less."""
    return Check(id, table, Kind.COLUMNS, {"columns": tuple(names)}, code)


def columns_of(id: str, table: str, contract: str) -> Check:
    """`table` has the columns of the contract called `contract`."""
    return columns(id, table, schema(contract).names)


@dataclass(frozen=True)
class Suite:
    """What must hold at one checkpoint.

    checks   in the order in which they are reported; ids are unique
    main     the table whose row count is the manifest's
    setup    defines the macros that the tables' SQL uses
    """

    name: str
    main: str
    checks: tuple[Check, ...]
    setup: tuple[Setup, ...] = ()

    def __post_init__(self) -> None:
        ids = [c.id for c in self.checks]
        if len(set(ids)) != len(ids):
            raise Fault("RULE_TWICE", f"suite {self.name} declares a check twice")
