"""A batch taken in, for tests of the stages."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base.duck import DuckSettings
from expectations.base.hash_key import HashKey
from expectations.base.places import Place
from expectations.instruments import Agreement, CourtOrder
from pipelines.context import BatchContext
from pipelines.ingest import submission
from tests.factories.submissions import LETTER_DATE, determined

HASH_KEY = bytes(32)


def hash_key(root: Path) -> HashKey:
    """A key of zeros that lies in `root`."""
    path = root / "hash"
    root.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(HASH_KEY)
    return HashKey.at(Place.file(path))


def taken(
    root: Path,
    source: Path,
    agreement: Agreement,
    *,
    disclosed: Sequence[str] = (),
    orders: tuple[CourtOrder, ...] = (),
    part_rows: int = 1000,
) -> BatchContext:
    """The context of the submission in `source`, copied to `root`. `disclosed`: request keys answered before."""
    found = submission.take_in(source, root / "submission")
    pq.write_table(pa.table({"request_key": pa.array(disclosed, pa.string())}), root / "disclosed.parquet")
    (root / "earlier.json").write_text('{"rows": 0, "incomplete": 0}')
    empty = pa.array([], pa.string())
    known = dict.fromkeys(("batch", "person_key", "values_key"), empty)
    pq.write_table(pa.table(known), root / "tries.parquet")
    return BatchContext(
        batch=found.batch,
        root=root,
        submission=found.digest,
        letter=found.letter,
        agreement=agreement,
        orders=orders,
        determinations=(determined(),),
        decided_on=LETTER_DATE,
        received_on=LETTER_DATE,
        register=root / "register",
        hash_key=hash_key(root),
        part_rows=part_rows,
        duck=DuckSettings(threads=1, memory="1GB", temp=str(root / "temp")),
    )
