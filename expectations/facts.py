"""Facts of a batch as a one-row table, so that batch rules are real SQL.

Two halves: what the letter, the agreement and the court orders say on the day of the decision (`letter_facts`), and what
the rows show when they are counted again from their raw fields (`count_facts_sql`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from expectations import band, reasons, signatures
from expectations.codes import BLOCKING_ADDRESS_CODES
from expectations.duck import quote
from expectations.instruments import Agreement, CourtOrder, Letter, Officer, Standing, standing
from expectations.instruments.standing import superseded
from expectations.rules.statutes import STATUTES

_DATES = ("letter_date", "attested_on", "received_on", "decided_on", "earliest_address_end")
_REGISTER_CONSTANTS = ("max_tries_per_person", "lists_required", "states_withheld")
_NO_CAP = 10**15
# What a request-phase row rule may need to know of the letter and the agreement.
ROW_CONSTANTS = ("statute", "statute_known", "officers", "letter_date", "decided_on", "min_days_after_final_order")


@dataclass(frozen=True)
class Earlier:
    """What the ledger knew of this requester under this agreement when the batch was received.

    rows, incomplete   what passed `intake` in the 30 days before, and how many of these rows had an incomplete address
    batches            (rows looked up, matched) of the batches published before, the newest first, `band.NEWEST` at most
    """

    rows: int = 0
    incomplete: int = 0
    batches: Sequence[Sequence[int]] = ()


def letter_facts(
    letter: Letter,
    letter_bytes: bytes,
    signature: str,
    agreement: Agreement,
    orders: Sequence[CourtOrder],
    decided_on: date,
    received_on: date,
    earlier: Earlier | None = None,
    successors: Sequence[Agreement] = (),
) -> dict[str, Any]:
    """What the letter and the instruments say, as flat values that JSON can hold (dates as YYYY-MM-DD).

    `decided_on` and `received_on` are legal dates in the agreement's zone. Sources: 26 USC 6103(i)(2)(A) and (B), (i)(6),
    (p)(4), and the agreement. `earlier`: this requester's batches before; `successors`: agreements that supersede this one, in force or not.
    Raises nothing: what does not hold is a False, judged by `rules.authority`.
    """
    signed_by = signatures.signer(letter_bytes, signature, list(agreement.keys.signing), signatures.LETTER)
    limits, earlier = agreement.thresholds, earlier or Earlier()
    stands = standing(agreement, orders, letter.statute, letter.purpose, decided_on)
    return {
        "letter_signed": signed_by is not None,
        "agreement_in_force": agreement.in_force(decided_on),
        "superseded_by": list(superseded(agreement, successors, decided_on)),
        "orders_against": list(stands.forbid),
        "orders_holding": list(stands.hold),
        **register_facts(agreement, stands),
        "requester_is_party": letter.requester == agreement.requester.id and letter.agreement == agreement.id,
        "office_may_sign": letter.signatory.office in agreement.offices,
        "signatory_may_sign": agreement.may_sign(letter.signatory.name, letter.signatory.office, letter.date),
        "statute": letter.statute,
        "statute_known": letter.statute in STATUTES,
        "statute_designated": letter.statute in agreement.statutes,
        "purpose_allowed": letter.purpose in agreement.purposes,
        "solely": letter.attestations.solely,
        "clearance": letter.attestations.no_informant_or_investigation_harmed,
        "officers": sorted({o.id for o in letter.officers}),
        "officers_alike": _alike(letter.officers),
        "safeguards_in_force": agreement.safeguards.in_force(decided_on),
        "tiers": sorted(set(agreement.tiers)),
        "letter_date": letter.date.isoformat(),
        "attested_on": letter.attested_on.isoformat(),
        "received_on": received_on.isoformat(),
        **address_facts(agreement, decided_on),
        "rows_in_letter": sum(f.rows for f in letter.files),
        "max_letter_age_days": limits.letter_age_days,
        "max_attestation_days": limits.attestation_days,
        "max_rows_per_batch": limits.rows_per_batch,
        "max_rows_30_days": limits.rows_30_days or _NO_CAP,
        "max_matters_per_officer": limits.matters_per_officer,
        "max_identical_reason_share": limits.identical_reason_share,
        "max_incomplete_share": limits.incomplete_share,
        "max_incomplete_share_per_file": limits.incomplete_share_per_file,
        "max_incomplete_share_30_days": _or(limits.incomplete_share_30_days, limits.incomplete_share),
        "max_incomplete_share_by_code": dict(limits.incomplete_share_by_code),
        "earlier_rows": earlier.rows,
        "earlier_incomplete_rows": earlier.incomplete,
        "max_persons_per_address": limits.persons_per_address,
        "min_match_rate": limits.match_rate_floor,
        "max_match_rate": limits.match_rate_ceiling,
        **band.learnt(earlier.batches),
        "max_weak_tiers": limits.weak_tiers_ceiling,
        "min_days_after_final_order": limits.days_after_final_order,
    }


def _alike(officers: Sequence[Officer]) -> dict[str, str]:
    """Ids under which the letter lists somebody again → the id under which it does so first. One name is one person, however it
    is written, and so is one id in other letters: matters are counted by person."""
    first: dict[str, str] = {}
    found = {}
    for one in sorted(officers, key=lambda o: o.id):
        plain = "".join(c for c in unicodedata.normalize("NFKD", one.name.casefold()) if c.isalnum() or c.isspace())
        keys = (
            f"id {one.id.casefold()}",
            f"name {' '.join(sorted(plain.split()))}" if plain.strip() else f"id {one.id}",
        )
        known = next((first[k] for k in keys if k in first), one.id)
        first |= dict.fromkeys(keys, known)
        if known != one.id:
            found[one.id] = known
    return found


def address_facts(agreement: Agreement, decided_on: date) -> dict[str, Any]:
    """Which addresses on file count under the agreement on the day of the decision: what `corroboration.counts` reads."""
    return {
        "decided_on": decided_on.isoformat(),
        "earlier_addresses_count": agreement.addresses_that_corroborate == "current_and_earlier",
        "earliest_address_end": _years_before(decided_on, agreement.earlier_addresses_years).isoformat(),
    }


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _years_before(day: date, years: int) -> date:
    """The same day that many years before; 28 February for a 29th that is not there."""
    year = max(day.year - years, 1)
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)


def row_constants(facts: Mapping[str, Any]) -> str:
    """The constants that row rules read beside a canonical row, as a SELECT list: `SELECT *, {row_constants(facts)} FROM …`."""
    return ", ".join(f"{_literal(name, facts[name])} AS {name}" for name in ROW_CONSTANTS)


def register_facts(agreement: Agreement, stands: Standing) -> dict[str, Any]:
    """What register-phase rules need to know of the agreement and of the orders that stand against it."""
    return {
        "max_tries_per_person": agreement.thresholds.tries_per_person,
        "lists_required": sorted({which for _, which in stands.persons}),
        "states_withheld": sorted({state for _, some in stands.states for state in some}),
    }


def register_constants(facts: Mapping[str, Any]) -> str:
    """The constants that register-phase rules read beside a verdict row, as a SELECT list."""
    return ", ".join(f"{_literal(name, facts[name])} AS {name}" for name in _REGISTER_CONSTANTS)


def letter_facts_sql(facts: Mapping[str, Any]) -> str:
    """`facts` as a SELECT of one row, typed: dates as DATE, lists as VARCHAR[]; limits by code are for the counts only."""
    return "SELECT " + ", ".join(
        f"{_literal(name, value)} AS {name}" for name, value in facts.items() if not isinstance(value, dict)
    )


def facts_sql(facts: Mapping[str, Any], counts: str) -> str:
    """The whole one-row table of facts: `facts` beside the counts of `count_facts_sql`."""
    return f"SELECT * FROM ({letter_facts_sql(facts)}) CROSS JOIN ({counts})"


def count_facts_sql(rows: str, rejects: str, dropped: str | None, letter: Mapping[str, Any]) -> str:
    """A SELECT of one row that counts a batch; decoys are left out.

    `rows` (canonical rows; a checkpoint gives them with `a_codes` derived again from the raw fields, and CROWDED from all of
    them), `rejects` and `dropped` (a column `ordinal`) can stand in FROM. Shares are of all submitted rows, rejects included
    (agreement); rows that two people dropped count in no share and are no longer incomplete.

    Columns: rows_submitted, rows_rejected, rows_dropped, rows_open (go on to match), incomplete_rows,
    worst_file_incomplete_share, codes_over_limit (codes on a larger share of the rows than the agreement allows),
    identical_reason_rows (largest group of two requests or more that give one reason: `reasons`), busiest_officer_rows (of one
    person, under whatever ids the letter lists him). `letter`: see `letter_facts`; without limits there are no codes over them.
    """
    by_code, alike = letter.get("max_incomplete_share_by_code", {}), letter.get("officers_alike", {})
    whens = "".join(f" WHEN {quote(other)} THEN {quote(first)}" for other, first in sorted(alike.items()))
    officer = f"CASE trim(officer){whens} ELSE trim(officer) END" if whens else "trim(officer)"
    blocking = ", ".join(quote(c) for c in BLOCKING_ADDRESS_CODES)
    gone = f"SELECT ordinal FROM {dropped}" if dropped else "SELECT 0::BIGINT AS ordinal WHERE false"
    return f"""
    WITH dropped AS ({gone}),
    asked AS (
      SELECT *, ordinal IN (SELECT ordinal FROM dropped) AS is_dropped,
        coalesce(list_has_any(a_codes, [{blocking}]), true) AS incomplete
      FROM {rows} WHERE origin = 'request'
    ),
    bad AS (SELECT file FROM {rejects} WHERE origin = 'request'),
    files AS (
      SELECT file, sum(counted) AS counted, sum(incomplete) AS incomplete FROM (
        SELECT file, count(*) AS counted, count(*) FILTER (incomplete) AS incomplete FROM asked WHERE NOT is_dropped GROUP BY file
        UNION ALL SELECT file, count(*), 0 FROM bad GROUP BY file
      ) GROUP BY file
    ),
    codes AS (SELECT code, count(*) AS n FROM (SELECT unnest(a_codes) AS code FROM asked WHERE NOT is_dropped) GROUP BY code),
    said AS MATERIALIZED (
      SELECT request_id, {reasons.words("reason")} AS words, case_number, final_order_date, judicial_order_date FROM asked
      WHERE regexp_matches(reason, '[\\p{{L}}\\p{{N}}]')
    ),
    given AS (SELECT request_id, words, {reasons.same("words")} AS same FROM said),
    reasons AS (
      SELECT count(DISTINCT request_id) AS n FROM given GROUP BY words HAVING n > 1
      UNION ALL SELECT count(DISTINCT request_id) AS n FROM given GROUP BY same HAVING n > 1
    ),
    officers AS (SELECT count(*) AS n FROM asked WHERE officer IS NOT NULL GROUP BY {officer})
    SELECT
      (SELECT count(*) FROM asked) + (SELECT count(*) FROM bad) AS rows_submitted,
      (SELECT count(*) FROM bad) AS rows_rejected,
      (SELECT count(*) FROM asked WHERE is_dropped) AS rows_dropped,
      (SELECT count(*) FROM asked WHERE outcome IS NULL AND NOT is_dropped) AS rows_open,
      (SELECT count(*) FROM asked WHERE incomplete AND NOT is_dropped) AS incomplete_rows,
      coalesce((SELECT max(incomplete / counted) FROM files), 0.0)::DOUBLE AS worst_file_incomplete_share,
      (SELECT coalesce(list(code ORDER BY code), []) FROM codes JOIN ({_limits(by_code)}) USING (code)
        WHERE n > share * ((SELECT count(*) FROM asked WHERE NOT is_dropped) + (SELECT count(*) FROM bad))) AS codes_over_limit,
      coalesce((SELECT max(n) FROM reasons), 0) AS identical_reason_rows,
      coalesce((SELECT max(n) FROM officers), 0) AS busiest_officer_rows"""


def _limits(by_code: Mapping[str, float]) -> str:
    """A SELECT of (code, share)."""
    rows = ", ".join(f"({quote(code)}, {share}::DOUBLE)" for code, share in sorted(by_code.items()))
    return f"SELECT * FROM (VALUES {rows or '(NULL, NULL)'}) AS limits(code, share)"


def _literal(name: str, value: Any) -> str:
    if isinstance(value, list):
        return f"CAST([{', '.join(quote(v) for v in value)}] AS VARCHAR[])"
    if isinstance(value, str):
        return f"DATE {quote(value)}" if name in _DATES else quote(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
