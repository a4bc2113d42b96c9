"""One data file of a submission, as its format's reader is given it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from expectations.contracts import REQUIRED_COLUMNS
from expectations.duck import DuckSettings
from pipelines.read.blocks import BLOCK
from pipelines.read.formats import Compression


@dataclass(frozen=True)
class Submitted:
    """`where`: its name for people. `scratch`: a folder that a reader may make and delete, to unpack the file there."""

    path: Path
    where: str
    compression: Compression
    scratch: Path
    duck: DuckSettings
    required: tuple[str, ...] = REQUIRED_COLUMNS
    block: int = BLOCK
