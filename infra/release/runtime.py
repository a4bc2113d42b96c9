"""Prints the lines of a lock file that the installed package itself needs: the lock has what developers need as well.

Usage: python infra/release/runtime.py requirements.lock. On this platform and Python: others have other needs.
"""

import re
import sys
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def needed(name: str, extras: tuple[str, ...] = ()) -> set[str]:
    """The names of all packages that this one needs, by what is installed."""
    found: set[str] = set()
    todo, seen = [(name, extras)], set()
    while todo:
        one = todo.pop()
        if one in seen:
            continue
        seen.add(one)
        for said in map(Requirement, requires(one[0]) or ()):
            wanted = said.marker is None or any(said.marker.evaluate({"extra": extra}) for extra in ("", *one[1]))
            if wanted:
                inner = canonicalize_name(said.name)
                found.add(inner)
                todo.append((inner, tuple(sorted(said.extras))))
    return found


def main(lock: Path) -> None:
    """Raises SystemExit if the lock lacks a package that is needed."""
    found = re.finditer(r"^([\w.-]+)(?:\[.*?\])?==.*(?:\n[ \t]+.*)*", lock.read_text(), re.M)
    lines = {canonicalize_name(one[1]): one[0] for one in found}
    wanted = needed("sluicegate")
    if missing := sorted(wanted - lines.keys()):
        sys.exit(f"not in the lock file: {', '.join(missing)}; run make lock")
    print("\n".join(lines[name] for name in sorted(wanted)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
