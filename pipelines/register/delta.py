"""A daily delta of the holder's register: what is new, what changed, who was removed, whether the file was wrong.

A folder with `delta.toml` (kind, effective_on), and either or both of a raw register with every new or changed record
*whole* (its person and all its addresses; Parquet, CSV or a mapping.toml, as in a full extract) and `removed.parquet`
or `removed.csv` with a column record_id.
"""

import os
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

import duckdb
import pyarrow as pa
from pydantic import Field

from expectations.base import digests, forms
from expectations.base.duck import quote
from expectations.base.errors import BadInput
from expectations.base.total import total
from pipelines.register import columns
from pipelines.register.convert import readable
from pipelines.register.mapping import Layout
from pipelines.register.source import FORMATS, Raw, files, open_source
from pipelines.register.table import Table, open_table

NAME = "delta.toml"
IDS = pa.schema([pa.field("record_id", pa.int64(), nullable=False)])


class Kind(StrEnum):
    """Why the register changed: a person moved (update), or the file had been wrong (correction).

    A later look at past disclosures goes by what was known then, and by corrections.
    """

    UPDATE = "update"
    CORRECTION = "correction"

    @property
    def looks_back(self) -> bool:
        """Whether past disclosures are decided again by it; if not, deltas are applied in the order of their days."""
        return LOOKS_BACK[self]

    @classmethod
    def sql(cls, *, looks_back: bool) -> str:
        """The kinds that look back, or do not, as a list in SQL."""
        return f"({', '.join(quote(kind) for kind in cls if kind.looks_back == looks_back)})"


LOOKS_BACK = total(Kind, {Kind.UPDATE: False, Kind.CORRECTION: True})


class Note(forms.Strict):
    """`delta.toml`."""

    kind: Kind = Field(description="update: the world changed; correction: the register had been wrong")
    effective_on: date = Field(description="the day from which this holds, without quotes")


@dataclass(frozen=True)
class Delta:
    """A delta whose files were found; rows are unread. `raw`: new and changed records; `removed`: a table of ids."""

    note: Note
    raw: Raw | None
    removed: Table | None

    @property
    def identity(self) -> str:
        """Names the delta: the same rows under the same note are the same delta."""
        removed = digests.name_of_file(Path(self.removed.paths[0])) if self.removed else None
        return digests.name_of_json(
            [self.note.model_dump(mode="json"), self.raw.identity if self.raw else None, removed]
        )

    def read_removed(self, con: duckdb.DuckDBPyConnection) -> None:
        """Makes the table `removed` (record_id). Raises BadInput with the row whose id is no number above zero."""
        con.execute("CREATE TEMP TABLE removed (record_id BIGINT)")
        if self.removed:
            with readable(con, self.removed, self.removed.paths[0]) as relation:
                rows = columns.read(self.removed, relation)
                con.execute(f"INSERT INTO removed SELECT DISTINCT record_id FROM ({rows})")


def open_delta(folder: Path) -> Delta:
    """The delta in `folder`; raises BadInput if its note or a file cannot be read, or it changes nothing."""
    path = folder / NAME
    if not os.path.lexists(path):
        remedy = 'Write kind = "update" or "correction" and effective_on = YYYY-MM-DD there.'
        raise BadInput("NO_DELTA", f"the folder has no {NAME}", where=folder.name, remedy=remedy)
    remedy = "Write kind and effective_on; see infra/docs/register.md."
    table = forms.toml(forms.file_bytes(path, "DELTA_UNREADABLE"), NAME, "DELTA_UNREADABLE")
    note = forms.validated(Note, table, NAME, "DELTA_INVALID", remedy)
    removed = _removed(folder)
    raw = open_source(folder) if files(folder) else None
    if raw is None and removed is None:
        raise empty(folder.name)
    return Delta(note, raw, removed)


def empty(where: str) -> BadInput:
    """The error on a delta that changes nothing."""
    remedy = "Put persons/ and addresses/ there, or removed.csv; a day without changes needs no delta."
    return BadInput("DELTA_EMPTY", "the delta holds neither records nor removals", where=where, remedy=remedy)


def _removed(folder: Path) -> Table | None:
    """The file of removed ids; raises BadInput if there are two, or it cannot be read or has no record_id."""
    found = [p for p in (folder / f"removed{ending}" for ending in FORMATS) if p.is_file()]
    if not found:
        return None
    remedy = "Write one file of removed records with one column, record_id."
    if len(found) > 1:
        raise BadInput("REGISTER_MIXED", "the removed are in two files", where="removed", remedy=remedy)
    try:
        return open_table(folder, "removed", IDS, Layout(), FORMATS[found[0].suffix], found, lenient=False)
    except BadInput as error:
        raise BadInput(error.code, error.message, where=error.where, remedy=remedy) from None
