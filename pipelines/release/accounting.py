"""The accounting of a batch: its header, and what it says when it is counted.

Each row has the reason, the taxable period and the officer of its request, so that they outlive the evidence: 26 USC
6103(p)(3)(A) asks for the reasons for and the dates of requests. Accountings of format 1 do not have them.

The header is what 26 USC 6103(p)(3)(A) and 5 USC 552a(c)(1) ask for, for all its rows: nature and purpose of the
disclosure, name and address of the recipient, the agreement in its version, the letter. It lies in the sealed file
itself, as Parquet key-value metadata, so that rows and header cannot come apart. The date of the disclosure is the
ledger's, since an accounting is sealed before anything leaves.

It is counted when it is sealed, and again by `ledger verify --deep`: ten million rows pass through, never all at once.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from expectations.base import merkle
from expectations.base.digests import canonical_json, of_file
from expectations.base.duck import DuckSettings
from expectations.base.errors import BadInput
from expectations.contracts.stages import ACCOUNTED, OUTCOME
from expectations.instruments.agreement import Party
from pipelines.context import BatchContext
from pipelines.ingest.submission import LETTER
from pipelines.lake.sql import quiet

_KEY = "sluicegate.accounting"
FORMAT = "sluicegate-accounting/2"
_COLUMNS = (ACCOUNTED.names, OUTCOME.names)  # of this format, and of the one before


def read_header(accounting: Path) -> dict[str, Any] | None:
    """The header of an accounting in plaintext; None of one that was made before there were headers."""
    text = (pq.read_metadata(accounting).metadata or {}).get(_KEY.encode())
    return dict(json.loads(text)) if text else None


def metadata(ctx: BatchContext, fields: tuple[str, ...] | None = None) -> dict[str, str]:
    """The header of this batch's accounting, as metadata of its Parquet file. `nature`: the fields that may leave,
    `fields` if what was enrolled since receipt leaves other ones. `agreement.digest`: the version at receipt."""
    agreement = ctx.agreement
    header = {
        "format": FORMAT,
        "batch": ctx.batch,
        "requested_on": ctx.letter.date.isoformat(),
        "received_on": ctx.received_on.isoformat(),
        "decided_on": ctx.decided_on.isoformat(),
        "nature": list(ctx.standing.fields if fields is None else fields),
        "purpose": ctx.letter.purpose,
        "statute": ctx.letter.statute,
        "recipient": _party(agreement.requester),
        "holder": _party(agreement.holder),
        "agreement": {"id": agreement.id, "title": agreement.title, "digest": ctx.instruments.get(agreement.id)},
        "kept_from_person": agreement.kept_from_person,
        "submission": ctx.submission,
        "letter": of_file(ctx.files / LETTER),
        "sources": ["26 USC 6103(p)(3)(A)", "5 USC 552a(c)(1), (c)(3)"],
    }
    return {_KEY: canonical_json(header).decode()}


def _party(party: Party) -> dict[str, str]:
    return {"id": party.id, "name": party.name, "address": party.address}


_ROWS = 50_000  # at a time


@dataclass(frozen=True)
class Tally:
    """Counts of an accounting. `codes`: how many rows have each, and a row several. `merkle_root` fixes the rows."""

    rows: int
    outcomes: dict[str, int]
    codes: dict[str, int]
    merkle_root: str


def tally(accounting: Path, duck: DuckSettings) -> Tally:
    """Counts a plaintext accounting, of whatever format. Raises BadInput if its rows are not in the order of their
    ordinals, each once, or if it has other columns than an accounting."""
    outcomes: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    tree, last = merkle.Tree(), -1
    # what is read ahead stays in memory until the end: without it, memory does not grow with the file
    with quiet("release.tally", duck) as connection, pq.ParquetFile(accounting, pre_buffer=False) as file:
        columns = file.schema_arrow.names
        if columns not in _COLUMNS:
            raise BadInput("ACCOUNTING_FORMAT", "the accounting has other columns than are read here")
        for batch in file.iter_batches(_ROWS, columns=columns):
            rows = pa.Table.from_batches([batch])
            last = _next(rows["ordinal"], last)
            outcomes += _counted(rows["outcome"])
            codes += _counted(pc.list_flatten(rows["codes"]))
            connection.register("accounted", rows)
            for leaves in merkle.leaves(connection, "accounted", columns, "ordinal"):
                tree.add(leaves)
            connection.unregister("accounted")
    return Tally(outcomes.total(), dict(sorted(outcomes.items())), dict(sorted(codes.items())), tree.root())


def _next(ordinals: pa.ChunkedArray, last: int) -> int:
    """The last of these ordinals, which come after `last` and rise."""
    if len(ordinals) == 0:
        return last
    found = ordinals.combine_chunks()
    rises = pc.all(pc.less(found[:-1], found[1:])).as_py()
    if found[0].as_py() <= last or rises is False:
        message = "the rows of the accounting are not in the order of their ordinals, each once"
        raise BadInput("ACCOUNTING_ORDER", message)
    return int(found[-1].as_py())


def _counted(values: pa.ChunkedArray) -> Counter[str]:
    return Counter({v["values"]: v["counts"] for v in pc.value_counts(values).to_pylist()})
