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
from expectations.facts import counts, crowding, sql
from expectations.facts.letter import LetterFacts
from expectations.gx.tables import prepare
from expectations.rules.book import batch_rules
from expectations.rules.rule import REFUSES, Disposition
from expectations.suites import derived, intake_tables, matching
from pipelines.context import BatchContext
from pipelines.ingest import letter_facts
from pipelines.lake.failures import no_values
from pipelines.lake.sql import Connection
from pipelines.release.outcomes import ended
from pipelines.replay import partly, then

STEP = "replay.decide"
OPEN = "open"  # nothing stops the row before the match, and it was never looked up
# What a batch that stopped early has none of, with the fields that are read here.
_STRUCTS = {
    "candidate": "STRUCT(outcome VARCHAR, record_id BIGINT, tier VARCHAR)",
    "verdict": (
        f"STRUCT(record_id BIGINT, person_key VARCHAR, addresses_on_file {then.ADDRESSES}, units_on_file INTEGER,"
        " lists VARCHAR[], earlier_tries INTEGER, tried_beside INTEGER, codes VARCHAR[])"
    ),
}


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
    count = f"SELECT count(*), count(*) FILTER (outcome = '{Outcome.RELEASED}') FROM {accounting}"
    with no_values(STEP), session(ctx.duck) as connection:
        ((rows, left),) = connection.execute(count).fetchall()
    with no_values(STEP), session(ctx.duck.for_rows(rows)) as connection:
        # so few rows were released that to read the others less closely is worth a second look at these
        few = released and left * 2 < rows
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
            **then.people(since),
            **then.matched(letter, corrected, listed, then.tried_beside(connection, evidence)),
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
