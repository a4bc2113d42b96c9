"""A past batch decided again, from its evidence: all rules on the raw fields and the facts on file of then.

What the evidence cannot tell is not guessed. A row that was never looked up has no candidate: if nothing stops it now
it is `open`, not released. Who was matched is taken from the evidence; the agreement's tiers, and every rule, are
applied anew. What people decided then (rows dropped, claims lost to another batch, persons protected since) are facts
too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from expectations.base.duck import parquet, quote, session
from expectations.base.errors import Fault
from expectations.contracts.lists import Outcome
from expectations.contracts.request import RAW_NAMES
from expectations.facts import corroboration, counts, crowding, sql
from expectations.facts.letter import LetterFacts
from expectations.gx.checkpoint import prepare
from expectations.rules import disclosure
from expectations.rules.book import batch_rules
from expectations.rules.rule import REFUSES, Disposition, failing_codes
from expectations.suites import derived, intake_tables, matching
from pipelines.context import BatchContext
from pipelines.ingest import letter_facts
from pipelines.lake.failures import no_values
from pipelines.lake.sql import Connection
from pipelines.release.outcomes import ended
from pipelines.replay import partly

STEP = "replay.decide"
OPEN = "open"  # nothing stops the row before the match, and it was never looked up
ADDRESSES = (
    "STRUCT(street VARCHAR, unit VARCHAR, urbanization VARCHAR, city VARCHAR, state VARCHAR, zip VARCHAR,"
    " valid_from DATE, valid_to DATE)[]"
)
# What a batch that stopped early has none of, with the fields that are read here.
_STRUCTS = {
    "candidate": "STRUCT(outcome VARCHAR, record_id BIGINT, tier VARCHAR)",
    "verdict": (
        f"STRUCT(record_id BIGINT, person_key VARCHAR, addresses_on_file {ADDRESSES}, units_on_file INTEGER,"
        " lists VARCHAR[], earlier_tries INTEGER, tried_beside INTEGER, codes VARCHAR[])"
    ),
}
_BUILDING = ("a_zip", "a_number", "a_street")
_NONE = f"(SELECT 0::BIGINT AS record_id, NULL::{ADDRESSES} AS addresses_on_file, true AS same_person WHERE false)"


@dataclass(frozen=True)
class Decided:
    """A batch decided again.

    refuse, hold   codes of the batch as a whole at intake
    rate           codes of the match, which two people may explain
    looked_up      the batch reached the match: else nobody can tell what would have become of its open rows
    rows           Parquet, one line for each submitted row: ordinal, request_key, person_key, outcome_then, codes_then,
                   request_codes, outcome, codes (by the rules on rows alone)
    """

    refuse: tuple[str, ...]
    hold: tuple[str, ...]
    rate: tuple[str, ...]
    looked_up: bool
    rows: Path

    def compared(self, refused: Sequence[str], held: Sequence[str], withheld: str | None = None) -> str:
        """SELECT of ordinal, request_key, person_key, outcome_then, codes_then, outcome_now, codes_now.

        refused   codes for which the whole batch ends: each row of it, with these beside its own
        held      codes for which it waits: of its rows those that would be released are held, with these
        withheld  relation (ordinal, outcome, codes): how rows that would be released end, by what was read later
        """
        outcome, own, rows = "outcome", "codes", parquet([self.rows])
        if withheld:
            columns = ("outcome", "codes")
            later = (f"CASE WHEN w.ordinal IS NULL THEN s.{c} ELSE w.{c} END AS {c}" for c in columns)
            also = f"LEFT JOIN {withheld} w ON w.ordinal = s.ordinal AND s.outcome = {quote(Outcome.RELEASED)}"
            rows = f"(SELECT s.* REPLACE ({', '.join(later)}) FROM {rows} s {also})"
        if refused:
            outcome, own = quote(Outcome.REFUSED), f"list_sort(list_distinct(request_codes || {list(refused)}))"
        elif held:
            waits = f"outcome = {quote(Outcome.RELEASED)}"
            outcome = f"CASE WHEN {waits} THEN {quote(Outcome.HELD)} ELSE outcome END"
            own = f"CASE WHEN {waits} THEN {list(held)} ELSE codes END"
        return f"""
        SELECT ordinal, request_key, person_key, outcome_then, codes_then, {outcome} AS outcome_now, {own} AS codes_now
        FROM {rows}"""


def decide(
    ctx: BatchContext,
    evidence: str,
    accounting: str,
    folder: Path,
    corrected: Path | None = None,
    *,
    released: bool = False,
    listed: str | None = None,
    since: bool = True,
) -> Decided:
    """Decides the batch by the rules, instruments and dates of `ctx`; writes into `folder` (the caller deletes it).

    evidence, accounting   relations: what `release.seal_evidence` and `release.seal_accounting` sealed
    corrected              Parquet of `corrections.write`: facts on file that were wrong then
    released               only the rows that were released are decided: where they are few, in a fraction of the time
    listed                 relation (record_id, lists) of the lists of persons; left out: as they were then
    since                  rows that were withheld for what was found out about a person since the match stay so
    Raises Fault if a row of the accounting has no evidence, or the other way round.
    """
    letter = letter_facts(ctx)
    with no_values(STEP), session(ctx.duck) as connection:
        # so few rows were released that to read the others less closely is worth a second look at these
        half = f"SELECT count(*) FILTER (outcome = '{Outcome.RELEASED}') * 2 < count(*) FROM {accounting}"
        few = released and bool(connection.execute(half).fetchall()[0][0])
        looked_up = "(SELECT ordinal FROM asked WHERE outcome IS NULL)"
        tables = {
            "given": _whole(connection, evidence),
            "accounted": accounting,
            # the rows that are to be decided
            "wanted": f"(SELECT * FROM accounted WHERE outcome = '{Outcome.RELEASED}')" if released else "accounted",
            **(partly.chosen(ctx, letter) if few else {}),
            **_again(ctx, letter, partly.CHOSEN if few else "true"),
            "judged": _JUDGED,
            "asked": partly.ASKED if few else "judged",
            **_decided_then(since),
            **_matched(letter, corrected, listed, _tried_beside(connection, evidence)),
            "settled": _settled(),
            "facts": sql.with_counts(letter, counts.sql("asked", "rejects", "dropped", letter)),
            "rate": matching.rate_sql(f"(SELECT * FROM candidates SEMI JOIN {looked_up} USING (ordinal))", letter),
        }
        broken = prepare(connection, derived.setup(ctx.facilities), tables, folder)
        if broken:
            raise Fault("NOT_DECIDED", f"{next(iter(broken))} could not be worked out", where=STEP)
        _all_accounted(connection)
        rules = [(r.code, r.disposition, r.met) for r in batch_rules()]
        rates = [(c.code, c.disposition, f"coalesce(({c.arguments['predicate']}), false)") for c in matching.of_batch()]
        of_batch = _failing(connection, "facts", rules)
        matched = bool(connection.execute("SELECT count(*) > 0 FROM candidates").fetchall()[0][0])
        rate = _failing(connection, "rate", rates) if matched else set()
    refuse = tuple(sorted(c for c, which in of_batch if REFUSES[which]))
    hold = tuple(sorted(c for c, which in of_batch if not REFUSES[which]))
    return Decided(refuse, hold, tuple(sorted(c for c, _ in rate)), matched, folder / "settled.parquet")


def _whole(connection: Connection, evidence: str) -> str:
    """The evidence of the requests; a batch that stopped early, or is of an older version, gets the columns that it has
    none of."""
    there = {name for name, *_ in connection.execute(f"DESCRIBE FROM {evidence}").fetchall()}
    columns = {**_STRUCTS, **dict.fromkeys(RAW_NAMES, "VARCHAR")}  # requests of older versions had fewer
    missing = "".join(f", NULL::{kind} AS {name}" for name, kind in columns.items() if name not in there)
    return f"(SELECT *{missing} FROM {evidence} WHERE origin = 'request')"


def _again(ctx: BatchContext, letter: LetterFacts, only: str) -> dict[str, str]:
    """`rows`: readable rows, chosen by the SQL `only`, with codes and outcome of the request phase, from raw fields."""
    answered = "(SELECT request_key FROM given WHERE list_contains(codes, 'ALREADY_DISCLOSED'))"
    premises, left_out = ctx.agreement.requester.premises, ctx.agreement.may_be_left_out
    read = "(SELECT * FROM given WHERE reject IS NULL)"
    return intake_tables.again(read, answered, letter, (premises, left_out), keep=_KEPT, only=only)


# What is read of a row once its raw fields were judged: its place, and what crowds, counts and the match ask.
_KEPT = (
    *("ordinal", "file", "origin", "request_id", "request_key", "outcome", "stored_codes", "a_codes", "a_state"),
    *crowding.COLUMNS,
    *partly.COUNTED,
)
_JUDGED = """(
    SELECT * EXCLUDE (outcome, stored_codes, derived_codes, derived_outcome),
      derived_outcome AS outcome, 0::BIGINT AS row,
      CASE WHEN is_duplicate OR is_disclosed THEN list_sort(derived_codes
        || CASE WHEN is_duplicate THEN ['DUPLICATE_REQUEST_ID'] ELSE [] END
        || CASE WHEN is_disclosed THEN ['ALREADY_DISCLOSED'] ELSE [] END) ELSE derived_codes END AS codes
    FROM rows)"""


def _decided_then(since: bool) -> dict[str, str]:
    """The rows that could not be read, and what people and other batches decided then, as the accounting shows it."""

    def ended_as(outcome: Outcome) -> str:
        return f"(SELECT ordinal FROM accounted WHERE outcome = '{outcome}')"

    lost, unmatched = ended_as(Outcome.ALREADY_DISCLOSED), ended_as(Outcome.UNMATCHED)
    return {
        "rejects": "(SELECT ordinal, file, origin, reject.code AS code FROM given WHERE reject IS NOT NULL)",
        "dropped": ended_as(Outcome.DROPPED),
        "lost": f"(SELECT request_key FROM given SEMI JOIN {lost} USING (ordinal) WHERE outcome IS NULL)",
        # what was found out about a person since the match, whatever the law was
        "withheld": (
            f"""(
            SELECT ordinal, '{Outcome.UNMATCHED}' AS outcome, ['NO_CANDIDATE'] AS codes
            FROM given SEMI JOIN {unmatched} USING (ordinal)
            WHERE {since} AND verdict IS NOT NULL AND NOT list_contains(verdict.codes, 'PROTECTED')
            UNION ALL SELECT ordinal, outcome, codes FROM accounted
            WHERE {since} AND outcome = '{Outcome.HELD}' AND list_contains(codes, 'RECORD_CORRECTED'))"""
        ),
    }


def _tried_beside(connection: Connection, evidence: str) -> str:
    """SQL of the values that other rows of the same batch tried on the person of a row of `given` g; evidence of older
    versions knew of no rows that are held together."""
    kinds = {name: str(kind) for name, kind, *_ in connection.execute(f"DESCRIBE FROM {evidence}").fetchall()}
    return "g.verdict.tried_beside" if "tried_beside" in kinds.get("verdict", "tried_beside") else "0"


def _matched(letter: LetterFacts, corrected: Path | None, listed: str | None, beside: str) -> dict[str, str]:
    """`candidates` and `verdicts` as match and validate would give them now, on the facts of the evidence."""
    tiers = sql.literal(letter.tiers)
    same = " AND ".join(f"a.{c} IS NOT DISTINCT FROM g.{c}" for c in _BUILDING)
    return {
        "corrected": _NONE if corrected is None else parquet([corrected]),
        # a match that was made on what was wrong is none
        "candidates": (
            f"""(
            SELECT g.ordinal, g.origin, g.candidate.tier AS tier,
              CASE WHEN g.candidate.outcome IS NOT NULL THEN g.candidate.outcome
                WHEN NOT coalesce(k.same_person, true) THEN '{Outcome.UNMATCHED}'
                WHEN NOT coalesce(list_contains({tiers}, g.candidate.tier), false) THEN '{Outcome.NEAR}' END AS outcome
            FROM given g LEFT JOIN corrected k ON k.record_id = g.candidate.record_id WHERE g.candidate IS NOT NULL)"""
        ),
        "on_file": (
            f"""(
            SELECT g.ordinal, g.origin, g.verdict.record_id AS record_id, g.verdict.person_key AS person_key,
              CASE WHEN k.record_id IS NULL THEN g.verdict.addresses_on_file ELSE k.addresses_on_file END
                AS addresses_on_file,
              -- of the building that the address was read as then; of another nothing is known
              CASE WHEN {same} THEN g.verdict.units_on_file END AS units_on_file,
              {"coalesce(l.lists, [])" if listed else "g.verdict.lists"} AS lists,
              g.verdict.earlier_tries AS earlier_tries, {beside} AS tried_beside, a.a_kind, a.a_unit, a.a_state
            FROM given g SEMI JOIN wanted USING (ordinal) JOIN asked a USING (ordinal)
              LEFT JOIN corrected k ON k.record_id = g.verdict.record_id
              {f"LEFT JOIN {listed} l ON l.record_id = g.verdict.record_id" if listed else ""}
            WHERE g.verdict IS NOT NULL)"""
        ),
        "verdicts": (
            f"""
            SELECT *, CASE WHEN len(codes) > 0 THEN '{Outcome.HELD}' END AS outcome FROM (
              SELECT ordinal, record_id, person_key, addresses_on_file,
                {failing_codes(disclosure.RULES.values())} AS codes
              FROM (SELECT *, {sql.beside_verdict(letter)} FROM on_file)
                JOIN ({corroboration.sql("asked", "on_file", corroboration.counts(letter))}) USING (ordinal))"""
        ),
    }


def _settled() -> str:
    rows = "(SELECT * FROM asked SEMI JOIN wanted USING (ordinal))"
    now = ended(rows, "candidates", "verdicts", dropped="dropped", lost="lost", withheld="withheld")
    return f"""
    SELECT t.ordinal, t.request_key, t.person_key, t.outcome AS outcome_then, t.codes AS codes_then,
      CASE WHEN r.ordinal IS NULL THEN a.codes ELSE [r.code] END AS request_codes,
      CASE WHEN r.ordinal IS NULL THEN coalesce(n.outcome, '{OPEN}') ELSE '{Outcome.REJECTED}' END AS outcome,
      CASE WHEN r.ordinal IS NULL THEN n.codes ELSE [r.code] END AS codes
    FROM wanted t LEFT JOIN ({now}) n USING (ordinal)
      LEFT JOIN asked a USING (ordinal) LEFT JOIN rejects r USING (ordinal)"""


def _all_accounted(connection: Connection) -> None:
    pairs = "given g FULL JOIN accounted t USING (ordinal) WHERE g.ordinal IS NULL OR t.ordinal IS NULL"
    if connection.execute(f"SELECT count(*) FROM {pairs}").fetchall()[0][0]:
        raise Fault("COUNTS_DIFFER", "evidence and accounting are not of the same rows", where=STEP)
    once = "SELECT count(*) - count(DISTINCT ordinal), count(*) - (SELECT count(*) FROM wanted) FROM settled"
    if any(connection.execute(once).fetchall()[0]):
        raise Fault("COUNTS_DIFFER", "a row was decided more than once, or not at all", where=STEP)


def _failing(
    connection: Connection, table: str, tests: list[tuple[str, Disposition, str]]
) -> set[tuple[str, Disposition]]:
    """The tests (code, disposition, SQL) that the one row of `table` does not meet."""
    met = connection.execute(f"SELECT {', '.join(met for *_, met in tests)} FROM {table}").fetchall()[0]
    return {(code, disposition) for (code, disposition, _), ok in zip(tests, met, strict=True) if not ok}
