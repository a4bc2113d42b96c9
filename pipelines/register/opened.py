"""A prepared register opened: its version checked, and its parts in the groups in which they are scanned.

A version is a base (datasets persons and addresses, as `build` cut them) and what changed since (datasets
changed_persons and changed_addresses, as `update` wrote them). `gone` holds the record ids whose rows in the base no
longer count: they were changed or removed. Whoever reads the base leaves them out; nobody else needs to know.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from expectations.base import digests, duck
from expectations.base.errors import BadInput
from pipelines import lake
from pipelines.register.prepare import preparation
from pipelines.register.proof import damaged

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


def record_ids(register: lake.Manifest) -> str:
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

    Every byte is read, once in each run (see `proof`). `verify`: whatever was read in this run already.
    """
    manifest = _stated(folder)
    if broken := damaged(manifest, set() if verify else None):
        raise _not_prepared(folder, f"of the prepared register {broken[0]}, {len(broken)} parts in all")
    if manifest.labels.get(PREPARATION) != preparation():
        remedy = "Prepare it again: sluicegate register build."
        said = "the register was prepared by another version of Sluicegate"
        raise BadInput("REGISTER_OUTDATED", said, where=folder.name, remedy=remedy)
    return manifest


def changes(folder: Path) -> list[str]:
    """The files in which a prepared register lists what deltas have changed, proven as by `open_register`: what is
    withheld for a correction rests on them. Raises BadInput if one is missing or was changed."""
    manifest = _stated(folder)
    listed = replace(manifest, parts=tuple(p for p in manifest.parts if p.dataset == "changes"))
    if broken := damaged(listed):
        raise _not_prepared(folder, f"of the prepared register {broken[0]}")
    return [part.path for part in listed.parts]


def damage(folder: Path, proven: set[str]) -> list[str]:
    """What is wrong with the parts of the prepared register in `folder`, in words; `proven`: see `proof.damaged`.
    Raises BadInput if its manifest cannot be read."""
    return damaged(_stated(folder), proven)


def _stated(folder: Path) -> lake.Manifest:
    try:
        return lake.stated(folder)
    except FileNotFoundError:
        raise _not_prepared(folder, "the prepared register is missing or half built") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _not_prepared(folder, "the manifest of the prepared register cannot be read") from None


def _not_prepared(folder: Path, what: str) -> BadInput:
    remedy = "Restore it from a backup, or prepare it again: sluicegate register build."
    return BadInput("REGISTER_NOT_PREPARED", what, where=folder.name, remedy=remedy)


def version(folder: Path) -> str:
    """Name of a register version: the digest of its manifest, which holds the digest of each part."""
    if not (folder / "manifest.json").exists():
        open_register(folder)
    return digests.name_of_file(folder / "manifest.json")
