"""Which prepared register a batch runs against: the home's, with the deltas applied to it since. Versions lie in
register/ of the home: `r-KEY` is a raw register prepared (KEY names the state of its files), `r-KEY.u0001` and so on
are that one with a delta after the other. A new full extract begins again. Nothing is deleted but by `forget`."""

import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from expectations.base.digests import name_of_json
from expectations.base.errors import BadInput, Fault
from flows.home.tree import Home, alone
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import FINAL
from pipelines import lake, register
from pipelines.lake import Progress

MANIFEST = "manifest.json"
_SETTING = "register_folder in sluicegate.toml"


def current_register(home: Home, progress: Progress | None = None, *, anew: bool = False) -> Path:
    """The newest prepared version for this home's register. Prepares a raw one first, once for each state of its files.
    Raises BadInput if there is no register, its mapping cannot be read, or (unless `anew`: a person said so) deltas
    were applied to another state of its files: whether those are in the extract by now, only the holder knows."""
    base = _base(home)
    if not _versions(home, base):
        if not anew and any(home.prepared.glob(f"r-*.u*/{MANIFEST}")):
            changed = "the extract or Sluicegate changed, and deltas were applied to what was prepared before"
            remedy = "Run sluicegate register build, then register update with each delta that the extract lacks."
            raise BadInput("REGISTER_BEHIND", changed, where=_SETTING, remedy=remedy)
        with alone(home, base.name):  # batches that start together would delete each other's unfinished parts
            if not (base / MANIFEST).is_file():
                register.build(home.register, base, duck=home.duck, progress=progress)
    versions = _versions(home, base)
    for folder in versions:  # what was killed just after its commit
        shutil.rmtree(register.working(folder), ignore_errors=True)
    return versions[-1]


def update_register(home: Home, delta: Path, today: date, progress: Progress | None = None) -> Path:
    """Makes the next version: the current one with this folder's delta. Raises BadInput as `register.update`."""
    current_register(home, progress)
    base = _base(home)
    with alone(home, f"{_key(base)}.update"):
        versions = _versions(home, base)
        applied = 0 if versions[-1] == base else int(versions[-1].suffix.removeprefix(".u"))
        target = home.prepared / f"r-{_key(base)}.u{applied + 1:04d}"
        register.update(versions[-1], delta, target, today=today, duck=home.duck, progress=progress)
    return target


def all_versions(home: Home) -> list[Path]:
    """Every prepared version that is here, older states of the raw register included; the home's own first."""
    return [f for f in (home.register, *sorted(home.prepared.glob("r-*"))) if (f / MANIFEST).is_file()]


def register_of(home: Home, version: str) -> Path:
    """The prepared register of this version: the one that a batch was recorded with, whatever the home's is by now.
    Raises Fault if it is no longer here: a batch never goes on against another register than it began with."""
    for folder in all_versions(home):
        if register.version(folder) == version:
            return folder
    remedy = "Restore it below register/, or reject the batch and have it submitted again."
    raise Fault("REGISTER_GONE", "the register version that this batch was recorded with is not here", remedy=remedy)


def later_versions(home: Home, version: str) -> list[Path]:
    """The versions that deltas have made since this one; and, where the home runs on another full extract by now, those
    that deltas have made of that one. Raises Fault as `register_of`."""
    here = register_of(home, version)
    try:
        now = _base(home)
    except BadInput:  # there is no extract any more, and so no other one
        now = here
    line = here.name.rpartition(".u")[0] if re.fullmatch(r"r-.+\.u\d{4}", here.name) else f"r-{_key(here)}"
    present = f"r-{_key(now)}" if now != here and now.exists() else line
    found = [f for f in _updates(home, line) if f.name > here.name or f"{line}.u" not in here.name]
    return found + (_updates(home, present) if present != line else [])


def listed(home: Home, *, verify: bool = False) -> list[dict[str, Any]]:
    """Each prepared version that is here, the one that the next batch runs against first. `verify` reads every byte of
    that one again, and raises Fault if it is not what was prepared."""
    current = current_register(home)
    if verify:
        register.open_register(current, verify=True)
    return [
        {
            "folder": folder,
            "persons": register.persons(manifest),
            "changes": manifest.rows("changes"),
            "version": register.version(folder),
            "next": folder == current,
        }
        for folder in dict.fromkeys([current, *all_versions(home)])
        for manifest in [lake.stated(folder)]
    ]


def build_register(home: Home, source: Path | None, out: Path | None, progress: Progress | None = None) -> Path:
    """Prepares the raw register at `source` (the home's, if left out) in `out`, or in the home; gives where it lies."""
    if source:
        home = replace(home, config=home.config.model_copy(update={"register_folder": str(source.resolve())}))
    if out is None:
        return current_register(home, progress, anew=True)
    register.build(home.register, out, duck=home.duck, progress=progress)
    return out


def forget(home: Home, ledger: Ledger, name: str) -> None:
    """Deletes the version `name` (as `register show` lists it). Raises BadInput if it is the newest, the holder's own,
    or that of a batch which has not ended or still has a folder."""
    folder = home.prepared / name
    if folder not in all_versions(home):
        raise BadInput("NO_SUCH_VERSION", "no such register version", remedy="sluicegate register show lists them.")
    needed = {b.register for b in ledger.batches() if b.state not in FINAL or (home.lake / b.name).exists()}
    if folder in (home.register, current_register(home)) or register.version(folder) in needed:
        in_use = "the next batch or one under way runs against it, or it is register_folder"
        raise BadInput("VERSION_IN_USE", in_use, remedy="Finish those batches first; see sluicegate status.")
    (folder / MANIFEST).unlink()  # first: what is half deleted is no version
    shutil.rmtree(folder)


def _base(home: Home) -> Path:
    """The folder of the register without deltas: the home's own if prepared, else where its raw one is prepared."""
    source = home.register
    if (source / MANIFEST).is_file():
        return source
    parts = register.files(source)
    if not parts:
        remedy = "Point it to a raw or prepared register, or make one: sluicegate simulate register."
        raise BadInput("NO_REGISTER", "there is no register", where=_SETTING, remedy=remedy)
    state = [(*p.relative_to(source).parts, p.stat().st_size, p.stat().st_mtime_ns) for p in parts]
    return home.prepared / f"r-{name_of_json([state, register.preparation()])[:12]}"


def _key(base: Path) -> str:
    """The key of a base: the state of the raw register, or the version of one that came prepared."""
    return base.name.removeprefix("r-") if base.name.startswith("r-") else register.version(base)[:12]


def _versions(home: Home, base: Path) -> list[Path]:
    """The base and its updates that are here, oldest first: each is whole, whichever of those before were deleted."""
    here = [base] if (base / MANIFEST).is_file() else []
    return [*here, *_updates(home, f"r-{_key(base)}")]


def _updates(home: Home, line: str) -> list[Path]:
    """The versions that deltas have made of a base, whose name begins with `line`."""
    found = sorted(home.prepared.glob(f"{line}.u[0-9][0-9][0-9][0-9]"))
    return [folder for folder in found if (folder / MANIFEST).is_file()]
