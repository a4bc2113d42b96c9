"""Names packages of the lock file that an update left behind longer ago than infra/docs/protection.md allows, whether
they have a weakness or not: `make audit`. uv says what could have been chosen by then,
with the limits that packages set each other.

Usage: python -m infra.release.updates [--accepted FILE] [--unless-unreachable]
Exit code 0: nothing is late; 1: something is; 2: nothing could be compared (0 with --unless-unreachable). Needs uv, as
`make lock` does.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import date, timedelta
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from expectations.base.clock import Clock
from infra.release.audit import DAYS, HERE, accepted_in

ID = "update"  # of what is accepted, in the list of accepted weaknesses
WITHIN = DAYS["LOW"]
_PIN = re.compile(r"^([\w.-]+)(?:\[.*?\])?==([^\s;\\]+)", re.M)
_COMPILE = ("uv", "pip", "compile", "-", "--upgrade", "--universal", "--python-version", "3.11", "--no-annotate")


def main(arguments: list[str]) -> int:
    """Prints what was found; gives the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--accepted", type=Path, default=HERE / "accepted.toml")
    parser.add_argument("--unless-unreachable", action="store_true")
    said = parser.parse_args(arguments)
    root, today = HERE.parent.parent, Clock().today("UTC")
    could = resolved(root / "pyproject.toml", today - timedelta(days=WITHIN))
    if could is None:
        print("not compared with updates: uv is not there, or finds no registry", file=sys.stderr)
        return 0 if said.unless_unreachable else 2
    left = {one.package: one for one in accepted_in(said.accepted) if one.id == ID}
    late, pinned = 0, pins((root / "requirements.lock").read_text())
    for name in sorted(could.keys() & pinned.keys()):
        if min(could[name]) <= max(pinned[name]):
            continue
        one = left.get(name)
        late += one is None or today > one.until
        state = f"accepted until {one.until}: {one.reason}" if one and today <= one.until else "LATE"
        print(f"{name} {max(pinned[name])}: {min(could[name])} has been there for {WITHIN} days: {state}")
    print(f"{len(pinned)} packages compared with what there was {WITHIN} days ago: {late} late")
    return 1 if late else 0


def resolved(project: Path, day: date) -> dict[str, set[Version]] | None:
    """What would be chosen from all that there was on a day, without our pins; None if that cannot be known."""
    said = tomllib.loads(project.read_text())["project"]
    wanted = map(Requirement, (*said["dependencies"], *said["optional-dependencies"]["dev"]))
    names = "\n".join(f"{one.name}[{','.join(sorted(one.extras))}]" if one.extras else one.name for one in wanted)
    if shutil.which("uv") is None:
        return None
    command = [*_COMPILE, "--no-header", "--exclude-newer", str(day)]
    done = subprocess.run(command, input=names, capture_output=True, text=True, check=False)
    found = pins(done.stdout)
    return found if done.returncode == 0 and found else None


def pins(text: str) -> dict[str, set[Version]]:
    """The versions of each package in a lock file: several, where they differ by platform."""
    found: dict[str, set[Version]] = {}
    for name, version in _PIN.findall(text):
        found.setdefault(canonicalize_name(name), set()).add(Version(version))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
