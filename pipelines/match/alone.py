"""The stage alone, for evaluation and tuning: raw rows in, a line a row out; no release, and no ledger."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from expectations import address
from expectations.base.duck import DuckSettings, parquet, quote
from expectations.facts import corroboration
from expectations.names import standard
from expectations.rules.sql import blank
from pipelines import lake, register
from pipelines.lake import Attempt, Manifest, Part
from pipelines.lake.runner import EMBEDDED
from pipelines.lake.sql import copy, quiet
from pipelines.lake.workplace import workplace
from pipelines.match import request_file
from pipelines.match.outcomes import MatchOutcome
from pipelines.match.stage import Alone, find
from pipelines.register.opened import addresses
from pipelines.register.prepare import PERSON, WRITTEN

_PARSED = "a_kind, a_number, a_street, a_unit, a_urb, a_state, a_zip"
# Fields that a row may give in a form nobody can read, which then is no evidence: what reads them (SQL), and the code.
_READ = {"birth_date": ("std_date", "BAD_BIRTH_DATE"), "tin": ("std_tin", "BAD_TIN")}


class Matched(NamedTuple):
    """Rows by outcome, and rows by the code of a field that was given and could not be read."""

    outcomes: dict[str, int]
    unread: dict[str, int]


def match_file(
    requests: Path, prepared: Path, out: Path, *, duck: DuckSettings, progress: lake.Progress, runner: str = EMBEDDED
) -> Matched:
    """Matches the rows of `requests` (CSV or Parquet with columns of `contracts.RAW_REQUEST`; request_id is needed)
    against a prepared register, or a raw one, which is prepared for this run only. A Parquet column need not be text: a
    timestamp is its date, a number its digits.

    `out` (CSV or Parquet) gets request_id, outcome (`MatchOutcome`), record_id, tier, evidence, corroboration, and why
    (vetoes, plausible, weight), one row a request, in the order of the file; in CSV a list has spaces. Every row takes
    part, whatever its address: the screens of ingest are not applied. Raises BadInput.
    """
    request_file.check(requests)  # before anything is worked on
    with workplace(out, requests, "match") as folder:
        place = Alone(folder, replace(duck, temp=str(folder / "spill")), progress, runner)
        if not (prepared / "manifest.json").exists():
            built = place.step("register")
            register.build(prepared, built, runner=runner, duck=place.duck, progress=progress)
            prepared = built
        real = register.open_register(prepared)
        step, worker = place.step("ingest.rows"), Canonical(place.duck)
        rows = lake.run_step(step, {}, [requests], worker, runner=runner, progress=progress)
        found = find(place, {}, rows, real)
        target = folder / out.name
        outcomes = _write(place, rows, real, found, target)
        target.replace(out)
    unread = {code: rows.count(code) for _, code in _READ.values()}
    return Matched(outcomes, {code: count for code, count in unread.items() if count})


@dataclass(frozen=True)
class Canonical:
    """Worker: a file of raw rows → the part of standardised rows that the stage reads, all of them open."""

    duck: DuckSettings

    def __call__(self, path: Path, attempt: Attempt) -> Iterable[Part]:
        with quiet("match.rows", self.duck) as con:
            standard.setup(con)
            address.setup(con)
            request_file.load(con, path)
            named = standard.derive("raw")
            parsed = address.derive(f"({named})", one_line=True)
            query = f"""
                SELECT ordinal, 'request' AS origin, request_id, {PERSON}, {_PARSED}, NULL::VARCHAR AS outcome
                FROM ({parsed}) ORDER BY ordinal"""
            copy(con, query, attempt.path("rows", 0))
            counts = (f"count(*) FILTER (NOT {blank(n)} AND {read}({n}) IS NULL)" for n, (read, _) in _READ.items())
            unread = con.execute(f"SELECT {', '.join(counts)} FROM raw").fetchall()[0]
        yield attempt.part("rows", 0, **dict(zip((code for _, code in _READ.values()), unread, strict=True)))


def _write(place: Alone, rows: Manifest, real: Manifest, found: Manifest, target: Path) -> dict[str, int]:
    kind = target.suffix.removeprefix(".")
    evidence, vetoes = (f"array_to_string({c}, ' ')" if kind == "csv" else c for c in ("evidence", "vetoes"))
    outcome = f"coalesce(c.outcome, '{MatchOutcome.MATCHED}')"
    pack = ", ".join(f"{n} := {n}" for n in (*WRITTEN, "valid_from", "valid_to"))
    with quiet("match.alone", place.duck) as con:
        address.setup(con)
        con.execute(f"CREATE TEMP TABLE c AS FROM {parquet(found.paths('candidates'))}")
        con.execute(f"CREATE TEMP TABLE r AS FROM {parquet(rows.paths('rows'))}")
        con.execute(f"""
            CREATE TEMP TABLE facts AS SELECT ordinal, list(struct_pack({pack})) AS addresses_on_file
            FROM c JOIN {addresses(real)} USING (record_id) GROUP BY ordinal""")
        query = f"""
            SELECT r.request_id, {outcome} AS outcome, c.record_id, c.tier, {evidence} AS evidence, k.corroboration,
              {vetoes} AS vetoes, c.plausible, c.weight
            FROM r JOIN c USING (ordinal) LEFT JOIN ({corroboration.sql("r", "facts")}) k USING (ordinal)
            ORDER BY ordinal"""
        con.execute(f"COPY ({query}) TO {quote(str(target))} (FORMAT {kind})")
        counted = con.execute(f"SELECT {outcome}, count(*) FROM c GROUP BY 1 ORDER BY 1").fetchall()
    return dict(counted)
