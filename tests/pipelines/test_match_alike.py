"""The same rows and content digest for any size of parts, number of threads, and order of files and requests."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.digests import content_digest
from expectations.duck import DuckSettings, quote, session
from pipelines import match, register, simulate

ONE = DuckSettings(threads=1)
COLUMNS = ["request_id", "outcome", "record_id", "tier", "evidence", "corroboration", "vetoes", "plausible", "weight"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """raw: a register of 20,000 persons in several files; asked.parquet: 3,000 requests of the hardest profile."""
    folder = tmp_path_factory.mktemp("alike")
    simulate.register(20_000, 7, folder / "raw", duck=ONE)
    submission = simulate.batch(
        folder / "raw",
        3_000,
        8,
        "hostile",
        folder / "batch",
        sign_key=Ed25519PrivateKey.generate(),
        requester_id="test",
        agreement_id="test",
        letter_date=date(2026, 1, 5),
        file_format="parquet",
        duck=ONE,
    )
    (submission / "requests-1.parquet").rename(folder / "asked.parquet")
    return folder


@pytest.fixture(scope="module")
def expected(made: Path) -> str:
    return _found(made, made / "raw", made / "asked.parquet", made / "one", threads=1, part_rows=1_000_000)


@pytest.mark.parametrize(
    ("threads", "part_rows"),
    [(4, 3_000), *(pytest.param(*case, marks=pytest.mark.slow) for case in ((2, 1_000_000), (1, 7_000)))],
)
def test_threads_and_parts(made: Path, expected: str, tmp_path: Path, threads: int, part_rows: int) -> None:
    assert _found(made, made / "raw", made / "asked.parquet", tmp_path, threads, part_rows) == expected


def test_order_of_files_and_requests(made: Path, expected: str, tmp_path: Path) -> None:
    with session(ONE) as con:
        for table in ("persons", "addresses"):
            (tmp_path / "raw" / table).mkdir(parents=True)
            rows = f"(FROM '{made}/raw/{table}/*.parquet' ORDER BY md5(CAST(record_id AS VARCHAR)))"
            for part in range(3):
                con.execute(
                    f"COPY (FROM {rows} WHERE record_id % 3 = {part}) TO '{tmp_path}/raw/{table}/{2 - part}.parquet'"
                )
        con.execute(f"COPY (FROM '{made}/asked.parquet' ORDER BY md5(request_id)) TO '{tmp_path}/asked.parquet'")
    assert _found(made, tmp_path / "raw", tmp_path / "asked.parquet", tmp_path, 2, 4_000) == expected


def _found(made: Path, raw: Path, asked: Path, folder: Path, threads: int, part_rows: int) -> str:
    settings = DuckSettings(threads=threads)
    folder.mkdir(exist_ok=True)
    register.build(raw, folder / "prepared", duck=settings, part_rows=part_rows)
    match.match_file(asked, folder / "prepared", folder / "out.parquet", duck=settings, progress=lambda *_: None)
    with session(ONE) as con:
        out = f"read_parquet({quote(str(folder / 'out.parquet'))})"
        assert con.execute(f"SELECT count(*) FILTER (outcome = 'matched') > 500 FROM {out}").fetchone() == (True,)
        return content_digest(con, out, COLUMNS, ", ".join(COLUMNS))  # ids are not unique in this profile
