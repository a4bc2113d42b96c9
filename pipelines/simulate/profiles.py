"""What kinds of batches there are: proportions, from profiles.csv, printed for infra/docs/simulation.md by `table`.

`incident` follows the public accounts of 2025 (infra/docs/incident.md): few rows are on file at all, nine in ten of
those come with an address that is not on file, and about one in twenty is visibly incomplete. `clean` is what a careful
requester sends; `hostile` is what an input must survive.
"""

import csv
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

from expectations.base.errors import Usage


class Kind(StrEnum):
    """What there is a profile of: a column of profiles.csv each."""

    CLEAN = "clean"
    INCIDENT = "incident"
    HOSTILE = "hostile"


@dataclass(frozen=True)
class Profile:
    """Shares of rows. Those of an address are of rows in the register, and the rest is a current address on file."""

    in_register: float  # the person asked for is on file
    relatives: float  # of the others: same surname and address as someone on file
    namesakes: float  # of the others: same names as someone on file, at another address
    incomplete: float  # of all rows: the address is not complete
    elsewhere: float  # a complete address that is not on file for the person
    earlier: float  # an earlier address on file
    typo_in_street: float  # an address on file with a letter wrong, which is another address
    unit_left_out: float  # of those in a building of several units
    birth_date: float  # of the rows: a birth date is given
    birth_date_wrong: float  # of those: not the person's
    tin: float  # a TIN is given
    tin_near_miss: float  # of those: one digit off
    tin_borrowed: float  # of those: of another person on file
    nickname: float
    typo_in_name: float
    one_of_two_surnames: float  # of those who have two
    new_surname: float
    suffix_swapped: float  # of those who have one: JR for SR
    legal_defect: float  # of all rows: a legal element is missing or out of time
    tricks: float  # of all rows: formulas, SQL, look-alikes, control characters, huge fields
    duplicate_ids: float  # of all rows: the request id of another row


def _read() -> dict[str, Profile]:
    """A profile for each kind; fails on a kind or a share that the table lacks."""
    with (Path(__file__).parent / "profiles.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {kind.value: Profile(**{row["share"]: float(row[kind]) for row in rows}) for kind in Kind}


PROFILES = _read()


def profile(name: str) -> Profile:
    """The profile called `name`; raises Usage with the list of names."""
    try:
        return PROFILES[Kind(name)]
    except ValueError:
        raise Usage("UNKNOWN_PROFILE", "no such profile", remedy=f"Choose one of: {', '.join(PROFILES)}.") from None


def table() -> str:
    """The proportions as a Markdown table, a line a proportion."""
    lines = [f"| share of rows | {' | '.join(PROFILES)} |", "|---|" + "---:|" * len(PROFILES)]
    for f in fields(Profile):
        shares = " | ".join(f"{getattr(p, f.name):.1%}" for p in PROFILES.values())
        lines.append(f"| {f.name.replace('_', ' ')} | {shares} |")
    return "\n".join(lines) + "\n"
