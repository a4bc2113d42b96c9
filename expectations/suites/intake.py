"""Checkpoint `intake`: the submission is what its letter says, the batch has authority, its addresses are addresses.

The law: 26 USC 6103(i)(2), the agreement, and the court orders that stand against it. Nothing of the register is looked
at before this has passed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from expectations.base.duck import DuckSettings, quote
from expectations.codes import BLOCKING_ADDRESS_CODES
from expectations.contracts.lists import Origin, Stage, ends
from expectations.contracts.request import RAW_NAMES
from expectations.facts import counts, crowding, sql
from expectations.facts.letter import LetterFacts
from expectations.gx.checkpoint import run
from expectations.gx.checks import Check, Suite, columns_of, condition, equal, in_set, none, rule, unique
from expectations.gx.verdict import Verdict
from expectations.rules.book import batch_rules, request_rules
from expectations.rules.rule import failing_codes
from expectations.suites import derived

NAME = "intake"


@dataclass(frozen=True)
class Inputs:
    """What the ingest stage was given and what it committed.

    raw, rejects, rows           relations: `ingest.decode` raw and rejects, and `ingest.rows`
    control_rows                 relation: the requests of the control rows
    committed                    rows of `ingest.rows` by its manifest
    files                        row counts of the letter's data files, in their order
    disclosed                    relation with request_key: what was disclosed to this requester before
    letter, premises             letter facts; the requester's own addresses
    dropped                      relation with ordinal: the incomplete rows that two people dropped, or None
    facilities                   the operator's own list, as it was when the submission was received
    left_out                     what the agreement lets be left out of an address
    """

    raw: str
    rejects: str
    rows: str
    control_rows: str
    disclosed: str
    committed: int
    files: tuple[int, ...]
    letter: LetterFacts
    premises: tuple[str, ...]
    dropped: str | None = None
    facilities: Path | None = None
    left_out: tuple[str, ...] = ()


def suite(dropped: bool = False, facilities: Path | None = None) -> Suite:
    """The declared checks of this checkpoint. `dropped`: two people dropped rows, and zero tolerance holds for the
    rest; `facilities`: the operator's list that the batch was received with."""
    checks = (*_authority(), *_form(), *_conservation(), *_verdicts(), *_rules(), *(_dropped() if dropped else ()))
    return Suite(NAME, "stored", checks, derived.setup(facilities))


def check(inputs: Inputs, duck: DuckSettings | None = None) -> Verdict:
    """The verdict on a committed ingest stage."""
    return run(suite(inputs.dropped is not None, inputs.facilities), tables(inputs), rows=inputs.committed, duck=duck)


def tables(inputs: Inputs) -> dict[str, str]:
    """What the checks look at, in the order in which it is worked out."""
    counted = counts.sql("rows", inputs.rejects, inputs.dropped, inputs.letter)
    made = {
        **again(inputs.rows, inputs.disclosed, inputs.letter, inputs.premises, inputs.left_out),
        "passed": "(SELECT * FROM rows WHERE outcome IS NULL)",
        "facts": sql.with_counts(inputs.letter, counted),
        "counts": _counts(inputs),
        "files": _files(inputs),
    }
    if inputs.dropped is not None:
        made["drop"] = _drop(inputs.dropped)
    return made


def again(
    stored: str,
    disclosed: str,
    letter: LetterFacts,
    premises: tuple[str, ...],
    left_out: tuple[str, ...],
    keep: Sequence[str] = (),
    only: str = "true",
) -> dict[str, str]:
    """The tables `stored`, `derived`, `crowded` and `rows`: each canonical row with what its raw fields come to under
    this letter, as derived_codes and derived_outcome, whatever stands beside them.

    `stored`, `disclosed`: see `Inputs`. Replay decides past rows by the same, with `keep`: the columns that it wants
    instead of those that the checks look at; and `only`: SQL that chooses the rows, with all rows of whatever address
    may be crowded.
    """
    raw = f"(SELECT *, codes AS stored_codes FROM stored WHERE {only})"
    looked_at = derived.again(raw, letter, premises, left_out, keep="file, request_key, outcome, stored_codes")
    return {
        "stored": stored,
        # only what is looked at: a batch may have more than a million rows
        "derived": f"""
            SELECT {", ".join(keep or _looked_at())}, {failing_codes(request_rules())} AS derived_codes,
              request_id IN (
                SELECT request_id FROM stored WHERE origin = 'request' GROUP BY 1 HAVING count(*) > 1
              ) AS is_duplicate,
              request_key IN (SELECT request_key FROM {disclosed}) AS is_disclosed
            FROM ({looked_at})""",
        "crowded": crowding.sql("derived", letter.thresholds.persons_per_address),
        # a view: what is worked out above is not kept a second time
        "rows": f"""(
            SELECT *, {_outcome()} AS derived_outcome, {sql.beside_request(letter)}
            FROM ({crowding.marked("derived", "crowded", "a_codes", "derived_codes")}))""",
    }


def _looked_at() -> list[str]:
    """The columns that rules, counts and crowds read. Not the letter's: a list of all its officers, once for each row,
    would be most of what is written."""
    inputs = (name for one in request_rules() for name in one.inputs if name not in sql.request_constants())
    counted = ("ordinal", "origin", "file", "request_id", "reason", "officer", "outcome", "stored_codes", "a_codes")
    return list(dict.fromkeys((*counted, *crowding.COLUMNS, *inputs)))


def _outcome() -> str:
    return (
        "CASE WHEN origin = 'request' AND is_duplicate THEN 'duplicate'"
        " WHEN origin = 'request' AND is_disclosed THEN 'already_disclosed' WHEN len(derived_codes) > 0 THEN 'held' END"
    )


def _counts(inputs: Inputs) -> str:
    same = " AND ".join(f"w.{name} IS NOT DISTINCT FROM s.{name}" for name in ("file", "row", *RAW_NAMES))
    fields = ", ".join(["ordinal", "file", "row", "origin", *RAW_NAMES])
    return f"""
        WITH sent AS (SELECT {fields} FROM {inputs.raw} UNION ALL SELECT {fields} FROM {inputs.control_rows}),
        places AS (SELECT ordinal FROM {inputs.rejects} UNION ALL SELECT ordinal FROM stored WHERE origin = 'request')
        SELECT {sum(inputs.files)}::BIGINT AS rows_in_letter,
          (SELECT count(*) FROM places) AS rows_placed, (SELECT count(DISTINCT ordinal) FROM places) AS ordinals,
          (SELECT coalesce(min(ordinal), -1) FROM places) AS first_ordinal,
          (SELECT coalesce(max(ordinal), -1) FROM places) AS last_ordinal,
          (SELECT count(*) FROM {inputs.control_rows}) AS controls_made,
          (SELECT count(*) FROM stored WHERE origin = 'decoy' AND ordinal < 0) AS controls_placed,
          (SELECT count(*) FROM sent w FULL JOIN stored s ON w.ordinal = s.ordinal AND w.origin = s.origin
           WHERE NOT coalesce(w.ordinal = s.ordinal AND {same}, false)) AS rows_changed,
          (SELECT count(*) FROM rows) AS rows_derived, (SELECT count(*) FROM stored) AS rows_stored"""


def _files(inputs: Inputs) -> str:
    said = ", ".join(f"({number}, {rows})" for number, rows in enumerate(inputs.files, 1))
    return f"""
        SELECT coalesce(said.file, found.file) AS file, said.rows AS rows_said, coalesce(found.rows, 0) AS rows_found
        FROM (VALUES {said}) said(file, rows) FULL JOIN (
          SELECT file, count(*) AS rows FROM (
            SELECT file FROM {inputs.rejects} UNION ALL SELECT file FROM stored WHERE origin = 'request') GROUP BY file
        ) found ON found.file = said.file"""


def _drop(dropped: str) -> str:
    blocking = ", ".join(quote(c) for c in BLOCKING_ADDRESS_CODES)
    return f"""
        WITH incomplete AS (
          SELECT ordinal FROM rows WHERE origin = 'request' AND coalesce(list_has_any(a_codes, [{blocking}]), true)
        )
        SELECT (SELECT count(*) FROM {dropped} ANTI JOIN incomplete USING (ordinal)) AS complete_but_dropped,
          (SELECT count(*) FROM incomplete ANTI JOIN {dropped} d USING (ordinal)) AS incomplete_and_kept"""


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
        equal("intake.rows_derived", "counts", "rows_derived", "rows_stored", "COUNTS_DIFFER", -1),
        condition(
            ("intake.decoys_added", "counts", "DECOY_WRONG"),
            ["controls_made", "controls_placed"],
            "controls_made > 0 AND controls_made = controls_placed",
            {"controls_placed": -1},
        ),
    )


def _verdicts() -> tuple[Check, ...]:
    """What ingest wrote beside each row is what comes out when it is derived again from the raw fields."""
    return (
        condition(
            ("intake.codes_again", "rows", "VERDICT_DIFFERS"),
            ["derived_codes", "stored_codes"],
            "derived_codes = list_filter(stored_codes, c -> c NOT IN ('DUPLICATE_REQUEST_ID', 'ALREADY_DISCLOSED'))",
            {"stored_codes": ["NO_ZIP", "NO_CITY"]},
        ),
        condition(
            ("intake.outcome_again", "rows", "VERDICT_DIFFERS"),
            ["ordinal", "outcome", "derived_outcome"],
            "ordinal IS NOT NULL AND outcome IS NOT DISTINCT FROM derived_outcome",
            {"outcome": None, "derived_outcome": "held"},
        ),
    )


def _rules() -> tuple[Check, ...]:
    """No row that goes on to match fails a rule of the request phase: zero tolerance."""
    return tuple(rule(one, "passed") for one in request_rules())


def _dropped() -> tuple[Check, ...]:
    """What two people dropped is exactly what was incomplete; of the rest, nothing is."""
    return (
        none("intake.dropped_were_incomplete", "drop", "complete_but_dropped", "VERDICT_DIFFERS"),
        none("intake.incomplete_were_dropped", "drop", "incomplete_and_kept", "TOO_MANY_INCOMPLETE"),
    )
