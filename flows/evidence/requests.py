"""The requests of a batch as keyed hashes: `accounting/BATCH.asked.parquet`, kept beside its accounting.

Limits over the agreement's period need the officers and the reasons of earlier batches, and nobody needs them as
plaintext for that. One line for each readable row, in the order of the rows; each hash is a number of `base.keyed`, of
64 bits, and tells nothing without the holder's key. The ledger knows the digest of the file. After a renewal of the key
a file stays as it is, and whoever reads it carries its numbers over.
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base.digests import file_matches, of_file
from expectations.base.duck import parquet, quote
from expectations.base.errors import Fault
from expectations.base.hash_key import HashKey
from expectations.base.keyed import beginning
from expectations.facts import reasons
from expectations.facts.officers import officer_keys
from expectations.instruments import Officer
from flows.home.tree import Home
from pipelines import lake
from pipelines.context import BatchContext, sql_request_text
from pipelines.lake import durable
from pipelines.lake.sql import quiet

# request, its officer by id and by the name in the letter, its reason: see `reasons.keys`
COLUMNS = ("request", "officer", "officer_name", *reasons.KEYS)
_SCHEMA = pa.schema([pa.field(name, pa.uint64()) for name in COLUMNS])
STEP = "requests.keyed"


def requests_path(home: Home, batch: str) -> Path:
    """Where the keyed requests of a batch lie."""
    return home.root / "accounting" / f"{batch}.asked.parquet"


def store_requests(home: Home, ctx: BatchContext) -> tuple[int, str]:
    """Writes the keyed requests of a batch whose rows are read; gives their number and the file's digest."""
    path = requests_path(home, ctx.batch)
    with quiet(STEP, ctx.planned) as connection:
        ctx.hash_key.install(connection)  # hashed here, and not in a job
        found = connection.execute(_keyed(ctx)).to_arrow_table().cast(_SCHEMA)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sink = pa.BufferOutputStream()
    pq.write_table(found, sink, compression="zstd", write_statistics=False)
    durable.write(path, sink.getvalue().to_pybytes())
    return found.num_rows, of_file(path)


def proven(home: Home, batch: str, digest: str) -> Path:
    """The keyed requests of a batch; raises Fault if they are not those that the ledger knows."""
    path = requests_path(home, batch)
    if not path.is_file() or not file_matches(path, digest):
        what = "the keyed requests of an earlier batch are missing or were changed"
        raise Fault("REQUESTS_CHANGED", what, where=path.name, remedy="Restore accounting/ from a backup.")
    return path


def relation(path: Path, then: HashKey, now: HashKey) -> str:
    """What can stand in FROM for the keyed requests in a file, which were hashed with the key as `then`; as they are
    with the key `now`, where `HashKey.install` of it was asked."""
    if then == now:
        return parquet([path])
    columns = (f"{now.sql_number_carried(name, then)} AS {name}" for name in COLUMNS)
    return f"(SELECT {', '.join(columns)} FROM {parquet([path])})"


def _keyed(ctx: BatchContext) -> str:
    rows = parquet(lake.committed(ctx.step("ingest.rows")).paths("rows"))
    asked = f"(SELECT * FROM {rows} WHERE origin = 'request')"
    officer, request = _hashed(ctx, "'officer|id ' || lower(trim(officer))"), _request(ctx)
    texts = {name: f"{quote(f'reason|{name}|')} || {name}" for name in reasons.KEYS}
    said = ", ".join(f"{_hashed(ctx, text)} AS {name}" for name, text in texts.items())
    return f"""
    SELECT {request} AS request, {officer} AS officer, l.name AS officer_name, {", ".join(reasons.KEYS)}
    FROM {asked} a LEFT JOIN ({_letters(ctx)}) l ON l.id = lower(trim(a.officer))
      LEFT JOIN (SELECT ordinal, {said} FROM ({reasons.keys(asked, ["ordinal"])})) s USING (ordinal)
    ORDER BY ordinal"""


def _request(ctx: BatchContext) -> str:
    """A row without an id is a request of its own."""
    alone = f"({quote(f'row|{ctx.batch}|')} || ordinal)"
    if len(ctx.hash_key.schemes) == 1:  # the number is the beginning of the hash, which the row has
        return beginning(f"coalesce(request_key, {ctx.hash_key.sql(alone)})")
    return ctx.hash_key.sql_number(f"coalesce({sql_request_text(ctx.agreement, 'request_id')}, {alone})")


def _letters(ctx: BatchContext) -> str:
    """SELECT of id and name: the letter's officers, and who they are by name."""
    lines = [f"({quote(o.id.lower())}, {_name(ctx, o)})" for o in _each(ctx.letter.officers)]
    return f"SELECT * FROM (VALUES {', '.join(lines) or '(NULL, NULL::UBIGINT)'}) AS officers(id, name)"


def _each(officers: Sequence[Officer]) -> list[Officer]:
    return list({o.id.lower(): o for o in officers}.values())


def _name(ctx: BatchContext, one: Officer) -> str:
    return ctx.hash_key.sql_number(quote(f"officer|{officer_keys(one)[1]}"))


def _hashed(ctx: BatchContext, text: str) -> str:
    return f"CASE WHEN ({text}) IS NOT NULL THEN {ctx.hash_key.sql_number(f'({text})')} END"
