"""What kinds of batches there are: a table of proportions, printed for infra/docs/simulation.md by `table`.

`incident` follows the public accounts of 2025 (infra/docs/incident.md): few rows are on file at all, nine in ten of those come with an
address that is not on file, and about one in twenty is visibly incomplete. `clean` is what a careful requester sends;
`hostile` is what an input must survive.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from expectations.errors import Usage


class Kind(StrEnum):
    """What there is a profile of."""

    CLEAN = "clean"
    INCIDENT = "incident"
    HOSTILE = "hostile"


@dataclass(frozen=True)
class Profile:
    """Shares of rows. Those of an address are of rows in the register, and what they leave is a current address on file."""

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


PROFILES: dict[Kind, Profile] = {
    Kind.CLEAN: Profile(
        in_register=0.90,
        relatives=0.05,
        namesakes=0.05,
        incomplete=0.01,
        elsewhere=0.04,
        earlier=0.08,
        typo_in_street=0.01,
        unit_left_out=0.02,
        birth_date=0.98,
        birth_date_wrong=0.005,
        tin=0.90,
        tin_near_miss=0.004,
        tin_borrowed=0.001,
        nickname=0.02,
        typo_in_name=0.02,
        one_of_two_surnames=0.20,
        new_surname=0.005,
        suffix_swapped=0.0,
        legal_defect=0.005,
        tricks=0.0,
        duplicate_ids=0.0,
    ),
    Kind.INCIDENT: Profile(
        in_register=0.04,
        relatives=0.03,
        namesakes=0.03,
        incomplete=0.045,
        elsewhere=0.89,
        earlier=0.02,
        typo_in_street=0.01,
        unit_left_out=0.05,
        birth_date=0.97,
        birth_date_wrong=0.01,
        tin=0.85,
        tin_near_miss=0.01,
        tin_borrowed=0.003,
        nickname=0.03,
        typo_in_name=0.03,
        one_of_two_surnames=0.30,
        new_surname=0.01,
        suffix_swapped=0.02,
        legal_defect=0.01,
        tricks=0.0,
        duplicate_ids=0.0,
    ),
    Kind.HOSTILE: Profile(
        in_register=0.50,
        relatives=0.15,
        namesakes=0.15,
        incomplete=0.22,
        elsewhere=0.20,
        earlier=0.10,
        typo_in_street=0.08,
        unit_left_out=0.30,
        birth_date=0.70,
        birth_date_wrong=0.08,
        tin=0.70,
        tin_near_miss=0.08,
        tin_borrowed=0.05,
        nickname=0.06,
        typo_in_name=0.08,
        one_of_two_surnames=0.50,
        new_surname=0.03,
        suffix_swapped=0.30,
        legal_defect=0.10,
        tricks=0.10,
        duplicate_ids=0.01,
    ),
}


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
