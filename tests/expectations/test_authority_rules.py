"""Authority and identity rules: a table of cases, each with the codes that it must give and no other; batch facts likewise."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from expectations import address, duck, facts, standard
from expectations.contracts import RAW_NAMES
from expectations.instruments import Agreement, CourtOrder, OrderScope, parse_letter
from expectations.rules.authority import BATCH_RULES, ROW_RULES
from expectations.rules.identity import RULES as IDENTITY_RULES
from expectations.rules.rule import Rule, failing_codes
from tests import submissions
from tests.submissions import LETTER_DATE, row

ROW = {**IDENTITY_RULES, **ROW_RULES}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.session() as opened:
        standard.setup(opened)
        address.setup(opened)
        yield opened


def letter_facts(
    known: Agreement, *, orders: tuple[CourtOrder, ...] = (), today: date = LETTER_DATE, **changes: Any
) -> dict[str, Any]:
    file = submissions.DataFile("requests.csv", b"", 1)
    text = submissions.letter([file], known, **changes).encode()
    signature = submissions.signatures.sign(text, submissions.KEY, submissions.signatures.LETTER)
    return facts.letter_facts(parse_letter(text), text, signature, known, orders, today, today)


def codes(connection: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], known: dict[str, Any]) -> list[list[str]]:
    """The codes of each row, from its raw fields; a row may replace a constant of the letter."""
    constants = ("letter_date", "min_days_after_final_order")
    table = pa.table({n: pa.array([r.get(n) for r in rows], pa.string()) for n in RAW_NAMES})
    connection.register("raw_rows", table.append_column("n", pa.array(range(len(rows)))))
    override = {c: v for r in rows for c, v in r.items() if c in constants}
    known = {**known, **{k: v.isoformat() if isinstance(v, date) else v for k, v in override.items()}}
    query = f"""WITH raw AS (FROM raw_rows), named AS ({standard.derive("raw")}),
      informed AS (SELECT *, {facts.row_constants(known)} FROM named)
      SELECT {failing_codes(ROW.values())} FROM informed ORDER BY n"""
    return [found for (found,) in connection.execute(query).fetchall()]


CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"first_name": "", "last_name": "", "full_name": "LOPEZ GARCIA, MARIA"}, []),
    ({"first_name": None, "last_name": None}, ["NO_NAME"]),
    ({"first_name": "", "last_name": "Lopez"}, ["NO_NAME"]),
    ({"first_name": "FNU"}, ["NO_NAME"]),
    ({"last_name": "unknown"}, ["NO_NAME"]),
    ({"last_name": "日本"}, ["NO_NAME"]),
    ({"birth_date": None}, []),
    ({"birth_date": "  "}, []),
    ({"birth_date": "1980-02-30"}, ["BAD_BIRTH_DATE"]),
    ({"birth_date": "05/17/1980"}, ["BAD_BIRTH_DATE"]),
    ({"birth_date": "0001-01-01"}, ["BAD_BIRTH_DATE"]),
    ({"birth_date": "2026-06-02"}, ["BAD_BIRTH_DATE"]),
    ({"birth_date": "unknown"}, ["BAD_BIRTH_DATE"]),
    ({"tin": None}, []),
    ({"tin": "219-45-6789"}, []),
    ({"tin": "000-00-0000"}, ["BAD_TIN"]),
    ({"tin": "666-12-3456"}, ["BAD_TIN"]),
    ({"tin": "12345678"}, ["BAD_TIN"]),
    ({"tin": "---"}, ["BAD_TIN"]),
    ({"taxable_period": None}, ["NO_TAXABLE_PERIOD"]),
    ({"taxable_period": "\u200b"}, ["NO_TAXABLE_PERIOD"]),
    ({"taxable_period": "2026"}, []),
    ({"taxable_period": "2019-2024"}, []),
    ({"taxable_period": "2024-2019"}, ["BAD_TAXABLE_PERIOD"]),
    ({"taxable_period": "2027"}, ["BAD_TAXABLE_PERIOD"]),
    ({"taxable_period": "all"}, ["BAD_TAXABLE_PERIOD"]),
    ({"reason": None}, ["NO_REASON"]),
    ({"reason": "..."}, ["NO_REASON"]),
    ({"reason": " n/a "}, ["NO_REASON"]),
    ({"officer": None}, ["NO_OFFICER"]),
    ({"officer": "officer-9"}, ["OFFICER_NOT_IN_LETTER"]),
    ({"officer": "officer-1' OR true --"}, ["OFFICER_NOT_IN_LETTER"]),
    ({"final_order_date": None}, ["NO_FINAL_ORDER"]),
    ({"case_number": " "}, ["NO_FINAL_ORDER"]),
    ({"final_order_date": "yes"}, ["BAD_FINAL_ORDER_DATE"]),
    ({"final_order_date": "2025-02-29"}, ["BAD_FINAL_ORDER_DATE"]),
    ({"final_order_date": "2026-06-02"}, ["FINAL_ORDER_IN_FUTURE"]),
    ({"final_order_date": "2026-06-01"}, ["FINAL_ORDER_TOO_RECENT"]),
    ({"final_order_date": "2026-03-03"}, ["FINAL_ORDER_TOO_RECENT"]),  # exactly 90 days before the letter
    ({"final_order_date": "2026-03-02"}, []),  # 91 days
]


def test_row_rules_give_the_codes_of_the_table(connection, sandbox: Agreement) -> None:
    found = codes(connection, [row(n, **changes) for n, (changes, _) in enumerate(CASES)], letter_facts(sandbox))
    assert [(changes, got) for (changes, _), got in zip(CASES, found, strict=True)] == CASES


def test_the_all_null_row_fails_every_row_rule(connection, sandbox: Agreement) -> None:
    assert codes(connection, [{}], letter_facts(sandbox)) == [sorted({r.code for r in ROW.values()})]


@pytest.mark.parametrize("rule", ROW.values(), ids=ROW)
def test_the_poison_of_a_row_rule_violates_it_and_no_other(connection, sandbox: Agreement, rule: Rule) -> None:
    assert codes(connection, [{**row(1), **rule.poison}], letter_facts(sandbox)) == [[rule.code]]


COUNTS = {
    "rows_submitted": 1000, "rows_rejected": 0, "rows_dropped": 0, "rows_open": 990, "incomplete_rows": 10,
    "worst_file_incomplete_share": 0.01, "identical_reason_rows": 0, "busiest_officer_rows": 500, "codes_over_limit": [],
}  # fmt: skip


def batch_codes(connection: duckdb.DuckDBPyConnection, known: dict[str, Any]) -> list[str]:
    table = facts.letter_facts_sql({k: v.isoformat() if isinstance(v, date) else v for k, v in known.items()})
    found = connection.execute(f"SELECT {failing_codes(BATCH_RULES.values())} FROM ({table})").fetchone()
    assert found is not None
    return found[0]


def test_a_batch_in_order_meets_every_batch_rule(connection, sandbox: Agreement) -> None:
    assert batch_codes(connection, {**letter_facts(sandbox), **COUNTS}) == []


@pytest.mark.parametrize("rule", BATCH_RULES.values(), ids=BATCH_RULES)
def test_the_poison_of_a_batch_rule_violates_it_and_no_other(connection, sandbox: Agreement, rule: Rule) -> None:
    assert batch_codes(connection, {**letter_facts(sandbox), **COUNTS, **rule.poison}) == [rule.code]


@pytest.mark.parametrize("rule", BATCH_RULES.values(), ids=BATCH_RULES)
def test_no_batch_rule_is_met_by_nothing(connection, rule: Rule) -> None:
    nothing = ", ".join(f"CAST(NULL AS {_kind(n)}) AS {n}" for n in rule.inputs)
    assert connection.execute(f"SELECT {rule.met} FROM (SELECT {nothing})").fetchall() == [(False,)]


def _kind(name: str) -> str:
    if name in ("officers", "orders_against", "orders_holding", "superseded_by", "codes_over_limit"):
        return "VARCHAR[]"
    numbers = ("rows_", "earlier_", "max_", "incomplete_", "identical_", "busiest_", "worst_")
    return (
        "DATE"
        if name in ("letter_date", "attested_on", "received_on")
        else "DOUBLE"
        if name.startswith(numbers)
        else "BOOLEAN"
    )


ATTESTED = {"solely": True, "no_informant_or_investigation_harmed": True}
LETTERS: list[tuple[dict[str, Any], str]] = [
    ({"requester": "somebody-else"}, "REQUESTER_NOT_PARTY"),
    ({"agreement": "another-agreement"}, "REQUESTER_NOT_PARTY"),
    ({"signatory": {"name": "B", "office": "Field office"}}, "OFFICE_MAY_NOT_SIGN"),
    ({"statute": "8 USC 1229a"}, "STATUTE_NOT_DESIGNATED"),
    ({"purpose": "Civil removal"}, "PURPOSE_NOT_ALLOWED"),
    ({"attestations": {"solely": False, "no_informant_or_investigation_harmed": True}}, "NOT_SOLELY"),
    ({"attestations": {"solely": True}}, "NO_CLEARANCE"),
    ({"officers": []}, "NO_OFFICERS"),
    ({"attestations": {**ATTESTED, "attested_on": date(2026, 6, 2)}}, "ATTESTED_AFTER_LETTER"),
    ({"attestations": {**ATTESTED, "attested_on": date(2025, 5, 31)}}, "ATTESTATION_EXPIRED"),
    ({"date": date(2026, 6, 2)}, "LETTER_IN_FUTURE"),
    ({"date": date(2026, 5, 1)}, "LETTER_TOO_OLD"),
]


@pytest.mark.parametrize(("changes", "code"), LETTERS)
def test_a_letter_with_one_defect_is_refused_for_it(connection, sandbox: Agreement, changes: dict, code: str) -> None:
    assert batch_codes(connection, {**letter_facts(sandbox, **changes), **COUNTS}) == [code]


def test_days_at_the_edge(connection, sandbox: Agreement) -> None:
    def judged(**changes: Any) -> list[str]:
        return batch_codes(connection, {**letter_facts(sandbox, **changes), **COUNTS})

    assert judged(date=date(2026, 5, 2)) == []  # thirty days old
    assert judged(today=date(2031, 12, 31), date=date(2031, 12, 31)) == []
    assert judged(today=date(2032, 1, 1), date=date(2031, 12, 31)) == ["AGREEMENT_NOT_IN_FORCE"]
    order = CourtOrder(
        kind="court_order", id="an-order", court="c", docket="d", title="t", source="s", effect="forbid",
        effective_on=LETTER_DATE, scope=OrderScope(agreements=(sandbox.id,)),
    )  # fmt: skip
    assert judged(orders=(order,)) == ["COURT_ORDER"]
    assert judged(orders=(order.model_copy(update={"effective_on": date(2026, 6, 2)}),)) == []


def test_a_letter_signed_by_another_key_is_refused(connection, sandbox: Agreement) -> None:
    other = sandbox.model_copy(update={"keys": sandbox.keys.model_copy(update={"signing": ()})})
    assert batch_codes(connection, {**letter_facts(other), **COUNTS}) == ["LETTER_UNSIGNED"]


def test_counts_are_derived_again_from_raw_fields(connection) -> None:
    good = [row(n) for n in range(1, 9)]
    good[0]["reason"] = good[1]["reason"] = "Needed."
    good[2]["reason"] = "needed"
    good[3]["street"], good[4]["officer"] = "Unknown Address", "officer-1 "
    rows = [{**r, "ordinal": n, "file": 1 + n // 4, "origin": "request", "outcome": None} for n, r in enumerate(good)]
    rows[3]["outcome"] = "held"
    rows.append({**rows[0], "ordinal": -1, "file": 0, "origin": "decoy"})
    kinds = {"ordinal": pa.int64(), "file": pa.int32()}
    names = ["ordinal", "file", "origin", "outcome", *RAW_NAMES]
    connection.register(
        "asked", pa.table({n: pa.array([r.get(n) for r in rows], kinds.get(n, pa.string())) for n in names})
    )
    connection.execute(f"CREATE TEMP TABLE judged AS {address.derive('asked', one_line=True)}")
    connection.register("bad", pa.table({"file": [2], "origin": ["request"]}))

    def counted(dropped: str | None) -> dict[str, Any]:
        return (
            connection.execute(
                facts.count_facts_sql("judged", "bad", dropped, {"PLACEHOLDER": 0.11, "NO_CITY": 0.0, "NO_ZIP": 0.0})
            )
            .to_arrow_table()
            .to_pylist()[0]
        )

    assert counted(None) == {
        "rows_submitted": 9, "rows_rejected": 1, "rows_dropped": 0, "rows_open": 7, "incomplete_rows": 1,
        "worst_file_incomplete_share": 0.25, "codes_over_limit": ["PLACEHOLDER"], "identical_reason_rows": 3,
        "busiest_officer_rows": 5,
    }  # fmt: skip
    after = counted("(SELECT 3 AS ordinal)")
    assert (after["rows_submitted"], after["rows_dropped"], after["rows_open"]) == (9, 1, 7)
    assert (after["incomplete_rows"], after["worst_file_incomplete_share"], after["codes_over_limit"]) == (0, 0.0, [])


@pytest.mark.parametrize(
    ("limit", "earlier", "held"),
    [
        (0.10, (0, 0), False),
        (0.01, (0, 0), False),
        (0.009, (0, 0), True),
        (0.05, (1000, 90), False),
        (0.05, (1000, 91), True),
    ],
)
def test_thirty_days_count_as_one(
    connection: duckdb.DuckDBPyConnection, sandbox: Agreement, limit: float, earlier: tuple[int, int], held: bool
) -> None:
    """10 of this batch's 1,000 rows are incomplete."""
    limits = sandbox.thresholds.model_copy(update={"incomplete_share_30_days": limit})
    known = letter_facts(sandbox.model_copy(update={"thresholds": limits}))
    before = {"earlier_rows": earlier[0], "earlier_incomplete_rows": earlier[1]}
    assert batch_codes(connection, {**known, **COUNTS, **before}) == (["TOO_MANY_INCOMPLETE"] if held else [])
