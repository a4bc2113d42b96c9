"""Checkpoint `intake`: the submission is what its letter says, the batch has authority, its addresses are addresses.

The law: 26 USC 6103(i)(2), the agreement, and the court orders that stand against it. Nothing of the register is looked
at before this has passed.
"""

from pathlib import Path

from expectations.base.duck import DuckSettings, quote
from expectations.codes import BLOCKING_ADDRESS_CODES
from expectations.contracts.lists import Origin, Stage, ends
from expectations.gx.checkpoint import run
from expectations.gx.checks import Check, Suite, columns_of, condition, equal, in_set, none, rule, share, unique
from expectations.gx.verdict import Verdict
from expectations.instruments.thresholds import Thresholds
from expectations.rules import address
from expectations.rules.book import batch_rules, request_rules
from expectations.suites import derived
from expectations.suites.intake_tables import STORED, Inputs, tables

NAME = "intake"


def suite(dropped: bool = False, facilities: Path | None = None, agreed: Thresholds | None = None) -> Suite:
    """The declared checks of this checkpoint.

    dropped      two people dropped rows, and zero tolerance holds for the rest
    facilities   the operator's list that the batch was received with
    agreed       the agreement's thresholds: shares are shown against them; without, nothing is tolerated
    """
    strict = (*_authority(), *_form(), *_conservation(), *_verdicts(), *_rules())
    checks = (*strict, *_shares(None if dropped else agreed), *(_dropped() if dropped else ()))
    return Suite(NAME, "stored", checks, derived.setup(facilities))


def check(inputs: Inputs, duck: DuckSettings | None = None) -> Verdict:
    """The verdict on a committed ingest stage."""
    declared = suite(inputs.dropped is not None, inputs.facilities, inputs.letter.thresholds)
    return run(declared, tables(inputs), rows=inputs.committed, duck=duck)


def _authority() -> tuple[Check, ...]:
    """The batch as a whole: the legal elements of the letter, the agreement and its limits, the orders."""
    return tuple(rule(one, "facts") for one in batch_rules())


def _form() -> tuple[Check, ...]:
    return (
        columns_of("intake.schema", "stored", "canonical"),
        in_set("intake.origin", "stored", "origin", tuple(Origin), null=False, code="VERDICT_DIFFERS"),
        in_set("intake.outcome", "stored", "outcome", ends(Stage.INGEST), null=True, code="VERDICT_DIFFERS"),
    )


def _conservation() -> tuple[Check, ...]:
    """Every row of the letter is a canonical row or a reject, once, as it was sent; and so is every control row."""
    return (
        unique("intake.one_row", "stored", "ordinal"),
        condition(
            ("intake.rows_of_the_letter", "counts", "COUNTS_DIFFER"),
            ["rows_in_letter", "rows_placed", "ordinals"],
            "rows_in_letter = rows_placed AND rows_placed = ordinals",
            {"rows_placed": -1},
        ),
        condition(
            ("intake.ordinals", "counts", "COUNTS_DIFFER"),
            ["rows_in_letter", "first_ordinal", "last_ordinal"],
            "first_ordinal = 0 AND last_ordinal = rows_in_letter - 1",
            {"first_ordinal": 1},
        ),
        equal("intake.rows_of_each_file", "files", "rows_said", "rows_found", "COUNTS_DIFFER", -1),
        none("intake.rows_as_sent", "counts", "rows_changed"),
        equal("intake.rows_derived", "counts", "rows_derived", "rows_due", "COUNTS_DIFFER", -1),
        condition(
            ("intake.decoys_added", "counts", "DECOY_WRONG"),
            ["controls_made", "controls_placed"],
            "controls_made > 0 AND controls_made = controls_placed",
            {"controls_placed": -1},
        ),
    )


def _verdicts() -> tuple[Check, ...]:
    """What ingest wrote beside each row is what comes out when it is derived again from the raw fields: for a sample of
    the rows. Where each row ended is where its codes lead, and who stands in a crowd has its code: for all."""
    same = " AND ".join(f"was_{name} IS NOT DISTINCT FROM {name}" for name in STORED)
    return (
        condition(
            ("intake.codes_again", "rows", "VERDICT_DIFFERS"),
            ["derived_codes", "stored_codes"],
            "derived_codes = list_filter(stored_codes, c -> c NOT IN ('DUPLICATE_REQUEST_ID', 'ALREADY_DISCLOSED'))",
            {"stored_codes": ["NO_ZIP", "NO_CITY"]},
        ),
        condition(
            ("intake.columns_again", "rows", "VERDICT_DIFFERS"),
            ["ordinal", *STORED, *(f"was_{name}" for name in STORED)],
            f"ordinal IS NOT NULL AND {same}",
            {"was_a_street": "ELSEWHERE"},
        ),
        condition(
            ("intake.outcome_again", "ended", "VERDICT_DIFFERS"),
            ["ordinal", "outcome", "outcome_again"],
            "ordinal IS NOT NULL AND outcome IS NOT DISTINCT FROM outcome_again",
            {"outcome": None, "outcome_again": "held"},
        ),
        condition(
            ("intake.crowds_again", "ended", "VERDICT_DIFFERS"),
            ["said_crowded", "is_crowded", "apart"],
            "said_crowded = is_crowded AND NOT apart",
            {"said_crowded": True, "is_crowded": False},
        ),
    )


def _rules() -> tuple[Check, ...]:
    """No row that goes on to match fails a rule of the request phase: zero tolerance."""
    return tuple(rule(one, "passed") for one in request_rules())


def _shares(agreed: Thresholds | None) -> tuple[Check, ...]:
    """How good the addresses of all submitted rows are, beside what the agreement tolerates: the share that is
    incomplete, and that of each code. They inform; `authority.incomplete_share` and the other limits decide."""
    tolerated = agreed.incomplete_share if agreed else 0.0
    by_code = agreed.incomplete_share_by_code if agreed else {}
    blocking = ", ".join(quote(code) for code in BLOCKING_ADDRESS_CODES)
    whole = ("quality.complete", "quality", "TOO_MANY_INCOMPLETE")
    codes = dict.fromkeys(one.code for one in address.RULES.values())
    return (
        share(whole, "a_codes", f"NOT list_has_any(a_codes, [{blocking}])", tolerated, {"a_codes": ["NO_ZIP"]}),
        *(
            share(
                (f"quality.{code.lower()}", "quality", code),
                "a_codes",
                f"NOT list_contains(a_codes, {quote(code)})",
                by_code.get(code, tolerated),
                {"a_codes": [code]},
            )
            for code in codes
        ),
    )


def _dropped() -> tuple[Check, ...]:
    """What two people dropped is exactly what was incomplete; of the rest, nothing is."""
    return (
        none("intake.dropped_were_incomplete", "drop", "complete_but_dropped", "VERDICT_DIFFERS"),
        none("intake.incomplete_were_dropped", "drop", "incomplete_and_kept", "TOO_MANY_INCOMPLETE"),
    )
