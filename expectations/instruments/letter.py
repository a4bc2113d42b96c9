"""The letter that comes with a submission: the written request of 26 USC 6103(i)(2)(B)."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import Field

from expectations.forms import Strict
from expectations.instruments.terms import Key


class Signatory(Strict):
    name: str
    office: str


class Officer(Strict):
    id: Key
    name: str


class Attestations(Strict):
    """What the requester vouches for, as of `attested_on` (the letter's date, if left out)."""

    solely: bool = False  # used solely for the stated purpose: 26 USC 6103(i)(2)(A)
    no_informant_or_investigation_harmed: bool = False  # 26 USC 6103(i)(6)
    attested_on: datetime.date | None = None


class DataFile(Strict):
    """One data file of the submission. `path` is relative to the letter and must stay inside its folder."""

    path: str
    format: Literal["csv", "jsonl", "parquet"]
    compression: Literal["none", "gzip", "zstd"] = "none"
    rows: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Letter(Strict):
    """`letter.toml`."""

    requester: Key
    agreement: Key
    signatory: Signatory
    statute: str
    purpose: str
    date: datetime.date
    officers: tuple[Officer, ...]
    attestations: Attestations
    files: Annotated[tuple[DataFile, ...], Field(min_length=1)]

    @property
    def attested_on(self) -> datetime.date:
        return self.attestations.attested_on or self.date
