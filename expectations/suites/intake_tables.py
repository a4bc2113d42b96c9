"""What the `intake` suite looks at: every row as it was sent and stored, every fact of the batch counted from all of
them, and a sample of the rows derived again from their raw fields.

What is counted is what was stored beside the rows: the sample bounds how many of them can be wrong (`sampled`). A batch
of few rows, and one whose incomplete rows two people dropped, is derived again whole. Whatever is passed on to the
register is derived again, row by row, before it may leave (`eligibility`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from expectations.base.duck import quote
from expectations.codes import BLOCKING_ADDRESS_CODES
from expectations.contracts.request import RAW_NAMES
from expectations.contracts.stages import ADDRESS
from expectations.facts import counts, crowding, sql
from expectations.facts.letter import LetterFacts
from expectations.gx.tables import Table, Tables
from expectations.rules.book import request_rules
from expectations.rules.rule import failing_codes
from expectations.suites import derived, sampled

# What counts and crowds read of a stored row that is not raw: the sample shows that it was derived right.
STORED = tuple(dict.fromkeys((*(f.name for f in ADDRESS if f.name != "a_codes"), *crowding.COLUMNS)))
_OWN = "c -> c NOT IN ('DUPLICATE_REQUEST_ID', 'ALREADY_DISCLOSED')"  # the codes of a row's rules, of all that it has


@dataclass(frozen=True)
class Inputs:
    """What the ingest stage was given and what it committed.

    raw, rejects, rows           relations: `ingest.decode` raw and rejects, and `ingest.rows`
    control_rows                 relation: the requests of the control rows
    committed                    rows of `ingest.rows` by its manifest
    files                        row counts of the letter's data files, in their order
    disclosed                    relation with request_key: what was disclosed to this requester before
    seed                         chooses the sample
    letter, premises             letter facts; the requester's own addresses
    dropped                      relation with ordinal: the incomplete rows that two people dropped, or None
    facilities                   the operator's own list, as it was when the submission was received
    left_out                     what the agreement lets be left out of an address
    ahead                        the rows, if they were derived again already (`ahead.Ahead.of`)
    """

    raw: str
    rejects: str
    rows: str
    control_rows: str
    disclosed: str
    seed: str
    committed: int
    files: tuple[int, ...]
    letter: LetterFacts
    premises: tuple[str, ...]
    dropped: str | None = None
    facilities: Path | None = None
    left_out: tuple[str, ...] = ()
    ahead: pa.Table | None = None


def tables(inputs: Inputs) -> Tables:
    """What the checks look at, in the order in which it is worked out."""
    chosen = "ordinal IN (SELECT ordinal FROM sample)"
    made: dict[str, Table] = {
        **derived.table_ahead(inputs.ahead),
        "stored": inputs.rows,
        "sample": _sample(inputs),
        **again(
            inputs.rows,
            inputs.disclosed,
            inputs.letter,
            (inputs.premises, inputs.left_out),
            keep=(*_looked_at(), *(f"was_{name}" for name in STORED)),
            only=chosen,
            crowds="stored",
            was=STORED,
            ahead=None if inputs.ahead is None else derived.AHEAD,
        ),
        "passed": "(SELECT * FROM rows WHERE outcome IS NULL)",
        "counted": f"({crowding.marked(f'({_uncrowded()})', 'crowded', 'a_codes')})",
        "ended": _ended(inputs),
        "quality": _quality(inputs),
        "facts": sql.with_counts(inputs.letter, counts.sql("counted", inputs.rejects, inputs.dropped, inputs.letter)),
        "counts": _counts(inputs),
        "files": _files(inputs),
    }
    if inputs.dropped is not None:
        made["drop"] = _drop(inputs.dropped)
    return made


def _sample(inputs: Inputs) -> str:
    """The ordinals that are derived again: of the rows that go on and of those that do not, each their own sample, and
    the control rows; all where people dropped rows, which must be exactly the incomplete ones."""
    if inputs.dropped is not None:
        return "SELECT ordinal FROM stored"
    ends = (f"origin = 'request' AND outcome IS {end}" for end in ("NULL", "NOT NULL"))
    each = (f"({sampled.chosen('stored', end, inputs.seed)})" for end in ends)
    return " UNION ALL ".join(["SELECT ordinal FROM stored WHERE origin = 'decoy'", *each])


def again(
    stored: str,
    disclosed: str,
    letter: LetterFacts,
    agreed: tuple[tuple[str, ...], tuple[str, ...]],
    *,
    keep: Sequence[str],
    only: str = "true",
    crowds: str = "derived",
    was: Sequence[str] = (),
    ahead: str | None = None,
) -> dict[str, str]:
    """The tables `stored`, `derived`, `crowded` and `rows`: each canonical row with what its raw fields come to under
    this letter, as derived_codes and derived_outcome, whatever stands beside them. Replay decides past rows so, too.

    stored, disclosed   see `Inputs`
    agreed              the requester's own addresses, and what may be left out of one
    keep                the columns that are wanted
    only                SQL that chooses the rows; crowds: the relation, whole, that shows which addresses are crowded
    was                 columns of `stored` that are kept as was_NAME
    ahead               see `derived.fields`
    """
    codes = "derived_codes" if ahead else f"{failing_codes(request_rules())} AS derived_codes"
    beside = ", ".join(["file", "request_key", "outcome", "stored_codes", *(f"was_{name}" for name in was)])
    kept = "".join(f", {name} AS was_{name}" for name in was)
    raw = f"(SELECT *, codes AS stored_codes{kept} FROM stored WHERE {only})"
    return {
        "stored": stored,
        # only what is looked at: a batch may have more than a million rows
        "derived": f"""
            SELECT {", ".join(keep)}, {codes},
              {_is_duplicate()} AS is_duplicate, request_key IN (SELECT request_key FROM {disclosed}) AS is_disclosed
            FROM ({derived.again(raw, letter, *agreed, keep=beside, ahead=ahead)})""",
        "crowded": crowding.sql(crowds, letter.thresholds.persons_per_address),
        # a view: what is worked out above is not kept a second time
        "rows": f"""(
            SELECT *, {_outcome("derived_codes")} AS derived_outcome, {sql.beside_request(letter)}
            FROM ({crowding.marked("derived", "crowded", "a_codes", "derived_codes")}))""",
    }


def _looked_at() -> list[str]:
    """The columns that checks read of a row. Not the letter's: a list of all its officers, once for each row, would be
    most of what is written."""
    inputs = (name for one in request_rules() for name in one.inputs if name not in sql.request_constants())
    read = ("ordinal", "origin", "outcome", "stored_codes", "a_codes")
    return list(dict.fromkeys((*read, *STORED, *inputs)))


def _is_duplicate() -> str:
    return "request_id IN (SELECT request_id FROM stored WHERE origin = 'request' GROUP BY 1 HAVING count(*) > 1)"


def _outcome(codes: str) -> str:
    return (
        "CASE WHEN origin = 'request' AND is_duplicate THEN 'duplicate'"
        f" WHEN origin = 'request' AND is_disclosed THEN 'already_disclosed' WHEN len({codes}) > 0 THEN 'held' END"
    )


def _uncrowded() -> str:
    """All rows as they were stored, their address codes as derived again where they are of the sample, and without
    CROWDED, which is found again."""
    code = quote(crowding.CODE)
    found = "coalesce(d.a_codes, s.a_codes)"
    without = f"CASE WHEN list_contains({found}, {code}) THEN list_filter({found}, c -> c <> {code}) ELSE {found} END"
    again = "(SELECT ordinal, a_codes FROM derived) d"
    return f"SELECT s.* REPLACE ({without} AS a_codes) FROM stored s LEFT JOIN {again} ON d.ordinal = s.ordinal"


def _quality(inputs: Inputs) -> str:
    """The address codes of every submitted row, but of those that two people dropped: what shares are of. A row that
    could not be read has none."""
    gone = f"AND ordinal NOT IN (SELECT ordinal FROM {inputs.dropped})" if inputs.dropped is not None else ""
    return f"""(
        SELECT a_codes FROM counted WHERE origin = 'request' {gone}
        UNION ALL SELECT []::VARCHAR[] FROM {inputs.rejects} WHERE origin = 'request')"""


def _ended(inputs: Inputs) -> str:
    """Where each row ended beside where its codes lead; whether it bears the code of a crowd, and stands in one."""
    code = quote(crowding.CODE)
    return f"""
        SELECT ordinal, outcome, {_outcome("own_codes")} AS outcome_again, is_crowded,
          list_contains(codes, {code}) AND list_contains(a_codes, {code}) AS said_crowded,
          list_contains(codes, {code}) <> list_contains(a_codes, {code}) AS apart
        FROM (
          SELECT ordinal, origin, outcome, codes, a_codes, list_filter(codes, {_OWN}) AS own_codes,
            {_is_duplicate()} AS is_duplicate,
            request_key IN (SELECT request_key FROM {inputs.disclosed}) AS is_disclosed,
            ordinal IN (SELECT ordinal FROM crowded) AS is_crowded FROM stored)"""


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
          (SELECT count(*) FROM rows) AS rows_derived, ({_due(inputs)}) AS rows_due"""


def _due(inputs: Inputs) -> str:
    """How many rows the sample must have."""
    if inputs.dropped is not None:
        return "SELECT count(*) FROM stored"
    return f"""
        SELECT least(count(*) FILTER (origin = 'request' AND outcome IS NULL), {sampled.SAMPLE})
          + least(count(*) FILTER (origin = 'request' AND outcome IS NOT NULL), {sampled.SAMPLE})
          + count(*) FILTER (origin = 'decoy') FROM stored"""


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
