"""`sluicegate explain`: how one row was judged by each rule, from the batch in flight or from its sealed evidence.

With the law and the versions of the instruments behind each verdict, and behind the batch's own end. The rules are
evaluated again on the row's raw fields. Values are shown on request only, to who says why, and that is an audit event,
recorded before they are shown.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from duckdb import DuckDBPyConnection as Connection

from expectations import codes
from expectations.base.clock import Clock
from expectations.base.duck import parquet, session
from expectations.base.errors import Usage
from expectations.contracts.lists import Outcome
from expectations.facts import crowding
from expectations.facts.sql import beside_verdict
from expectations.rules import disclosure
from expectations.rules.book import request_rules
from expectations.rules.rule import Rule
from expectations.suites import derived
from flows.batch import grounds
from flows.batch.grounds import Grounds
from flows.batch.law import TRIED
from flows.batch.steps import BatchSteps
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import STOPPED, State
from flows.replay import opened
from flows.replay.values import Look, Values, audited, of
from pipelines.context import BatchContext
from pipelines.ingest import letter_facts
from pipelines.release.leaving import WITHHELD
from pipelines.release.outcomes import SECRET_CODE

_TRIES = ("earlier_tries", "tried_beside")
_MATCH = ("outcome", "tier", "evidence", "vetoes", "plausible")
_NOT_ON_FILE: dict[str, Any] = {
    "outcome": Outcome.UNMATCHED.value,
    "tier": None,
    "evidence": [],
    "vetoes": [],
    "plausible": 0,
}
_VALIDATE = ("corroboration", "units_on_file", "earlier_tries", "tried_beside", "codes", "outcome")


def explain(home: Home, clock: Clock, batch: str, ordinal: int, look: Look | None = None) -> dict[str, Any]:
    """How one row was judged; with a `look`, the values that it is for, too. Raises Usage: no such batch or row, or a
    look that is not allowed."""
    with Ledger.open(home.ledger_url, clock) as ledger:
        record = ledger.known_batch(batch)
        with (
            opened.opened(home, BatchSteps(home, ledger, batch)) as (ctx, relation),
            session(home.duck.for_rows(record.rows)) as connection,
        ):
            row = _row(connection, relation, ordinal)
            if look:
                audited(home, ledger, batch, ordinal, look)
            on = grounds.recorded(ledger, record)
            found = _explain(connection, ctx, on, relation, _told(row))
            found |= _withheld(connection, ctx, ordinal)
            if record.state in STOPPED:
                # an order, or a version of the agreement, may have come after receipt
                read = grounds.last_read(ledger, record)
                late = grounds.of_digests(ledger, record, dict(read.under)).cited if read else {}
                cited = {**grounds.enrolled(ledger, record).cited, **on.cited, **late}
                found |= _stopped(record, replace(on, cited=cited), found)
            return {**found, **(_shown(of(row, look.what)) if look else {})}


def _shown(values: Values) -> dict[str, Any]:
    found = {"values": values.request, "register": values.person, "addresses on file": values.addresses}
    return {name: one for name, one in found.items() if one is not None}


def _stopped(record: BatchRecord, on: Grounds, found: Mapping[str, Any]) -> dict[str, Any]:
    """Why the batch as a whole was stopped; if for good, that is how every row of it ended."""
    batch = {"state": record.state.value, "codes": list(record.codes), "cites": on.cites(record.cites)}
    if record.state is State.HELD:
        return {"batch": batch}
    return {"batch": batch, "outcome": "refused", "codes": sorted({*found["codes"], *record.codes})}


def _withheld(connection: Connection, ctx: BatchContext, ordinal: int) -> dict[str, Any]:
    """How the row ended by what was read after receipt, if that held it back."""
    path = ctx.root / WITHHELD
    if not path.exists():
        return {}
    query = f"SELECT outcome, codes FROM {parquet([path])} WHERE ordinal = {ordinal}"
    return next(({"outcome": end, "codes": codes} for end, codes in connection.execute(query).fetchall()), {})


def _row(connection: Connection, relation: str, ordinal: int) -> dict[str, Any]:
    connection.execute(f"CREATE TABLE one AS SELECT * FROM {relation} WHERE ordinal = {ordinal} AND origin = 'request'")
    table = connection.execute("SELECT * FROM one").to_arrow_table()
    if table.num_rows != 1:
        raise Usage("NO_SUCH_ROW", "the batch has no row with this ordinal", remedy="Ordinals count from 0.")
    row: dict[str, Any] = table.to_pylist()[0]
    return row


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """The row as it is told of: a person whom the holder protects reads like one who is not on file, as on the row's
    page (`pipelines.release.judged`)."""
    if SECRET_CODE not in ((row.get("verdict") or {}).get("codes") or ()):
        return row
    return {**row, "candidate": {**row["candidate"], **_NOT_ON_FILE}, "verdict": None}


def _explain(connection: Connection, ctx: BatchContext, on: Grounds, batch: str, row: dict[str, Any]) -> dict[str, Any]:
    reject, candidate, verdict = (row.get(k) or {} for k in ("reject", "candidate", "verdict"))
    if reject:
        where = {"rule": f"read.{reject['field'] or 'row'}", "verdict": "failed"}
        rules = [{**where, "code": reject["code"], "source": codes.code(reject["code"]).source, "cites": []}]
        return {"outcome": "rejected", "codes": [reject["code"]], "rules": rules}
    letter = letter_facts(ctx)
    for define in derived.setup(ctx.facilities):
        define(connection)
    again = derived.again("one", letter, ctx.agreement.requester.premises, ctx.agreement.may_be_left_out)
    crowded = f"({crowding.sql(batch, letter.thresholds.persons_per_address)})"
    connection.execute(f"CREATE TABLE again AS {crowding.marked(f'({again})', crowded, 'a_codes')}")
    rules = _judged(connection, "again", request_rules(ctx.letter.statute), ctx, on)
    if verdict:
        verdict |= _tried(connection, ctx, verdict)
        said = ", ".join(f"{int(verdict[c])} AS {c}" for c in _TRIES)
        own = f"COLUMNS(c -> c NOT IN {('ordinal', 'origin', *_TRIES)})"
        connection.execute(
            f"CREATE TABLE judged AS SELECT again.*, v.* EXCLUDE (ordinal), {said}, {beside_verdict(letter)} FROM again"
            f" JOIN (SELECT ordinal, {own} FROM (SELECT unnest(verdict) FROM one)) v USING (ordinal)"
        )
        rules += _judged(connection, "judged", tuple(disclosure.RULES.values()), ctx, on)
    ended = verdict.get("outcome") or candidate.get("outcome") or row.get("outcome")
    return {
        "outcome": ended or ("eligible" if verdict else None),
        "codes": [*(row.get("codes") or []), *(verdict.get("codes") or [])],
        "rules": rules,
        "match": {k: candidate[k] for k in _MATCH} if candidate else None,
        "validate": {k: verdict[k] for k in _VALIDATE} if verdict else None,
    }


def _tried(connection: Connection, ctx: BatchContext, verdict: Mapping[str, Any]) -> dict[str, int]:
    """The tries that count on the row's person, read again before publication where that was done. Evidence of older
    versions knows of no rows that are held together."""
    found = {"tried_beside": 0, **{k: int(verdict[k]) for k in _TRIES if k in verdict}}
    path = ctx.root / TRIED
    if not path.exists():
        return found
    query = f"SELECT max(earlier_tries) FROM {parquet([path])} WHERE ordinal = {int(verdict['ordinal'])}"
    later = connection.execute(query).fetchall()[0][0]
    return found | {"earlier_tries": max(found["earlier_tries"], later or 0)}


def _judged(
    connection: Connection, table: str, rules: tuple[Rule, ...], ctx: BatchContext, on: Grounds
) -> list[dict[str, Any]]:
    met = connection.execute(f"SELECT {', '.join(r.met for r in rules)} FROM {table}").fetchall()[0]
    return [
        {
            "rule": r.id,
            "verdict": "met" if ok else "failed",
            "code": "" if ok else r.code,
            "source": r.source,
            "cites": [one.to_dict() for one in grounds.behind(r, ctx, on)],
        }
        for r, ok in zip(rules, met, strict=True)
    ]
