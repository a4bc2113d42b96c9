"""Compares the packages of a lock file with a list of known weaknesses: `make audit`. pip-audit asks the list; this
says how long each has been known, and whether that is longer than infra/docs/protection.md allows.

Usage: python -m infra.release.audit [LOCK] [--list URL] [--accepted FILE] [--unless-unreachable]
Exit code 0: nothing is late; 1: something is; 2: nothing could be compared (0 with --unless-unreachable, if the list
does not answer). URL is an address that answers as https://api.osv.dev does.
"""

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from expectations.base.clock import Clock

HERE = Path(__file__).parent
DAYS = {"CRITICAL": 3, "HIGH": 14, "MODERATE": 60, "LOW": 180}  # by severity, as advisories name it
UNSAID = "CRITICAL"  # what counts where no advisory says how severe it is
SECONDS = 30  # for the list to answer


@dataclass(frozen=True)
class Weakness:
    """One that a package of the lock file has. `names`: its advisory's, in all lists; `since`: its publication."""

    package: str
    version: str
    names: tuple[str, ...]
    fixed: tuple[str, ...]
    severity: str | None
    since: date

    @property
    def due(self) -> date:
        return self.since + timedelta(days=DAYS[self.severity or UNSAID])

    def __str__(self) -> str:
        said = self.severity.lower() if self.severity else "its severity is not said, so critical"
        frame = f"{DAYS[self.severity or UNSAID]} days"
        fixed = f"fixed in {', '.join(self.fixed)}" if self.fixed else "no version fixes it"
        return (
            f"{self.package} {self.version}: {self.names[0]} ({said}), published {self.since}, "
            f"to be fixed within {frame}, by {self.due}; {fixed}"
        )


@dataclass(frozen=True)
class Accepted:
    """One that is left in until a day, and why."""

    id: str
    package: str
    reason: str
    until: date


def main(arguments: list[str]) -> int:
    """Prints what was found; gives the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("lock", nargs="?", type=Path, default=Path("requirements.lock"))
    parser.add_argument("--list", default="https://api.osv.dev")
    parser.add_argument("--accepted", type=Path, default=HERE / "accepted.toml")
    parser.add_argument("--unless-unreachable", action="store_true")
    said = parser.parse_args(arguments)
    accepted = [one for one in accepted_in(said.accepted) if one.id != "update"]
    if not answers(said.list):
        print(f"not compared with known weaknesses: {said.list} does not answer", file=sys.stderr)
        return 0 if said.unless_unreachable else 2
    compared = asked(said.lock, said.list)
    if compared is None:
        return 2
    try:
        count, found = len(compared), [one for each in compared for one in weaknesses(each, said.list)]
    except requests.RequestException as error:
        print(f"the list answers no more ({type(error).__name__})", file=sys.stderr)
        return 2
    late = judged(found, accepted, Clock().today("UTC"))
    print(f"{count} packages compared with {said.list}: {len(found)} weaknesses, {late} of them late")
    return 1 if late else 0


def accepted_in(path: Path) -> list[Accepted]:
    """Raises TypeError if one of them lacks a part, or has one more."""
    return [Accepted(**one) for one in tomllib.loads(path.read_text()).get("accepted", [])]


def answers(url: str) -> bool:
    """Whether the list is there."""
    query = {"package": {"name": "pip", "ecosystem": "PyPI"}, "version": "0"}
    try:
        requests.post(f"{url}/v1/query", json=query, timeout=SECONDS).raise_for_status()
    except requests.RequestException:
        return False
    return True


def asked(lock: Path, url: str) -> list[dict[str, Any]] | None:
    """Each package of the lock file with what pip-audit finds; None, which is said, if it could not look at each."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes", "--disable-pip"]
    command += ["--vulnerability-service", "osv", "--osv-url", f"{url}/v1/query", "--format", "json"]
    done = subprocess.run([*command, "--progress-spinner", "off"], capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(f"pip-audit failed: {done.stderr.strip()}", file=sys.stderr)
        return None
    skipped = [one["name"] for one in found if "skip_reason" in one]
    if skipped or not found:
        print(f"pip-audit looked at none of: {', '.join(skipped) or lock.name}", file=sys.stderr)
        return None
    return found


def weaknesses(of: dict[str, Any], url: str) -> Iterator[Weakness]:
    """What was found in a package, with what its advisories say of it in all lists."""
    for one in of["vulns"]:
        names = (one["id"], *sorted(one["aliases"]))
        said = [entry for name in names if (entry := advisory(name, url))]
        levels = [level for entry in said if (level := entry.get("database_specific", {}).get("severity")) in DAYS]
        since = min((datetime.fromisoformat(entry["published"]).date() for entry in said), default=date.min)
        worst = min(levels, key=DAYS.__getitem__, default=None)
        yield Weakness(of["name"], of["version"], names, tuple(one["fix_versions"]), worst, since)


def advisory(name: str, url: str) -> dict[str, Any] | None:
    """What the list says of it; None if it has none of this name."""
    answer = requests.get(f"{url}/v1/vulns/{name}", timeout=SECONDS)
    if answer.status_code == 404:
        return None
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def judged(found: list[Weakness], accepted: list[Accepted], today: date) -> int:
    """Prints each weakness; gives how many are late."""
    late, used = 0, set[Accepted]()
    for one in found:
        left = next((a for a in accepted if a.package == one.package and a.id in one.names), None)
        used |= {left} if left else set()
        until = max(one.due, left.until) if left else one.due
        late += today > until
        state = "LATE" if today > until else f"accepted until {left.until}: {left.reason}" if left else "in time"
        print(f"{one}: {state}")
    for over in set(accepted) - used:
        print(f"accepted, and not found any more: {over.id} of {over.package}; take it out of the list")
    return late


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
