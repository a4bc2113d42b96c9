"""Step `validate.facts`: what the register holds on the matched records, by one scan of its parts.

Datasets: `on_file` (record_id and the raw address), `units` (origin, building, units), `persons` (record_id and its
standardised fields: sealed as evidence). Control rows have a register of their own; each origin sees its own register
only.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from expectations.base.duck import DuckSettings, parquet, quote
from expectations.contracts.register import ON_FILE
from expectations.names import standard
from pipelines import register
from pipelines.lake import Attempt, Manifest, Part
from pipelines.lake.sql import copy, quiet
from pipelines.register.opened import without
from pipelines.register.prepare import people

STEP = "validate.facts"
DATASETS = {"addresses": "on_file", "buildings": "units", "persons": "persons"}
ADDRESS_FIELDS = tuple(field.name for field in ON_FILE)


@dataclass(frozen=True)
class Asked:
    """What one part comes from: which dataset, whose rows it may answer, its index, files, and files of who is gone."""

    dataset: str
    origin: str
    index: int
    paths: tuple[str, ...]
    gone: tuple[str, ...] = ()


def asked(registers: dict[str, Manifest]) -> list[Asked]:
    """Every part of every register (by origin) that the facts come from."""
    scans = [(origin, scan) for origin, manifest in registers.items() for scan in register.scans(manifest)]
    return [
        *(Asked("addresses", origin, n, scan.addresses, scan.gone) for n, (origin, scan) in enumerate(scans)),
        *(Asked("persons", origin, n, scan.persons, scan.gone) for n, (origin, scan) in enumerate(scans)),
        *(Asked("buildings", o, n, tuple(m.paths("buildings"))) for n, (o, m) in enumerate(registers.items())),
    ]


@dataclass(frozen=True)
class Facts:
    """Worker: an Asked → one part of its dataset. `counting`: which addresses corroborate (`corroboration.counts`)."""

    matched: tuple[str, ...]
    counting: str
    duck: DuckSettings

    def __call__(self, item: Asked, attempt: Attempt) -> Iterator[Part]:
        target = DATASETS[item.dataset]
        with quiet(STEP, self.duck) as connection:
            standard.setup(connection)
            copy(connection, self.query(item), attempt.path(target, item.index))
        yield attempt.part(target, item.index)

    def query(self, item: Asked) -> str:
        """SELECT of what `item` asks for."""
        asked = f"(SELECT * FROM {parquet(list(self.matched))} WHERE origin = {quote(item.origin)})"
        found = parquet(list(item.paths))
        if item.dataset == "buildings":
            # where deltas added units, a building is listed again with all it has now
            return f"""
            SELECT {quote(item.origin)} AS origin, b.a_zip, b.a_number, b.a_street, max(b.units) AS units
            FROM {found} b SEMI JOIN {asked} m USING (a_zip, a_number, a_street) GROUP BY ALL"""
        if item.dataset == "persons":
            facts = f"(FROM {people(found)} p SEMI JOIN {asked} m USING (record_id))"
        else:
            facts = f"""(
              SELECT record_id, {", ".join(ADDRESS_FIELDS)}
              FROM {found} a SEMI JOIN {asked} m USING (record_id) WHERE {self.counting})"""
        return f"FROM {without(item.gone, facts)}"
