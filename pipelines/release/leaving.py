"""What of a batch may leave, and to which key: as it was recorded at receipt, narrowed by what is enrolled since."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from expectations.base.digests import name_of_file
from expectations.base.duck import parquet
from pipelines.context import BatchContext

WITHHELD = "withheld.parquet"  # in a batch's folder


@dataclass(frozen=True)
class Leaving:
    """fields: of the package, in their order; recipient: whom it is sealed to; withheld: Parquet (ordinal, outcome,
    codes) of rows that every stage let pass, and that may not leave any more (None: there are none)."""

    fields: tuple[str, ...]
    recipient: str
    withheld: Path | None = None

    @classmethod
    def recorded(cls, ctx: BatchContext) -> Leaving:
        """As it was recorded at receipt, with nothing read since."""
        return cls(ctx.standing.fields, ctx.agreement.keys.recipient)

    @property
    def relation(self) -> str | None:
        """The withheld rows as a relation."""
        return parquet([self.withheld]) if self.withheld else None

    @property
    def digest(self) -> str | None:
        """Names the withheld rows: part of the inputs of the step that reads them."""
        return name_of_file(self.withheld) if self.withheld else None
