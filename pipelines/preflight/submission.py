"""A whole submission to verdicts and findings, as the holder's ingest stage and its batch rules would judge it today.

What only the holder has is left out: earlier disclosures, court orders, determinations, the register. Without the
agreement an agreement is assumed that grants what the letter says, so that only what is wrong whatever the agreement
says is found.
"""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from expectations import codes
from expectations.address import complete
from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.duck import DuckSettings, parquet, session
from expectations.base.errors import BadInput, Fault
from expectations.base.hash_key import HashKey
from expectations.facts import counts, sql
from expectations.facts.letter import LetterFacts, letter_facts
from expectations.instruments import Agreement, Determination, Keys, Requester, Safeguards, Signer, Thresholds
from expectations.rules.book import batch_rules
from expectations.rules.rule import failing_codes
from expectations.rules.statutes import STATUTES, required_columns
from pipelines import ingest
from pipelines.context import BatchContext
from pipelines.ingest.decode import Decode, Duplicates, plan
from pipelines.ingest.rows import FindCrowded, Judge, Settle, judging
from pipelines.ingest.submission import LETTER, SIGNATURE, TakenIn
from pipelines.lake import Attempt, Manifest, Part, Progress, grouped
from pipelines.lake.failures import no_values
from pipelines.lake.workplace import workplace
from pipelines.preflight import verdicts
from pipelines.preflight.verdicts import ID


@dataclass(frozen=True)
class Finding:
    """What to fix in the letter or the batch as a whole: code, what is wrong, where, what to do, source of law."""

    code: str
    message: str
    where: str
    fix: str
    source: str


@dataclass(frozen=True)
class Report:
    """What was found. `tally` is None, and there are no VERDICTS, if a data file could not be read."""

    findings: tuple[Finding, ...]
    tally: verdicts.Tally | None


def check_submission(
    folder: Path,
    out: Path,
    *,
    agreement: Agreement | None = None,
    clock: Clock,
    duck: DuckSettings,
    part_rows: int = 250_000,
    progress: Progress = lambda step, done, total: None,
) -> Report:
    """Judges the submission in `folder`, signed or not, and writes VERDICTS to `out`: a row for each submitted row.
    Raises BadInput if there is no letter that can be read, or its list of files is not one (see `ingest.take_in`)."""
    with no_values(verdicts.NAME), workplace(out, folder, verdicts.NAME) as work:
        faults: list[BadInput] = []
        taken = ingest.take_in(folder, work / "submission", unsigned=True, faults=faults)
        context = _context(taken, agreement, clock, replace(duck, temp=str(work / "spill")), work, part_rows)
        # orders and earlier batches are the holder's to know
        facts = taken.letter, taken.letter_bytes, taken.signature, context.agreement, ()
        dates = context.decided_on, context.received_on
        letter = letter_facts(*facts, *dates, determinations=[_determined(context)])
        parts = [] if faults else _decoded(context, progress, faults)
        rows = [] if faults else _judged(context, letter, parts, progress)
        found = [
            Finding(e.code, e.message, e.where, e.remedy, codes.CODES[e.code].source if e.code in codes.CODES else "")
            for e in faults
        ]
        with session(context.duck) as connection:
            query = sql.one_row(letter.flat())
            if rows:  # without any, only what the letter says is known
                ends = parquet(_paths(rows, "rows")), parquet(_paths(parts, "rejects"))
                query = sql.with_counts(letter, counts.sql(*ends, None, letter))
            known = {name for name, *_ in connection.execute(query).description or ()}
            rules = [r for r in batch_rules() if known.issuperset(r.inputs)]
            failing = connection.execute(f"SELECT {failing_codes(rules)} FROM ({query})").fetchall()[0][0]
        found += [_of_batch(code, taken) for code in failing]
        tally = None if faults else _write(context, rows, parts, out, work)
    return Report(tuple(found), tally)


def _context(
    taken: TakenIn, agreement: Agreement | None, clock: Clock, duck: DuckSettings, work: Path, part_rows: int
) -> BatchContext:
    """The batch as the holder would take it in today: nothing disclosed before, a hash key that nobody else has."""
    under = agreement or _granting(taken)
    today = clock.today(under.zone)
    context = BatchContext(
        batch=taken.batch,
        root=work,
        submission=taken.digest,
        letter=taken.letter,
        agreement=under,
        orders=(),
        decided_on=today,
        received_on=today,
        register=work,
        hash_key=HashKey.made(work / "hash"),
        part_rows=part_rows,
        duck=duck,
    )
    pq.write_table(pa.table({"request_key": pa.array([], pa.string())}), context.disclosed)
    return context


def _determined(context: BatchContext) -> Determination:
    """What the holder determines for itself, and the requester cannot know: assumed as made today."""
    return Determination(
        kind="determination",
        id="assumed",
        title="",
        source="",
        agreements=(context.agreement.id,),
        determined_by="the holder",
        determined_on=context.decided_on,
    )


def _granting(taken: TakenIn) -> Agreement:
    """An agreement that grants what the letter says, to whoever signed it; only statutes that there are rules for."""
    letter = taken.letter
    key = signatures.made_by(taken.letter_bytes, taken.signature, signatures.LETTER)
    statutes = (letter.statute,) if letter.statute in STATUTES else tuple(STATUTES)
    whoever = Requester(id=letter.requester, name="", address="", justice=True)
    named = Signer(
        name=letter.signatory.name, office=letter.signatory.office, keys=(key,) if key else (), valid_from=date.min
    )
    any_number = 10**12
    return Agreement(
        kind="agreement",
        id=letter.agreement,
        title="",
        source="",
        holder=whoever,
        requester=whoever,
        valid_from=date.min,
        valid_to=date.max,
        received_on=date.min,
        zone="UTC",  # of legal dates, where no agreement names one
        statutes=statutes,
        offices=(letter.signatory.office,),
        signatories=(named,),
        purposes=(letter.purpose,),
        fields=("street",),
        thresholds=Thresholds(
            incomplete_share=1,
            incomplete_share_per_file=1,
            match_rate_floor=0,
            match_rate_ceiling=1,
            letter_age_days=any_number,
            rows_per_batch=any_number,
            matters_per_officer=any_number,
            identical_reason_share=1,
            persons_per_address=any_number,
            tries_per_person=any_number,
            held_days=any_number,
        ),
        safeguards=Safeguards(reviewed_on=date.min),
        keys=Keys(recipient=""),
    )


def _decoded(context: BatchContext, progress: Progress, faults: list[BadInput]) -> list[Part]:
    """Raw rows, rejects and duplicate ids; what is wrong with a file is added to `faults`."""
    attempt = Attempt(str(context.root / "decode"))
    decode = Decode(context.part_rows, context.duck, required_columns(context.letter.statute))
    works = plan(context.letter.files, context.files, context.part_rows)
    parts: list[Part] = []
    for done, work in enumerate(works, 1):
        try:
            parts += decode(work, attempt)
        except BadInput as error:
            faults.append(error)
        progress("preflight.decode", done, len(works))
    return parts if faults else [*parts, *Duplicates(context.duck)(parts, attempt)]


def _judged(context: BatchContext, letter: LetterFacts, parts: list[Part], progress: Progress) -> list[Part]:
    """Canonical rows, by the query of the ingest stage; where they crowd at one address, held as there."""
    query = judging(context, letter, _paths(parts, "duplicates"))
    judge = Judge(query, context.hash_key, None, context.duck)
    attempt, rows = Attempt(str(context.root / "judged")), list[Part]()
    groups = grouped(Manifest(verdicts.NAME, "", tuple(parts)), "raw", context.part_rows)
    for index, paths in enumerate(groups):
        rows += judge((index, paths), attempt)
        progress("preflight.rows", index + 1, len(groups))
    (crowded,) = FindCrowded(context.agreement.thresholds.persons_per_address, context.duck)(rows, attempt)
    settle, settled = Settle(crowded.path, context.duck), Attempt(str(context.root / "rows"))
    return [part for row in rows for part in settle(row, settled)]


def _paths(parts: list[Part], dataset: str) -> list[str]:
    return [p.path for p in parts if p.dataset == dataset]


def _write(context: BatchContext, rows: list[Part], parts: list[Part], out: Path, work: Path) -> verdicts.Tally:
    query = f"""
        SELECT {ID}, complete, codes, file, row FROM (
          SELECT request_id AS {ID}, ordinal, file, row, {complete("codes")} AS complete, codes
          FROM {parquet(_paths(rows, "rows"))}
          UNION ALL SELECT NULL, ordinal, file, row, false, [code] FROM {parquet(_paths(parts, "rejects"))})
        ORDER BY ordinal"""
    tally = verdicts.Tally()
    with session(context.duck) as connection, verdicts.writing(out, work, pa.string(), tally) as write:
        for batch in connection.execute(query).to_arrow_reader(100_000):
            write(pa.Table.from_batches([batch]))
    if tally.rows != sum(f.rows for f in context.letter.files):
        raise Fault("COUNTS_DIFFER", "rows were lost or doubled", where=verdicts.NAME)
    return tally


def _of_batch(name: str, taken: TakenIn) -> Finding:
    if name == "LETTER_UNSIGNED" and not taken.signature:
        name = "SIGNATURE_MISSING"  # not yet there, rather than wrong
    code = codes.code(name)
    where = SIGNATURE if name in ("LETTER_UNSIGNED", "LETTER_KEY_UNKNOWN", "SIGNATURE_MISSING") else LETTER
    return Finding(name, code.message, where, code.fix, code.source)
