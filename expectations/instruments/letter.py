"""The letter that comes with a submission: the written request of 26 USC 6103(i)(2)(B)."""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from expectations.base.forms import Strict
from expectations.instruments.terms import Key


class Signatory(Strict):
    """Who signs for the requester: 26 USC 6103(i)(2)(A)."""

    name: str = Field(description="the signatory's name", examples=["A. Head"])
    office: str = Field(description="one of the agreement's offices", examples=["Head of agency"])


class Officer(Strict):
    """Someone personally and directly engaged: 26 USC 6103(i)(2)(A)."""

    id: Key = Field(description="what a row's field officer says", examples=["officer-1"])
    name: str = Field(description="the officer's name", examples=["B. Officer"])


class Attestations(Strict):
    """What the requester vouches for."""

    solely: bool = Field(
        default=False,
        description="used solely for the stated purpose: 26 USC 6103(i)(2)(A)",
        examples=[True],
    )
    no_informant_or_investigation_harmed: bool = Field(
        default=False,
        description="no informant identified, no investigation impaired: 26 USC 6103(i)(6)",
        examples=[True],
    )
    attested_on: datetime.date | None = Field(
        default=None,
        description="day on which this was attested; left out: the letter's date",
        examples=[datetime.date(2026, 6, 1)],
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

    path: str = Field(description="relative to the letter; must stay inside its folder", examples=["requests-1.csv"])
    format: FileFormat = Field(description="how rows are written", examples=["csv"])
    compression: Compression = Field(default=Compression.NONE, description="of the whole file", examples=["gzip"])
    rows: Annotated[int, Field(ge=0)] = Field(description="how many rows it has", examples=[2000])
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="SHA-256 of the file's bytes, in hex", examples=["0" * 64]
    )


class Letter(Strict):
    """`letter.toml`."""

    requester: Key = Field(description="the agreement's requester", examples=["department-of-examples"])
    agreement: Key = Field(description="id of the agreement that the request rests on", examples=["sandbox-2026"])
    signatory: Signatory = Field(description="who signs", examples=[{"name": "A. Head", "office": "Head of agency"}])
    statute: str = Field(description="one of the agreement's statutes", examples=["8 USC 1253(a)(1)"])
    purpose: str = Field(description="one of the agreement's purposes", examples=["Criminal proceeding"])
    date: datetime.date = Field(
        description="the letter's date: not after receipt, in the agreement's zone",
        examples=[datetime.date(2026, 6, 1)],
    )
    officers: tuple[Officer, ...] = Field(
        description="who is personally and directly engaged", examples=[[{"id": "officer-1", "name": "B. Officer"}]]
    )
    attestations: Attestations = Field(description="what the requester vouches for", examples=[{"solely": True}])
    files: Annotated[tuple[DataFile, ...], Field(min_length=1)] = Field(
        description="the data files",
        examples=[[{"path": "requests-1.csv", "format": "csv", "rows": 2000, "sha256": "0" * 64}]],
    )

    @property
    def attested_on(self) -> datetime.date:
        return self.attestations.attested_on or self.date
