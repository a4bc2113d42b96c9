"""Facts on file that were wrong when a batch was decided: records that a correction has touched since.

A delta says whether the world changed (`update`) or the file had been wrong (`correction`). Past disclosures are judged
by what was known then, and by corrections: of a corrected person, by the addresses that are on file now and counted on
the day of the decision. Who has another name, birth date or number now than the match went by is not the person who was
matched.
"""

from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

from expectations.base.duck import parquet, quote
from expectations.contracts.lists import Origin
from expectations.facts import corroboration
from expectations.facts.letter import register_facts
from expectations.names import standard
from pipelines import register
from pipelines.context import BatchContext
from pipelines.lake.sql import Connection, copy, quiet
from pipelines.register.delta import Kind
from pipelines.register.prepare import STORED
from pipelines.register.update import Change
from pipelines.replay.then import ADDRESSES
from pipelines.validate.facts import ADDRESS_FIELDS, Facts, asked

STEP = "replay.corrections"


def changes(versions: Sequence[Path]) -> list[str]:
    """The Parquet files in which these register versions list what deltas have changed, proven by digest."""
    return [path for folder in versions for path in register.changes(folder)]


def since(changed: Sequence[str], known: Sequence[str], records: str) -> str:
    """A SELECT of record_id: those of `records` (a relation with record_id) that were corrected, or removed for
    whatever reason, by deltas in `changed` that are not in `known` (files of `changes`)."""
    before = f"AND delta NOT IN (SELECT delta FROM {parquet(list(known))})" if known else ""
    what = f"(kind IN {Kind.sql(looks_back=True)} OR change = '{Change.REMOVED}') {before}"
    return f"""
    SELECT DISTINCT record_id FROM {records}
    WHERE record_id IN (SELECT record_id FROM {parquet(list(changed))} WHERE {what}) ORDER BY record_id"""


def write(
    ctx: BatchContext,
    evidence: str,
    target: Path,
    *,
    changed: Sequence[str],
    known: Sequence[str],
    now: Path,
    until: date,
) -> int:
    """Writes (record_id, addresses_on_file, same_person) of matched persons corrected since; gives their number.

    changed, known   files of `changes`: of all register versions, and of the one that the batch ran against (its
                     corrections were known then)
    now              the register's newest version; until: corrections in effect on that day count
    Raises BadInput if the newest version cannot be read.
    """
    with quiet(STEP, ctx.duck) as connection:
        standard.setup(connection)
        asked_for = target.with_name("corrected-persons.parquet")
        copy(connection, _touched(connection, evidence, changed, known, until), asked_for)
        count = int(connection.execute(f"SELECT count(*) FROM {parquet([asked_for])}").fetchall()[0][0])
        if count:
            copy(connection, _facts(connection, ctx, evidence, asked_for, now), target)
    return count


def _touched(
    connection: Connection, evidence: str, changed: Collection[str], known: Collection[str], until: date
) -> str:
    columns = {name for name, *_ in connection.execute(f"DESCRIBE FROM {evidence}").fetchall()}
    if "verdict" not in columns or not changed:
        return f"SELECT 0::BIGINT AS record_id, '{Origin.REQUEST}' AS origin WHERE false"
    before = f"AND delta NOT IN (SELECT delta FROM {parquet(list(known))})" if known else ""
    return f"""
    SELECT DISTINCT verdict.record_id AS record_id, '{Origin.REQUEST}' AS origin FROM {evidence}
    WHERE origin = '{Origin.REQUEST}' AND verdict IS NOT NULL AND verdict.record_id IN (
      SELECT record_id FROM {parquet(list(changed))}
      WHERE kind IN {Kind.sql(looks_back=True)} AND effective_on <= DATE {quote(str(until))} {before})"""


def _facts(connection: Connection, ctx: BatchContext, evidence: str, asked_for: Path, now: Path) -> str:
    """What the newest version holds on these persons, as validate would have had it on the day of the decision."""
    counting = corroboration.counts(register_facts(ctx.agreement, ctx.standing, ctx.decided_on))
    worker = Facts((str(asked_for),), counting, ctx.duck)
    pieces = asked({Origin.REQUEST.value: register.open_register(now)})
    addresses = " UNION ALL ".join(f"({worker.query(p)})" for p in pieces if p.dataset == "addresses")
    people = " UNION ALL ".join(f"({worker.query(p)})" for p in pieces if p.dataset == "persons")
    pack = ", ".join(f"{f} := {f}" for f in ADDRESS_FIELDS)
    same = " AND ".join(f"n.{c} IS NOT DISTINCT FROM t.person.{c}" for c in (*STORED.split(", "), "s_tin"))
    return f"""
    WITH lists AS (SELECT record_id, list(struct_pack({pack})) AS addresses FROM ({addresses}) GROUP BY record_id),
    "now" AS ({people}),
    "then" AS (
      SELECT DISTINCT ON (record_id) verdict.record_id AS record_id, person FROM {evidence} WHERE verdict IS NOT NULL)
    SELECT w.record_id, coalesce(l.addresses, [])::{ADDRESSES} AS addresses_on_file,
      n.record_id IS NOT NULL AND coalesce({same}, false) AS same_person
    FROM {parquet([asked_for])} w LEFT JOIN lists l USING (record_id) LEFT JOIN "now" n USING (record_id)
      LEFT JOIN "then" t USING (record_id)"""
