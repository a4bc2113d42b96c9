"""The letter that comes with a submission: the written request of 26 USC 6103(i)(2)(B)."""

import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from expectations.base.forms import Strict, entry
from expectations.instruments.law import Office, Purpose, listed_office, listed_purpose
from expectations.instruments.terms import Key

MOST_ROWS, MOST_FILES = 1_000_000_000, 1_000  # of a data file; of a submission


class Signatory(Strict):
    """Who signs for the requester: 26 USC 6103(i)(2)(A)."""

    name: str = entry("the signatory's name, as the agreement has it; the letter is signed with their key", "A. Head")
    office: Annotated[str, AfterValidator(listed_office)] = entry(
        "one of the agreement's offices", "Head of agency", json_schema_extra={"enum": list(Office)}
    )


class Officer(Strict):
    """Someone personally and directly engaged: 26 USC 6103(i)(2)(A)."""

    id: Key = entry("what a row's field officer says", "officer-1")
    name: str = entry("the officer's name", "B. Officer")


class Attestations(Strict):
    """What the requester vouches for."""

    solely: bool = entry("used solely for the stated purpose: 26 USC 6103(i)(2)(A)", True, default=False)
    no_informant_or_investigation_harmed: bool = entry(
        "of no effect any more: under 26 USC 6103(i)(6) the holder determines it, not the requester",
        True,
        default=False,
    )
    attested_on: datetime.date | None = entry(
        "day on which this was attested; left out: the letter's date", datetime.date(2026, 6, 1), default=None
    )


class FileFormat(StrEnum):
    """How the rows of a file are written; `pipelines.read` has a reader for each."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


class Compression(StrEnum):
    """How a whole file is compressed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


class DataFile(Strict):
    """One data file of the submission."""

    path: str = entry("relative to the letter; must stay inside its folder", "requests-1.csv")
    format: FileFormat = entry("how rows are written", "csv")
    compression: Compression = entry("of the whole file", "gzip", default=Compression.NONE)
    rows: int = entry("how many rows it has", 2000, ge=0, le=MOST_ROWS)
    sha256: str = entry("SHA-256 of the file's bytes, in hex", "0" * 64, pattern=r"^[0-9a-f]{64}$")


class Letter(Strict):
    """`letter.toml`."""

    requester: Key = entry("the agreement's requester", "department-of-examples")
    agreement: Key = entry("id of the agreement that the request rests on", "sandbox-2026")
    signatory: Signatory = entry("who signs", {"name": "A. Head", "office": "Head of agency"})
    statute: str = entry("one of the agreement's statutes", "8 USC 1253(a)(1)")
    purpose: Annotated[str, AfterValidator(listed_purpose)] = entry(
        "one of the agreement's purposes", "Criminal proceeding", json_schema_extra={"enum": list(Purpose)}
    )
    date: datetime.date = entry(
        "the letter's date: not after receipt, in the agreement's zone", datetime.date(2026, 6, 1)
    )
    officers: tuple[Officer, ...] = entry(
        "who is personally and directly engaged", [{"id": "officer-1", "name": "B. Officer"}]
    )
    attestations: Attestations = entry("what the requester vouches for", {"solely": True})
    files: tuple[DataFile, ...] = entry(
        "the data files",
        [{"path": "requests-1.csv", "format": "csv", "rows": 2000, "sha256": "0" * 64}],
        min_length=1,
        max_length=MOST_FILES,
    )

    @property
    def attested_on(self) -> datetime.date:
        return self.attestations.attested_on or self.date
