"""The recall list: both forms hold the same rows, its recipient alone opens it, and whatever is changed is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.duck import DuckSettings, parquet
from expectations.base.errors import BadInput, Fault
from expectations.instruments import Agreement
from pipelines import sealing
from pipelines.recall import listing
from pipelines.release import signed_folder

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HOLDERS = [signatures.public_line(KEY)]
REQUESTER = sealing.new_identity()
PACKAGES = {"b-1": "1" * 64, "b-2": "2" * 64}
ROWS = [("b-1", "R1"), ("b-2", "=cmd|' /C calc'!A0"), ("b-1", "'=R2"), ("b-1", "R1")]
Seal = Callable[..., Path]


@pytest.fixture
def seal(tmp_path: Path, sandbox: Agreement) -> Seal:
    keys = sandbox.keys.model_copy(update={"recipient": REQUESTER.recipient})
    agreement = sandbox.model_copy(update={"keys": keys})

    def sealed(rows: list[tuple[str | None, str | None]] = ROWS) -> Path:  # type: ignore[assignment]
        table = pa.table(
            {n: pa.array(c, pa.string()) for n, c in zip(listing.COLUMNS, zip(*rows, strict=True), strict=True)}
        )
        pq.write_table(table, tmp_path / "rows.parquet")
        folder = tmp_path / "outbox" / "recall-1"
        listing.seal_recall(
            folder,
            parquet([tmp_path / "rows.parquet"]),
            case="case-1",
            agreement=agreement,
            packages=PACKAGES,
            holder_key=KEY,
            created_at=datetime(2026, 6, 1, tzinfo=UTC),
            duck=DuckSettings(),
        )
        return folder

    return sealed


def test_its_recipient_reads_each_row_once_as_it_was(seal: Seal, tmp_path: Path) -> None:
    seal()
    folder = seal()  # a list may be made again
    manifest, rows = listing.open_recall(folder, REQUESTER, HOLDERS, tmp_path / "open", DuckSettings())
    assert (manifest["case"], manifest["order"], manifest["rows"], manifest["batches"]) == (
        "case-1",
        "freeze",
        3,
        PACKAGES,
    )
    assert [tuple(r.values()) for r in pq.read_table(rows).to_pylist()] == sorted(set(ROWS))
    assert sorted(p.name for p in folder.parent.iterdir()) == ["recall-1"]
    with pytest.raises(BadInput, match="SEAL_BROKEN"):
        listing.open_recall(folder, sealing.new_identity(), HOLDERS, tmp_path / "no", DuckSettings())


@pytest.mark.parametrize("rows", [[("b-1", None)], [("b-3", "R1")], [(None, "R1")]])
def test_a_row_that_nobody_could_find_is_a_fault(seal: Seal, rows: list[tuple[str | None, str | None]]) -> None:
    with pytest.raises(Fault, match="RECALL_ROWS"):
        seal(rows)


def test_a_list_signed_over_other_rows_is_found(seal: Seal, tmp_path: Path) -> None:
    folder = seal()
    manifest = signed_folder.stated(folder)
    signed_folder.sign(folder, listing.KIND, {**manifest, "rows": 4}, KEY)
    with pytest.raises(BadInput, match="RECALL_CONTENT"):
        listing.open_recall(folder, REQUESTER, HOLDERS, tmp_path / "open", DuckSettings())


def test_a_package_is_no_recall_list(seal: Seal, tmp_path: Path) -> None:
    folder = seal()
    signed_folder.sign(folder, signed_folder.Kind("sluicegate-package/1", listing.KIND.sealed), {}, KEY)
    with pytest.raises(BadInput, match="PACKAGE_FORMAT"):
        listing.open_recall(folder, REQUESTER, HOLDERS, tmp_path / "open", DuckSettings())
