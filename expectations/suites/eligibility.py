"""Checkpoint `eligibility`: whoever is eligible has asked for a person whose address on file it has proven to know.

The law: 26 USC 6103(i)(2)(B) wants the name **and address** of the taxpayer. A match on name and TIN never stands in
for the address (infra/docs/incident.md). Every rule of both phases is derived again here, from the raw request and the
raw addresses on file.
"""

from dataclasses import dataclass
from pathlib import Path

from expectations.base.duck import DuckSettings, quote
from expectations.contracts.lists import Corroboration, Origin, Stage, ends
from expectations.facts import corroboration, crowding, persons
from expectations.facts.letter import LetterFacts
from expectations.facts.sql import beside_verdict
from expectations.gx.checkpoint import run
from expectations.gx.checks import Check, Suite, columns_of, condition, in_set, none, rule, unique
from expectations.gx.verdict import Verdict
from expectations.rules.book import register_rules, request_rules
from expectations.rules.rule import failing_codes
from expectations.suites import derived, tries, twin

NAME = "eligibility"


@dataclass(frozen=True)
class Inputs:
    """What the validate stage was given and what it committed.

    rows, candidates, verdicts, expected   relations: `ingest.rows`, `match.candidates`, `validate.verdicts`, ends of
                                           the control rows
    committed                              rows of `validate.verdicts` by its manifest
    letter, premises                       letter facts; the requester's own addresses
    facilities                             the operator's own list, as it was when the submission was received
    left_out                               what the agreement lets be left out of an address
    persons                                Parquet of the holder's lists of persons, as they were then
    tries, tried, known                    relations: on whom each row is a try (`match.candidates`), what it tries
                                           there (`validate.tried`), and what earlier batches tried; see `tries`
    """

    rows: str
    candidates: str
    verdicts: str
    expected: str
    committed: int
    letter: LetterFacts
    premises: tuple[str, ...]
    tries: str
    tried: str
    known: str
    facilities: Path | None = None
    left_out: tuple[str, ...] = ()
    persons: Path | None = None


def suite(facilities: Path | None = None) -> Suite:
    """The declared checks of this checkpoint. `facilities`: the operator's list that the batch was received with."""
    checks = (*_form(), *_coverage(), *_rules(), *_tries(), *_second_opinion(), *_control_rows())
    return Suite(NAME, "verdicts", checks, derived.setup(facilities))


def check(inputs: Inputs, duck: DuckSettings | None = None) -> Verdict:
    """The verdict on a committed validate stage."""
    return run(suite(inputs.facilities), tables(inputs, duck), rows=inputs.committed, duck=duck)


def tables(inputs: Inputs, duck: DuckSettings | None = None) -> dict[str, str]:
    """What the checks look at, in the order in which it is worked out."""
    compared = corroboration.sql("again", "verdicts", corroboration.counts(inputs.letter))
    # what was passed on; and of whom several rows try to confirm something, all of them
    asked = f"SELECT ordinal, origin FROM verdicts UNION SELECT ordinal, '{Origin.REQUEST}' FROM tries_shared"
    looked_at = f"(SELECT * FROM {inputs.rows} r SEMI JOIN ({asked}) a USING (ordinal, origin))"
    again = derived.again(looked_at, inputs.letter, inputs.premises, inputs.left_out)
    return {
        "verdicts": inputs.verdicts,
        "tries_shared": tries.shared(inputs.tries),
        # only the whole batch shows a crowd: every canonical row counts, wherever it ended
        "crowded": crowding.sql(inputs.rows, inputs.letter.thresholds.persons_per_address),
        "again": crowding.marked(f"({again})", "crowded", "a_codes"),
        "matched": f"(SELECT ordinal, origin, record_id FROM {inputs.candidates} WHERE outcome IS NULL)",
        **tries.tables(inputs.tries, inputs.tried, inputs.known),
        # from the verdicts, not from the rows: a verdict without its row must fail, not vanish
        "judged": f"""
            SELECT *, {failing_codes(register_rules())} AS derived_codes FROM (
              SELECT again.* EXCLUDE (ordinal, origin), v.ordinal, v.origin, v.outcome, v.codes,
                v.corroboration AS stated, v.addresses_on_file, v.units_on_file,
                CASE WHEN v.origin = 'decoy' THEN 0 ELSE t.earlier_tries END AS earlier_tries,
                CASE WHEN v.origin = 'decoy' THEN 0 ELSE t.tried_beside END AS tried_beside,
                v.lists AS stated_lists, coalesce(l.lists, []) AS lists,
                k.corroboration, {beside_verdict(inputs.letter)}
              FROM verdicts v LEFT JOIN again USING (ordinal) LEFT JOIN ({compared}) k USING (ordinal)
                LEFT JOIN ({persons.lists_sql(inputs.persons)}) l USING (record_id)
                LEFT JOIN tries_counted t ON t.ordinal = v.ordinal AND t.record_id = v.record_id)""",
        "eligible": "(SELECT * FROM judged WHERE outcome IS NULL)",
        "counts": f"""
            SELECT (SELECT count(*) FROM matched) AS matched, (SELECT count(*) FROM verdicts) AS judged,
              (SELECT count(*) FROM matched ANTI JOIN verdicts USING (ordinal, origin, record_id)) AS lost,
              (SELECT count(*) FROM verdicts ANTI JOIN matched USING (ordinal, origin, record_id)) AS made_up,
              (SELECT count(*) FROM verdicts JOIN {inputs.rows} r USING (ordinal)
               WHERE r.outcome IS NOT NULL) AS ended_before,
              (SELECT count(*) FROM verdicts WHERE outcome IS NULL) AS eligible,
              (SELECT count(*) FROM verdicts WHERE outcome = 'held') AS held""",
        "control_rows": f"""
            SELECT e.ordinal, e.expected, e.code, v.ordinal IS NOT NULL AS judged, v.outcome, v.codes
            FROM {inputs.expected} e
              LEFT JOIN (SELECT * FROM verdicts WHERE origin = 'decoy') v ON v.ordinal = e.ordinal""",
        "sample": twin.opinions(inputs.rows, inputs.verdicts, inputs.left_out, duck),
    }


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
            ("eligibility.verdicts_again", "judged", "VERDICT_DIFFERS"),
            ["codes", "derived_codes", "outcome", "stated", "corroboration", "stated_lists", "lists"],
            "codes = derived_codes AND stated = corroboration AND stated_lists = lists"
            " AND (outcome IS NULL) = (len(derived_codes) = 0)",
            {"codes": ["NOT_CORROBORATED"], "derived_codes": []},
        ),
    )


def _rules() -> tuple[Check, ...]:
    """No eligible row fails a rule of either phase: zero tolerance."""
    return tuple(rule(one, "eligible") for one in (*request_rules(), *register_rules()))


def _tries() -> tuple[Check, ...]:
    """What was tried on whom is what the rows say: keys stand for values one to one, and no match is left out."""
    return (
        none("eligibility.tries_again", "tries_again", "differing", "VERDICT_DIFFERS"),
        none("eligibility.all_tried", "tries_again", "missing", "VERDICT_DIFFERS"),
    )


def _second_opinion() -> tuple[Check, ...]:
    """Other code, written row at a time, finds the same: no blocking defect in the address of an eligible row."""
    return (none("eligibility.second_opinion", "sample", "blocking", "VERDICT_DIFFERS"),)


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
