"""A made register and requests, prepared: what the match and Splink are measured on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations import address
from expectations.base.duck import default_settings, quote
from expectations.names import standard
from pipelines import register, simulate

PERSONS = 1_000_000
PROFILE = "hostile"  # half are on file, and many of the others are their relatives and namesakes


@dataclass(frozen=True)
class Made:
    """A `raw` register, the same `prepared`, `requests` (Parquet) and `truth` (a row a request, in the same order)."""

    raw: Path
    prepared: Path
    requests: Path
    truth: Path
    rows: int
    asked: int


def make(folder: Path, rows: int, asked: int) -> Made:
    """A register of `rows` persons, and `asked` requests in the simulator's hardest profile."""
    settings = default_settings()
    simulate.register(rows, 1, folder / "raw", duck=settings)
    submission = simulate.batch(
        folder / "raw", asked, 2, PROFILE, folder / "batch", sign_key=Ed25519PrivateKey.generate(),
        requester_id="bench", agreement_id="bench", letter_date=date(2026, 1, 5), file_format="parquet", duck=settings,
    )  # fmt: skip
    register.build(folder / "raw", folder / "prepared", duck=settings)
    return Made(
        folder / "raw",
        folder / "prepared",
        submission / "requests-1.parquet",
        folder / "batch" / "truth.parquet",
        rows,
        asked,
    )


def standardised(requests: Path) -> str:
    """SQL: the requests with ordinal and the standardised columns, as ingest derives them. The `setup` of both must have run."""
    raw = f"(SELECT *, file_row_number AS ordinal, NULL::VARCHAR AS full_name FROM read_parquet({quote(str(requests))}, file_row_number = true))"
    return address.derive(f"({standard.derive(raw)})", one_line=False)
