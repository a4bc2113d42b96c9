"""A prepared register opened: its version checked, and its parts in the groups in which they are scanned.

A version is a base (datasets persons and addresses, as `build` cut them) and what changed since (datasets
changed_persons and changed_addresses, as `update` wrote them). `gone` holds the record ids whose rows in the base no
longer count: they were changed or removed. Whoever reads the base leaves them out; nobody else needs to know.
"""

from dataclasses import dataclass
from pathlib import Path

from expectations.base import digests, duck
from expectations.base.errors import BadInput
from pipelines import lake
from pipelines.register.prepare import preparation

SEALS = "verified.json"  # what each part looked like when its digest was last found right
PREPARATION = "preparation"  # the label that says how a register was prepared
SCAN_ROWS = 100_000_000  # a scan is joined against all keys of a batch, at a fixed cost: large scans are cheap


@dataclass(frozen=True)
class Scan:
    """Parts that one query reads: persons and addresses of the same records, less those in `gone`."""

    persons: tuple[str, ...]
    addresses: tuple[str, ...]
    gone: tuple[str, ...] = ()


def without(gone: tuple[str, ...], relation: str) -> str:
    """A FROM clause: `relation` (with record_id) without the records in the files `gone`."""
    if not gone:
        return relation
    # named: two relations that are both read_parquet would have one name
    return f"(FROM {relation} ANTI JOIN {duck.parquet(list(gone))} AS gone USING (record_id))"


def scans(register: lake.Manifest, rows: int = SCAN_ROWS) -> list[Scan]:
    """All parts of a register, in groups of at most `rows` persons (a larger part stands alone)."""
    gone = tuple(p.path for p in register.parts if p.dataset == "gone")
    homes = iter(register.paths("addresses"))
    found = [Scan(group, tuple(next(homes) for _ in group), gone) for group in lake.grouped(register, "persons", rows)]
    if any(p.dataset == "changed_persons" for p in register.parts):
        found.append(Scan(tuple(register.paths("changed_persons")), tuple(register.paths("changed_addresses"))))
    return found


def addresses(register: lake.Manifest) -> str:
    """A FROM clause: every prepared address that counts."""
    each = (f"FROM {without(s.gone, duck.parquet(list(s.addresses)))}" for s in scans(register))
    return f"({' UNION ALL '.join(each)})"


def records(register: lake.Manifest) -> str:
    """A FROM clause: the record_id of each person who counts, once."""
    each = (
        f"SELECT record_id FROM {without(s.gone, f'(SELECT record_id FROM {duck.parquet(list(s.persons))})')}"
        for s in scans(register)
    )
    return f"({' UNION ALL '.join(each)})"


def persons(register: lake.Manifest) -> int:
    """How many records the register holds now."""
    return register.rows("persons") + register.rows("changed_persons") - register.rows("gone")


def open_register(folder: Path, *, verify: bool = False) -> lake.Manifest:
    """The prepared register in `folder`; raises BadInput if it is missing, half built, or a part was changed.

    A national register is larger than what a batch should read twice: a part is read whole when it is first seen, and
    then taken for unchanged while its inode, size and times are. `verify`: every byte is read again.
    """
    manifest = lake.read_manifest(folder, seals=() if verify else [folder / SEALS])
    if manifest is None:
        said, remedy = "the prepared register is missing, half built or changed", "Run sluicegate register build."
        raise BadInput("REGISTER_NOT_PREPARED", said, where=folder.name, remedy=remedy)
    if manifest.labels.get(PREPARATION) != preparation():
        remedy = "Prepare it again: sluicegate register build."
        said = "the register was prepared by another version of Sluicegate"
        raise BadInput("REGISTER_OUTDATED", said, where=folder.name, remedy=remedy)
    return manifest


def version(folder: Path) -> str:
    """Name of a register version: the digest of its manifest, which holds the digest of each part."""
    if not (folder / "manifest.json").exists():
        open_register(folder)
    return digests.of_file(folder / "manifest.json")
