"""A daily delta of the holder's register: what is new, what changed, who was removed, and whether the file was wrong before.

A folder with `delta.toml` (kind, effective_on), and either or both of a raw register with every new or changed record *whole*
(its person and all its addresses; Parquet, CSV or a mapping.toml, as in a full extract) and `removed.parquet` or `removed.csv`
with a column record_id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field

from expectations import digests, forms
from expectations.duck import DuckSettings, parquet, quote
from expectations.errors import BadInput
from pipelines.register.source import Raw, files, open_source
from pipelines.sql import quiet

NAME = "delta.toml"


class Kind(StrEnum):
    """Why the register changed: a person moved (update), or the file had been wrong (correction).

    A later look at past disclosures goes by what was known then, and by corrections.
    """

    UPDATE = "update"
    CORRECTION = "correction"


class Note(forms.Strict):
    """`delta.toml`."""

    kind: Kind = Field(description="update: the world changed; correction: the register had been wrong")
    effective_on: date = Field(description="the day from which this holds, without quotes")


@dataclass(frozen=True)
class Delta:
    """A delta whose files were found; rows are not looked at yet. `raw`: new and changed records; `removed`: a file of ids."""

    note: Note
    raw: Raw | None
    removed: Path | None

    @property
    def identity(self) -> str:
        """Names the delta: the same rows under the same note are the same delta."""
        removed = digests.of_file(self.removed) if self.removed else None
        return digests.of_json([self.note.model_dump(mode="json"), self.raw.identity if self.raw else None, removed])

    def removed_ids(self) -> str:
        """A FROM clause: record_id of the removed, read as numbers; null where it is none."""
        if not self.removed:
            return "(SELECT NULL::BIGINT AS record_id WHERE false)"
        text = self.removed.suffix == ".csv"
        source = (
            f"read_csv({quote(str(self.removed))}, all_varchar = true, header = true, delim = ',')"
            if text
            else parquet([self.removed])
        )
        return f"(SELECT TRY_CAST(record_id AS BIGINT) AS record_id FROM {source})"


def open_delta(folder: Path) -> Delta:
    """The delta in `folder`; raises BadInput if its note or a file cannot be read, or it changes nothing."""
    path = folder / NAME
    if not path.is_file():
        raise BadInput(
            "NO_DELTA", f"the folder has no {NAME}", where=folder.name,
            remedy='Write kind = "update" or "correction" and effective_on = YYYY-MM-DD there.',
        )  # fmt: skip
    remedy = "Write kind and effective_on; see infra/docs/register.md."
    note = forms.validated(Note, forms.toml(path.read_bytes(), NAME, "DELTA_UNREADABLE"), NAME, "DELTA_INVALID", remedy)
    removed = next((p for p in (folder / "removed.parquet", folder / "removed.csv") if p.is_file()), None)
    raw = open_source(folder) if files(folder) else None
    if raw is None and removed is None:
        raise BadInput(
            "DELTA_EMPTY", "the delta holds neither records nor removals", where=folder.name,
            remedy="Put persons/ and addresses/ there, or removed.parquet.",
        )  # fmt: skip
    return Delta(note, raw, removed)


def check_removed(delta: Delta, settings: DuckSettings) -> None:
    """Raises BadInput where a removed id is no number above zero, with its row."""
    if delta.removed is None:
        return
    with quiet(delta.removed.name, settings) as con:
        row: Any = con.execute(
            f"SELECT n FROM (SELECT record_id, row_number() OVER () AS n FROM {delta.removed_ids()}) "
            "WHERE record_id IS NULL OR record_id <= 0 ORDER BY n LIMIT 1"
        ).fetchone()
    if row:
        raise BadInput(
            "REGISTER_ID", f"row {row[0]}: record_id is no whole number above zero", where=delta.removed.name,
            remedy="Write the ids of the register.",
        )  # fmt: skip
