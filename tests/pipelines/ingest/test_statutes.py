"""A rule set per statute: another statute is another file, and binds the letters that name it and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.base.errors import BadInput
from expectations.codes import code as the_code
from expectations.gx.verdict import Verdict
from expectations.instruments import Agreement, parse_instrument
from expectations.rules import book
from expectations.rules.rule import Rule, registry
from expectations.rules.sql import given
from expectations.rules.statutes import STATUTES, Statute, required_columns
from expectations.rules.statutes.statute import element
from flows.batch import checkpoints
from pipelines import ingest
from pipelines.context import BatchContext
from tests.factories import submissions
from tests.factories.contexts import taken
from tests.factories.submissions import INSTRUMENTS, row

REMOVAL = "8 USC 1253(a)(1)"
FRAUD = "18 USC 1028(a)(7)"


def _example(letter_date: date, thresholds: Mapping[str, int]) -> dict[str, str]:
    return {"case_number": "F-1", "tin": "219-45-6789"}


def _element(name: str, inputs: tuple[str, ...], predicate: str, poison: dict[str, Any], code: str) -> Rule:
    said = the_code(code)  # in the words that this code has already
    head, words = (name, code, said.source), (said.message, said.fix)
    return element("usc_18_1028", FRAUD, head, inputs, predicate, poison, words)


# Somebody else's number, used without authority: the case, and the number.
OTHER = Statute(
    citation=FRAUD,
    columns=("case_number", "tin"),
    thresholds={},
    rules=registry(
        _element("case_given", ("case_number",), given("case_number"), {"case_number": ""}, "NO_FINAL_ORDER"),
        _element("number", ("s_tin",), "s_tin IS NOT NULL", {"tin": None}, "BAD_TIN"),
    ),
    example=_example,
)


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STATUTES, FRAUD, OTHER)


def under(agreement: Agreement, *statutes: str) -> Agreement:
    return agreement.model_copy(update={"statutes": statutes})


def asked(folder: Path, agreement: Agreement, statute: str, *rows: dict[str, Any]) -> BatchContext:
    return taken(folder, submissions.write(folder / "in", rows, agreement=agreement, statute=statute), agreement)


def codes(context: BatchContext) -> list[list[str]]:
    """The codes of each request, and that the control rows that must be eligible are."""
    table = pa.concat_tables([pq.read_table(p) for p in ingest.run(context).paths("rows")]).to_pylist()
    assert any(r["origin"] == "decoy" and r["codes"] == [] for r in table)
    return [r["codes"] for r in sorted(table, key=lambda r: r["ordinal"]) if r["origin"] == "request"]


def checked(context: BatchContext) -> Verdict:
    inputs = checkpoints._intake(context, checkpoints.letter_facts(context), None)
    return checkpoints.intake.check(inputs, context.duck)


@pytest.mark.slow
def test_the_elements_of_one_statute_do_not_bind_a_letter_under_another(
    tmp_path: Path, sandbox: Agreement, both: None
) -> None:
    none = {"final_order_date": None, "removal_ground": None, "judicial_order_date": None}
    rows = [row(1, tin="219-45-6789", **none), row(2, tin="219-45-6789", case_number="", **none), row(3, **none)]
    agreement = under(sandbox, REMOVAL, FRAUD)
    fraud = asked(tmp_path / "fraud", agreement, FRAUD, *rows)
    assert codes(fraud) == [[], ["NO_FINAL_ORDER"], ["BAD_TIN"]]
    verdict = checked(fraud)
    assert verdict.failed == () and {"usc_18_1028.number", "usc_8_1253.days_elapsed"} <= {
        r.check for r in verdict.results
    }
    removal = asked(tmp_path / "removal", agreement, REMOVAL, row(1), row(2, tin=""), row(3, removal_ground=""))
    assert codes(removal) == [[], [], ["NO_REMOVAL_GROUND"]]
    assert checked(removal).failed == ()
    explained = {rule.id for rule in book.request_rules(FRAUD)}
    assert "usc_18_1028.number" in explained and "usc_8_1253.ground" not in explained and "identity.name" in explained


def test_the_checkpoint_finds_what_a_screen_without_the_elements_let_pass(
    tmp_path: Path, sandbox: Agreement, both: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = asked(tmp_path, under(sandbox, FRAUD), FRAUD, row(1, tin="219-45-6789"), row(2))
    with monkeypatch.context() as blind:
        free = {name: replace(rule, predicate="TRUE") for name, rule in OTHER.rules.items()}
        blind.setitem(STATUTES, FRAUD, replace(OTHER, rules=free))
        assert codes(context) == [[], []]
    failed = {r.check: r.failed for r in checked(context).failed}
    assert failed["usc_18_1028.number"] == 1 and "intake.codes_again" in failed


def test_a_row_under_a_statute_without_rules_never_passes(tmp_path: Path, sandbox: Agreement) -> None:
    context = asked(tmp_path, under(sandbox, FRAUD), FRAUD, row(1), row(2))
    table = pa.concat_tables([pq.read_table(p) for p in ingest.run(context).paths("rows")])
    assert all("STATUTE_UNKNOWN" in found for found in table["codes"].to_pylist())
    # control rows too: none is looked up, and a match stage without a control row is never evaluated
    assert set(table["outcome"].to_pylist()) == {"held"}


@pytest.mark.slow
def test_columns_are_required_by_the_letters_statute(tmp_path: Path, sandbox: Agreement, both: None) -> None:
    assert {"final_order_date", "removal_ground"} <= set(required_columns(REMOVAL)) - set(required_columns(FRAUD))
    good = {**row(1), "tin": "219-45-6789"}
    for kind in ("csv", "jsonl", "parquet"):
        for statute, missing, refused in (
            (REMOVAL, "removal_ground", True),
            (FRAUD, "removal_ground", False),
            (REMOVAL, "judicial_order_date", True),
            (FRAUD, "judicial_order_date", False),
            (FRAUD, "tin", True),
        ):
            rows = [{name: value for name, value in good.items() if name != missing}]
            folder = tmp_path / f"{kind}-{statute[:2].strip()}-{missing}"
            source = submissions.write(folder / "in", rows, agreement=under(sandbox, statute), kind=kind)
            context = taken(folder, source, under(sandbox, statute))
            if refused:
                with pytest.raises(BadInput, match="MISSING_COLUMN"):
                    ingest.run(context)
            else:
                assert codes(context) == [[]]


TEXT = (INSTRUMENTS / "sandbox-2026.toml.in").read_text()


def test_an_agreement_cannot_list_a_statute_without_rules(both: None) -> None:
    for listed in (f'"{REMOVAL}"', f'"{REMOVAL}", "{FRAUD}"'):
        parse_instrument(TEXT.replace(f'"{REMOVAL}"', listed).encode(), "a.toml")
    with pytest.raises(BadInput, match="statutes: ") as caught:
        parse_instrument(TEXT.replace(REMOVAL, "8 USC 1326").encode(), "a.toml")
    assert caught.value.where == "a.toml" and "1326" not in str(caught.value)


def test_an_agreement_may_ask_for_more_days_than_the_statute_never_for_fewer() -> None:
    def asking(days: int) -> bytes:
        return TEXT.replace("[thresholds]", f"[thresholds]\ndays_after_final_order = {days}").encode()

    for days in (90, 91, 365):
        found = parse_instrument(asking(days), "a.toml")
        assert isinstance(found, Agreement) and found.thresholds.days_after_final_order == days
    for days in (0, 89):
        with pytest.raises(BadInput, match=r"thresholds.*days_after_final_order"):
            parse_instrument(asking(days), "a.toml")


@pytest.mark.parametrize("statute", STATUTES.values(), ids=lambda s: s.citation)
@pytest.mark.parametrize("days", [90, 200])
def test_the_example_of_a_statute_meets_its_elements(
    tmp_path: Path, sandbox: Agreement, statute: Statute, days: int
) -> None:
    limits = sandbox.thresholds.model_copy(update={"days_after_final_order": days})
    agreement = under(sandbox.model_copy(update={"thresholds": limits}), statute.citation)
    bounds = {name: getattr(limits, name) for name in statute.thresholds}
    made = statute.example(submissions.LETTER_DATE, bounds)
    assert codes(asked(tmp_path, agreement, statute.citation, row(1, **made))) == [[]]
    assert submissions.LETTER_DATE - date.fromisoformat(made["final_order_date"]) > timedelta(days=days)
