"""The raw register on disk, Parquet or CSV, checked against the contracts, and cut into ranges of record ids."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from expectations.base import digests, duck
from expectations.base.errors import BadInput
from expectations.base.total import total
from expectations.contracts.lists import Origin
from expectations.contracts.schemas import SCHEMAS
from pipelines.lake.sql import quiet
from pipelines.register import columns
from pipelines.register.mapping import NAME, Addresses, Layout, Persons, RegisterFormat, read_mapping
from pipelines.register.table import Table, open_table

BINS = 4096
FORMATS = {f".{form}": form for form in RegisterFormat}  # by the end of a name
_PERSONS, _ADDRESSES = "persons", "addresses"
# On which side of zero the ids of a register lie, by whose rows are looked up in it: an id is of one side only.
_IDS = total(
    Origin,
    {
        Origin.REQUEST: (1, "record ids must all lie above zero (below zero are control records)"),
        Origin.CONTROL: (-1, "ids of control records must all lie below zero"),
    },
)


@dataclass(frozen=True)
class Source:
    """The two tables as FROM clauses in the contracts' columns, over Parquet: ranges of ids skip row groups."""

    persons: str
    addresses: str


@dataclass(frozen=True)
class Raw:
    """A raw register whose columns were found; rows are not looked at yet."""

    persons: Table
    addresses: Table

    @cached_property
    def identity(self) -> dict[str, Any]:
        """All that the tables' rows depend on, for the inputs of a step: the files' digests, and how they are read."""
        of = {path: digests.name_of_file(Path(path)) for path in {*self.persons.paths, *self.addresses.paths}}
        tables = (self.persons, self.addresses)
        reading = None if all(t.plain for t in tables) else [columns.reading(t) for t in tables]
        return {**{t.name: [of[p] for p in t.paths] for t in tables}, "reading": reading}


def open_source(folder: Path) -> Raw:
    """The raw register in `folder`; raises BadInput if a table is missing, cannot be read or lacks a column."""
    mapping = read_mapping(folder)
    return Raw(_table(folder, _PERSONS, mapping.persons), _table(folder, _ADDRESSES, mapping.addresses))


def files(folder: Path) -> list[Path]:
    """Every file that the raw register in `folder` is made of, `mapping.toml` included; none if there is no register.

    Raises BadInput if the mapping cannot be read, or formats are mixed.
    """
    mapping = read_mapping(folder)
    found = {*_files(folder, _PERSONS, mapping.persons), *_files(folder, _ADDRESSES, mapping.addresses)}
    return sorted(found | {p for p in [folder / NAME] if found and p.is_file()})


def _table(folder: Path, name: str, layout: Layout | None) -> Table:
    kind = {_PERSONS: "register_person", _ADDRESSES: "register_address"}[name]
    paths = _files(folder, name, layout)
    if not paths:
        where = "Point to a folder with persons/ and addresses/, or name the files in"
        remedy = f"{where} {NAME}; sluicegate schema {kind} prints the columns."
        raise BadInput("REGISTER_MISSING", f"the register has no {name}", where=_place(name, layout), remedy=remedy)
    chosen = layout or {_PERSONS: Persons(), _ADDRESSES: Addresses()}[name]
    form = chosen.format or FORMATS[paths[0].suffix.lower()]
    return open_table(folder, name, SCHEMAS[kind], chosen, form, paths, lenient=layout is not None)


def _place(name: str, layout: Layout | None) -> str:
    return layout.files if layout and layout.files else f"{name}/"


def _files(folder: Path, name: str, layout: Layout | None) -> list[Path]:
    """The files of a table in the order of their names, all of one format."""
    if layout and layout.files:
        paths = sorted(p for p in folder.glob(layout.files) if p.is_file())
    else:
        wanted = {layout.format} if layout and layout.format else set(FORMATS.values())
        paths = sorted(p for p in (folder / name).glob("*") if FORMATS.get(p.suffix.lower()) in wanted and p.is_file())
    endings = {FORMATS.get(p.suffix.lower()) for p in paths}
    if not (layout and layout.format) and paths and (len(endings) > 1 or None in endings):
        said = f"the files of {name} are not all *.parquet, nor all *.csv"
        remedy = f"Keep files of one format, or write format in {NAME}."
        raise BadInput("REGISTER_MIXED", said, where=_place(name, layout), remedy=remedy)
    return paths


def ranges(
    source: Source, part_rows: int, settings: duck.DuckSettings, origin: Origin = Origin.REQUEST
) -> list[tuple[int, int]]:
    """Ranges [low, high] of record ids with about `part_rows` persons each, in order, without overlap; none for nobody.

    Raises BadInput if an id is not one of a register for rows of this origin.
    """
    side, otherwise = _IDS[origin]
    with quiet("persons/", settings) as con:
        low, high = con.execute(f"SELECT min(record_id), max(record_id) FROM {source.persons}").fetchall()[0]
        if low is None:
            return []
        if min(low * side, high * side) <= 0:
            raise BadInput("REGISTER_IDS", otherwise, where="persons/", remedy="Renumber the records.")
        width = (high - low) // BINS + 1
        bin_of = f"(record_id - {low}) // {width} AS bin"
        bins = con.execute(f"SELECT {bin_of}, count(*) FROM {source.persons} GROUP BY bin ORDER BY bin").fetchall()
    return _packed(bins, low, high, width, part_rows)


def _packed(bins: list[tuple[int, int]], low: int, high: int, width: int, part_rows: int) -> list[tuple[int, int]]:
    cuts, rows = [low], 0
    for number, count in bins:
        if rows and rows + count > part_rows:
            cuts.append(low + number * width)
            rows = 0
        rows += count
    ends = [cut - 1 for cut in cuts[1:]] + [high]
    return list(zip(cuts, ends, strict=True))
