"""Checkpoint `eligibility`: whoever is eligible has asked for a person whose address on file it has proven to know.

The law: 26 USC 6103(i)(2)(B) wants the name **and address** of the taxpayer. A match on name and TIN never stands in
for the address (infra/docs/incident.md). Every rule of both phases is derived again here, from the raw request and from
what the register itself holds.
"""

from pathlib import Path

from expectations.base.duck import DuckSettings, quote
from expectations.contracts.lists import Corroboration, Origin, Stage, ends
from expectations.gx.checkpoint import run
from expectations.gx.checks import Check, Suite, columns_of, condition, equal, in_set, none, rule, unique
from expectations.gx.verdict import Verdict
from expectations.rules.book import register_rules, request_rules
from expectations.suites import derived
from expectations.suites.eligibility_tables import Inputs, tables

NAME = "eligibility"


def suite(facilities: Path | None = None) -> Suite:
    """The declared checks of this checkpoint. `facilities`: the operator's list that the batch was received with."""
    checks = (*_form(), *_coverage(), *_rules(), *_tries(), *_second_opinion(), *_control_rows())
    return Suite(NAME, "verdicts", checks, derived.setup(facilities))


def check(inputs: Inputs, duck: DuckSettings | None = None) -> Verdict:
    """The verdict on a committed validate stage."""
    return run(suite(inputs.facilities), tables(inputs), rows=inputs.committed, duck=duck)


def _form() -> tuple[Check, ...]:
    return (
        columns_of("eligibility.schema", "verdicts", "verdict"),
        in_set("eligibility.origin", "verdicts", "origin", tuple(Origin), null=False, code="VERDICT_DIFFERS"),
        in_set("eligibility.outcome", "verdicts", "outcome", ends(Stage.VALIDATE), null=True, code="VERDICT_DIFFERS"),
        in_set(
            "eligibility.corroboration", "verdicts", "corroboration", Corroboration, null=False, code="VERDICT_DIFFERS"
        ),
    )


def _coverage() -> tuple[Check, ...]:
    """Each matched row has one verdict, on the record that was matched; eligible and held are apart and add up."""
    return (
        unique("eligibility.one_verdict", "verdicts", "ordinal"),
        none("eligibility.none_lost", "counts", "lost"),
        none("eligibility.none_made_up", "counts", "made_up"),
        none("eligibility.none_ended_before", "counts", "ended_before"),
        condition(
            ("eligibility.adds_up", "counts", "COUNTS_DIFFER"),
            ["matched", "judged", "eligible", "held"],
            "matched = judged AND eligible + held = judged",
            {"held": -1},
        ),
        condition(
            ("eligibility.all_judged_again", "counts", "COUNTS_DIFFER"),
            ["eligible", "eligible_again", "passed_again"],
            "eligible = eligible_again AND eligible = passed_again",
            {"eligible_again": -1},
        ),
        condition(
            ("eligibility.verdicts_again", "judged", "VERDICT_DIFFERS"),
            ["codes", "derived_codes", "outcome", "stated", "corroboration", "stated_lists", "lists"],
            "codes = derived_codes AND stated = corroboration AND stated_lists = lists"
            " AND (outcome IS NULL) = (len(derived_codes) = 0)",
            {"codes": ["NOT_CORROBORATED"], "derived_codes": []},
        ),
        condition(
            ("eligibility.facts_of_the_register", "judged", "VERDICT_DIFFERS"),
            ["stated_addresses", "addresses_on_file", "stated_units", "units_on_file"],
            "stated_addresses = addresses_on_file AND stated_units = units_on_file",
            {"stated_units": 7},
        ),
    )


def _rules() -> tuple[Check, ...]:
    """No eligible row fails a rule of either phase: zero tolerance."""
    return (
        *(rule(one, "passed") for one in request_rules()),
        *(rule(one, "eligible") for one in register_rules()),
    )


def _tries() -> tuple[Check, ...]:
    """What was tried on whom is what the rows say: keys stand for values one to one, and no match is left out."""
    return (
        none("eligibility.tries_again", "tries_again", "differing", "VERDICT_DIFFERS"),
        none("eligibility.all_tried", "tries_again", "missing", "VERDICT_DIFFERS"),
    )


def _second_opinion() -> tuple[Check, ...]:
    """Other code, written row at a time, finds the same: no blocking defect in the address of an eligible row, and an
    address on file that is the same."""
    return (
        none("eligibility.second_opinion", "opinions", "blocking", "VERDICT_DIFFERS"),
        condition(("eligibility.second_comparison", "opinions", "VERDICT_DIFFERS"), ["same"], "same > 0", {"same": 0}),
        equal("eligibility.opinions_due", "opined", "opinions", "opinions_due", "COUNTS_DIFFER", -1),
    )


def _control_rows() -> tuple[Check, ...]:
    """The holder's invented persons are eligible, held with their code, or not here at all, as they must be."""
    later = ", ".join(quote(one.code) for one in register_rules())
    return (
        condition(
            ("eligibility.decoys", "control_rows", "DECOY_WRONG"),
            ["expected", "code", "judged", "outcome", "codes"],
            "CASE WHEN expected = 'eligible' THEN judged AND outcome IS NULL"
            f" WHEN expected = 'held' AND code IN ({later})"
            " THEN judged AND outcome = 'held' AND list_contains(codes, code)"
            " WHEN expected IN ('held', 'unmatched', 'ambiguous') THEN NOT judged END",
            {"expected": "eligible", "outcome": "held"},
        ),
    )
