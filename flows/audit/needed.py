"""Which files of a home are sealed to the holder, and what still needs an earlier age key of the holder's."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flows.evidence import keys
from flows.evidence.store import evidence_folder
from flows.home.tree import Home
from pipelines import sealing


@dataclass(frozen=True)
class Needs:
    """Of the files that are sealed to the holder: those that only an earlier key opens, and those that no key here
    does; of `of` in all."""

    earlier: tuple[Path, ...]
    nothing: tuple[Path, ...]
    of: int


def needs(home: Home) -> Needs:
    """What still needs an earlier age key. Only the beginning of each file is read."""
    own, files = keys.holder(home), list(sealed_to_holder(home))
    shut = [path for path in files if not sealing.opens(path, own.alone) and path.exists()]
    earlier = [path for path in shut if sealing.opens(path, own)]
    return Needs(tuple(earlier), tuple(path for path in shut if path not in set(earlier)), len(files))


def sealed_to_holder(home: Home) -> Iterable[Path]:
    """Every file of the home that is sealed to the holder's age key."""
    for pattern in ("accounting/*.age", "notes/*.age", "lookback/*.age", "recalls/*/*.age", "corrections/*/*.age"):
        yield from (path for path in sorted(home.root.glob(pattern)) if not _hidden(path, home.root))
    of_batches = sorted(keys.place(home, "x").parent.glob("[!.]*.age"))
    yield from of_batches
    # evidence that was sealed before batches had keys of their own
    have = {path.name.partition(".")[0] for path in (*of_batches, *evidence_folder(home).glob("[!.]*.json"))}
    yield from (p for p in sorted(evidence_folder(home).glob("[!.]*.age")) if p.name.partition(".")[0] not in have)


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)
