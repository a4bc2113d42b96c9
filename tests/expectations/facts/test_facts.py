"""What makes the facts that batch rules read: the letter, the instruments on the day, and the counts over the rows."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations import address
from expectations.base import duck
from expectations.base.signatures import public_line
from expectations.contracts.request import RAW_NAMES
from expectations.facts import counts, sql
from expectations.instruments import Agreement, CourtOrder, Determination, OrderScope
from expectations.names import standard
from expectations.rules import book
from expectations.rules.rule import failing_codes
from tests.factories.submissions import LETTER_DATE, determined, row
from tests.spec.book import letter_facts, of_batch


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.session() as opened:
        standard.setup(opened)
        address.setup(opened)
        yield opened


def batch_codes(connection: duckdb.DuckDBPyConnection, known: dict[str, Any]) -> list[str]:
    found = connection.execute(f"SELECT {failing_codes(book.batch_rules())} FROM ({sql.one_row(known)})").fetchone()
    assert found is not None
    return found[0]


OTHER = public_line(Ed25519PrivateKey.generate())
ATTESTED = {"solely": True, "no_informant_or_investigation_harmed": True}
LETTERS: list[tuple[dict[str, Any], str]] = [
    ({"requester": "somebody-else"}, "REQUESTER_NOT_PARTY"),
    ({"agreement": "another-agreement"}, "REQUESTER_NOT_PARTY"),
    ({"signatory": {"name": "B", "office": "Field office"}}, "OFFICE_MAY_NOT_SIGN"),
    ({"statute": "8 USC 1229a"}, "STATUTE_NOT_DESIGNATED"),
    ({"purpose": "Civil removal"}, "PURPOSE_NOT_ALLOWED"),
    ({"attestations": {"solely": False, "no_informant_or_investigation_harmed": True}}, "NOT_SOLELY"),
    ({"officers": []}, "NO_OFFICERS"),
    ({"attestations": {**ATTESTED, "attested_on": date(2026, 6, 2)}}, "ATTESTED_AFTER_LETTER"),
    ({"attestations": {**ATTESTED, "attested_on": date(2025, 5, 31)}}, "ATTESTATION_EXPIRED"),
    ({"date": date(2026, 6, 2)}, "LETTER_IN_FUTURE"),
    ({"date": date(2026, 5, 1)}, "LETTER_TOO_OLD"),
]


@pytest.mark.parametrize(("changes", "code"), LETTERS)
def test_a_letter_with_one_defect_is_refused_for_it(connection, sandbox: Agreement, changes: dict, code: str) -> None:
    assert batch_codes(connection, of_batch(letter_facts(sandbox, **changes))) == [code]


def test_days_at_the_edge(connection, sandbox: Agreement) -> None:
    def judged(**changes: Any) -> list[str]:
        return batch_codes(connection, of_batch(letter_facts(sandbox, **changes)))

    assert judged(date=date(2026, 5, 2)) == []  # thirty days old
    assert judged(today=date(2031, 12, 31), date=date(2031, 12, 31)) == []
    assert judged(today=date(2032, 1, 1), date=date(2031, 12, 31)) == ["AGREEMENT_NOT_IN_FORCE"]
    order = CourtOrder(
        kind="court_order",
        id="an-order",
        court="c",
        docket="d",
        title="t",
        source="s",
        effect="forbid",
        effective_on=LETTER_DATE,
        scope=OrderScope(agreements=(sandbox.id,)),
    )
    assert judged(orders=(order,)) == ["COURT_ORDER"]
    assert judged(orders=(order.model_copy(update={"effective_on": date(2026, 6, 2)}),)) == []


def test_a_letter_signed_by_another_key_is_refused(connection, sandbox: Agreement) -> None:
    other = sandbox.model_copy(update={"signatories": (sandbox.signatories[0].model_copy(update={"keys": (OTHER,)}),)})
    assert batch_codes(connection, of_batch(letter_facts(other))) == ["LETTER_KEY_UNKNOWN"]


def test_what_the_requester_attests_under_i_6_decides_nothing(connection, sandbox: Agreement) -> None:
    """26 USC 6103(i)(6) is the holder's determination: DOJ Criminal Resource Manual 511."""
    made = determined()
    of_another = made.model_copy(update={"agreements": ("another-agreement",)})
    days = sandbox.thresholds.determination_days

    def judged(*determinations: Determination, harmless: bool = False) -> list[str]:
        attested = {"solely": True, "no_informant_or_investigation_harmed": harmless}
        return batch_codes(
            connection, of_batch(letter_facts(sandbox, determinations=determinations, attestations=attested))
        )

    def on(day: date, **more: Any) -> Determination:
        return made.model_copy(update={"determined_on": day, **more})

    assert judged(made) == []
    assert judged(of_another) == judged(of_another, harmless=True) == ["NO_CLEARANCE"]
    assert judged(on(LETTER_DATE - timedelta(days=days))) == []
    assert judged(on(LETTER_DATE - timedelta(days=days + 1)), harmless=True) == ["NO_CLEARANCE"]
    assert judged(on(LETTER_DATE + timedelta(days=9))) == []  # made while the batch waited for it
    assert judged(on(LETTER_DATE, withdrawn_on=LETTER_DATE)) == ["NO_CLEARANCE"]
    assert judged(on(LETTER_DATE, withdrawn_on=LETTER_DATE + timedelta(days=1))) == []


BY_CODE = {"PLACEHOLDER": 0.11, "NO_CITY": 0.0, "NO_ZIP": 0.0}


def test_counts_are_derived_again_from_raw_fields(connection, sandbox: Agreement) -> None:
    limits = sandbox.thresholds.model_copy(update={"incomplete_share_by_code": BY_CODE})
    known = letter_facts(sandbox.model_copy(update={"thresholds": limits}))
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
        every = connection.execute(counts.sql("judged", "bad", dropped, known)).to_arrow_table().to_pylist()[0]
        of_rows = connection.execute(counts.of_rows("judged", "bad", dropped)).to_arrow_table().to_pylist()[0]
        assert list(every.items())[:4] == list(of_rows.items())
        return every

    assert counted(None) == {
        "rows_submitted": 9,
        "rows_rejected": 1,
        "rows_dropped": 0,
        "incomplete_rows": 1,
        "worst_file_incomplete_share": 0.25,
        "codes_over_limit": ["PLACEHOLDER"],
        "identical_reason_rows": 3,
        "busiest_officer_rows": 5,
    }
    after = counted("(SELECT 3 AS ordinal)")
    assert (after["rows_submitted"], after["rows_dropped"]) == (9, 1)
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
    known = of_batch(letter_facts(sandbox.model_copy(update={"thresholds": limits})))
    before = {"earlier_rows": earlier[0], "earlier_incomplete_rows": earlier[1]}
    assert batch_codes(connection, {**known, **before}) == (["TOO_MANY_INCOMPLETE"] if held else [])
