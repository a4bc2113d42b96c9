"""How one row was judged, without a value of it: of a batch in flight, or as it was kept when the batch ended."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pyarrow.parquet as pq

from expectations.base.duck import session
from expectations.base.errors import Usage
from expectations.contracts.lists import Corroboration, Outcome, Tier
from flows.batch.steps import BatchSteps
from flows.evidence import keys
from flows.evidence.store import evidence_file
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.replay.opened import require_evidence
from pipelines import lake, sealing
from pipelines.release.judged import NAME, judged
from pipelines.release.outcomes import MATCH_CODES

NOT_READ = "NOT_READ"  # its rows: the batch ended, or waits, before that
NOT_KEPT = "NOT_KEPT"  # of how each row was judged, by the version that ended the batch


@dataclass(frozen=True)
class Match:
    """What the register had for a row. `outcome`: None if there is one candidate; `score`: a band's lower end, bits."""

    outcome: Outcome | None
    tier: Tier | None
    evidence: tuple[str, ...]
    vetoes: tuple[str, ...]
    plausible: int
    score: int | None


@dataclass(frozen=True)
class OnFile:
    """What the facts on file said of a matched row. `outcome`: None if it is eligible."""

    outcome: Outcome | None
    codes: tuple[str, ...]
    corroboration: Corroboration
    units_on_file: int
    earlier_tries: int
    tried_beside: int


@dataclass(frozen=True)
class Judged:
    """A row. `screened`: how it ended before it was looked up, None if it was; `asked`: the codes of the request;
    `codes`: all; `outcome`: its one end, None before the batch has ended."""

    ordinal: int
    file: int
    row: int
    field: str | None
    screened: Outcome | None
    asked: tuple[str, ...]
    match: Match | None
    verdict: OnFile | None
    outcome: Outcome | None
    codes: tuple[str, ...]


def row(home: Home, ledger: Ledger, record: BatchRecord, ordinal: int) -> Judged:
    """Raises Usage if the batch has no such row, if its rows were not read, or if what was kept is gone."""
    if BatchSteps(home, ledger, record.name).folder.exists():
        found = _in_flight(home, record, ordinal)
    else:
        found = _kept(home, ledger, record, ordinal)
    if len(found) != 1:
        raise Usage("NO_SUCH_ROW", "the batch has no row with this number", remedy="Numbers count from 0.")
    return _judged(found[0])


def _in_flight(home: Home, record: BatchRecord, ordinal: int) -> list[dict[str, Any]]:
    root = home.lake / record.name
    if not lake.is_committed(root / "ingest.rows"):
        raise Usage(NOT_READ, "the rows of this batch were not read yet")
    with session(home.duck.for_rows(1)) as connection:
        return _rows(connection.execute(judged(root, ordinal)).to_arrow_table())


def _kept(home: Home, ledger: Ledger, record: BatchRecord, ordinal: int) -> list[dict[str, Any]]:
    require_evidence(ledger, record.name)
    path = evidence_file(home, record.name, NAME)
    if not path.exists():
        if not evidence_file(home, record.name, "parquet").exists():
            raise Usage(NOT_READ, "the batch ended before its rows were read")
        what = "an older version ended this batch, and did not keep how each row was judged"
        raise Usage(NOT_KEPT, what, remedy="See sluicegate explain.")
    with sealing.opened_stream(path, keys.identity(home, record.name)) as stream:
        plain = BytesIO(stream.read())
    return _rows(pq.read_table(plain, filters=[("ordinal", "==", ordinal)]))


def _rows(table: Any) -> list[dict[str, Any]]:
    return list(table.to_pylist())


def _judged(row: dict[str, Any]) -> Judged:
    match, verdict = row["match"], row["verdict"]
    known = {*row["asked"], *((verdict or {}).get("codes") or ())}
    known |= {MATCH_CODES[Outcome(match["outcome"])]} if match and match["outcome"] in MATCH_CODES else set()
    plain = {name: row[name] for name in ("ordinal", "file", "row", "field")}
    return Judged(
        **plain,
        screened=_outcome(row["screened"]),
        asked=tuple(row["asked"]),
        match=_match(match) if match else None,
        verdict=_on_file(verdict) if verdict else None,
        outcome=_outcome(row["outcome"]),
        codes=tuple(sorted(known | set(row["codes"] or ()))),
    )


def _match(one: dict[str, Any]) -> Match:
    tier = Tier(one["tier"]) if one["tier"] else None
    found = {"tier": tier, "outcome": _outcome(one["outcome"])}
    return Match(**{**one, **found, "evidence": tuple(one["evidence"]), "vetoes": tuple(one["vetoes"])})


def _on_file(one: dict[str, Any]) -> OnFile:
    found = {"outcome": _outcome(one["outcome"]), "codes": tuple(one["codes"])}
    return OnFile(**{**one, **found, "corroboration": Corroboration(one["corroboration"])})


def _outcome(word: str | None) -> Outcome | None:
    return Outcome(word) if word else None
