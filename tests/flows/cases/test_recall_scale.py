"""A recall of many rows: counted in seconds, and in bounded memory outside the ledger's own bulk insert."""

from __future__ import annotations

import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from expectations.base.clock import Clock
from expectations.base.digests import of_file
from expectations.base.duck import quote, session
from expectations.instruments import Agreement
from flows.batch import publication
from flows.cases.opening import Chosen, open_cases
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.events.batch import Accounted
from flows.ledger.lifecycles.cases import CaseReason
from pipelines import sealing
from pipelines.context import sql_request_key
from tests.factories import installations
from tests.factories.law import no_law
from tests.factories.ledgers import ROWS, package, sealed, sha

MANY = 100_000


def disclosed(home: Home, agreement: Agreement, rows: int, folder: Path) -> str:
    """A batch that is published in the ledger with so many claims, and its sealed accounting; there is no evidence of
    it."""
    plain = folder / "accounting.parquet"
    key = sql_request_key(home.hash_key, agreement, "request_id")
    with session(home.duck) as connection:
        home.hash_key.install(connection)
        ids = f"SELECT range AS ordinal, 'R-' || range AS request_id FROM range({rows})"
        keys = f"SELECT *, {key} AS request_key, sha256('p' || ordinal) AS person_key FROM ({ids})"
        query = f"SELECT *, 'released' AS outcome, CAST([] AS VARCHAR[]) AS codes FROM ({keys}) ORDER BY ordinal"
        connection.execute(f"COPY ({query}) TO {quote(str(plain))} (FORMAT parquet)")
    recipient = sealing.load_identity(home.keys / "holder-age").recipient
    sealing.seal_file(plain, home.root / "accounting" / "b-many.parquet.age", [recipient])
    made = package(folder / "package")
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        sealed(ledger, "b-many", requester=agreement.requester.id, agreement=agreement.id)
        kept = of_file(home.root / "accounting" / "b-many.parquet.age")
        ledger.account(
            "b-many",
            Accounted(
                rows=rows,
                outcomes={"released": rows},
                codes={},
                merkle_root=sha("root"),
                accounting=kept,
                evidence=sha("none"),
            ),
        )
        publication.prepare(
            ledger,
            "b-many",
            keys=pq.read_table(plain, columns=["request_key", "person_key"]),
            package=made,
            merkle_root=sha("root"),
            content_digest=ROWS,
            law=no_law,
        )
        publication.publish(ledger, "b-many", package=made, outbox=home.outbox, law=no_law)
    return "b-many"


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_frozen_in_seconds(tmp_path: Path) -> None:
    installation = installations.make(tmp_path / "home")
    batch = disclosed(installation.home, installation.agreement, MANY, tmp_path)
    began = time.process_time()
    (case,) = open_cases(installation.home, Clock(), Chosen(batch), CaseReason.LOOKBACK, "operator-1")
    spent = time.process_time() - began
    print(f"{MANY:,} rows frozen in {spent:.1f} s of processor time")
    assert case.rows == MANY and spent < 20
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        assert ledger.verify() == []
