"""Step `validate.facts`: what the register holds on the matched records, by one scan of its parts.

Datasets: `on_file` (record_id and the raw address), `units` (origin, building, units), `persons` (record_id and its
standardised fields: kept as evidence). Decoys have a register of their own; each origin sees its own register only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from expectations import standard
from expectations.contracts import ON_FILE
from expectations.duck import DuckSettings, parquet, quote
from pipelines.lake import Attempt, Manifest, Part
from pipelines.register.prepare import people
from pipelines.sql import copy, quiet

STEP = "validate.facts"
DATASETS = {"addresses": "on_file", "buildings": "units", "persons": "persons"}
ADDRESS_FIELDS = tuple(ON_FILE.field(i).name for i in range(ON_FILE.num_fields))


@dataclass(frozen=True)
class Scan:
    """One part of a register: which dataset, whose rows it may answer, the index of what is written, and its path."""

    dataset: str
    origin: str
    index: int
    path: str


def scans(registers: dict[str, Manifest]) -> list[Scan]:
    """Every part of every register (by origin) that the facts come from."""
    return [
        Scan(dataset, origin, index, path)
        for dataset in DATASETS
        for index, (origin, path) in enumerate(
            (origin, path) for origin, register in registers.items() for path in register.paths(dataset)
        )
    ]


@dataclass(frozen=True)
class Facts:
    """Worker: a Scan → one part of its dataset. `counting`: which addresses corroborate (`corroboration.counts`)."""

    matched: tuple[str, ...]
    counting: str
    duck: DuckSettings

    def __call__(self, scan: Scan, attempt: Attempt) -> Iterator[Part]:
        target = DATASETS[scan.dataset]
        with quiet(STEP, self.duck) as connection:
            standard.setup(connection)
            copy(connection, self._query(scan), attempt.path(target, scan.index))
        yield attempt.part(target, scan.index)

    def _query(self, scan: Scan) -> str:
        part = parquet([scan.path])
        asked = f"(SELECT * FROM {parquet(list(self.matched))} WHERE origin = {quote(scan.origin)})"
        if scan.dataset == "buildings":
            return f"""
            SELECT {quote(scan.origin)} AS origin, b.a_zip, b.a_number, b.a_street, b.units
            FROM {part} b SEMI JOIN {asked} m USING (a_zip, a_number, a_street)"""
        if scan.dataset == "persons":
            return f"SELECT * FROM {people(part)} p SEMI JOIN {asked} m USING (record_id)"
        return f"""
        SELECT record_id, {", ".join(ADDRESS_FIELDS)}
        FROM {part} a SEMI JOIN {asked} m USING (record_id) WHERE {self.counting}"""
