"""Tiers A to D: the evidence on which a pair is releasable, if no veto stands against it. No score adds up to one.

Surname and address are one household evidence, not two: a name with an address, and nothing else, is never a tier.
Nor are surname, address and birth date two: twins share all three, and are named alike. Without the TIN, nothing but
the very same given name tells one from the other, however few letters the two names differ by.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from expectations.base.total import total
from expectations.contracts.lists import Tier
from pipelines.match.comparisons.address import ADDRESS
from pipelines.match.comparisons.birth_date import BIRTH_DATE
from pipelines.match.comparisons.name_parts import MIDDLE_NAME
from pipelines.match.comparisons.names import FIRST_NAME, LAST_NAME, NAME_ORDER
from pipelines.match.comparisons.tin import TIN
from pipelines.match.entry import Entry

RARE = 1e-5  # namesakes to expect, at most, where name and birth date stand alone


@dataclass(frozen=True)
class Alternative(Entry):
    """One way to a tier. `needs`: all that must agree (SQL over `compared`), beside what every way to it needs."""

    id: str
    needs: tuple[str, ...]

    @property
    def sql(self) -> str:
        return " AND ".join(self.needs)


class Rule:
    """A tier: what all its ways need (`meaning` in words), and the alternatives, of which one must hold."""

    def __init__(self, needs: tuple[str, ...], meaning: str, why: str, *alternatives: Alternative) -> None:
        self.needs, self.meaning, self.why, self.alternatives = needs, meaning, why, alternatives

    @property
    def sql(self) -> str:
        either = "\n          OR ".join(f"({alternative.sql})" for alternative in self.alternatives)
        return " AND ".join([*self.needs, f"(\n          {either})"])


SAME_FIRST = FIRST_NAME.at("exact")
FAMILIAR_FIRST = FIRST_NAME.at("nickname", "slip")
LIKE_FIRST = FIRST_NAME.at("other_name", "nickname", "slip", "similar")
SAME_LAST = LAST_NAME.at("exact")
SIMILAR_LAST = LAST_NAME.at("exact", "token", "similar")
SWAPPED = NAME_ORDER.at("swapped")
BORN = BIRTH_DATE.at("same")
SAME_MIDDLE = MIDDLE_NAME.at("same")
NO_OTHER_MIDDLE = MIDDLE_NAME.at("unknown", "same")
SAME_ADDRESS = ADDRESS.at("same")
RARE_NAME = f"namesakes * CASE middle_name WHEN 'same' THEN middle_share ELSE 1 END <= {RARE}"

RULES: Mapping[Tier, Rule] = total(
    Tier,
    {
        Tier.A: Rule(
            (TIN.at("same"), f"({NO_OTHER_MIDDLE} OR {BORN})"),
            "the TIN, and no contradicting middle initial without the birth date",
            "a number is borrowed within a family: a given name must agree as well, and nothing stands in for it",
            Alternative("A.name", (SAME_FIRST, LAST_NAME.at("exact", "token"))).means(
                "the exact given name, and the surname or one of two surnames",
                why="number and name are independent evidence",
            ),
            Alternative("A.names_swapped", (SWAPPED,)).means(
                "the two names in each other's field", why="they are the same two names"
            ),
            Alternative("A.similar_name_birth_date", (LIKE_FIRST, SIMILAR_LAST, BORN, NO_OTHER_MIDDLE)).means(
                "given name and surname similar, the birth date, and no contradicting middle initial",
                why="the birth date makes up for a typing error or a familiar form; a twin's number would bring a"
                " twin's initial",
            ),
            Alternative("A.slip_middle_name", (FAMILIAR_FIRST, SIMILAR_LAST, SAME_MIDDLE)).means(
                "given name familiar or with a slip, surname similar, and the middle initial",
                why="without the birth date another name, or a longer one, may be a child's: Aria is Ariana's daughter",
            ),
            Alternative("A.birth_date", (SAME_FIRST, BORN)).means(
                "the exact given name and the birth date, whatever the surname",
                why="surnames change by marriage: the birth date stands in",
            ),
            Alternative("A.middle_name_address", (SAME_FIRST, SAME_MIDDLE, SAME_ADDRESS)).means(
                "the exact given name, the middle initial and the full address, whatever the surname",
                why="surnames change by marriage: middle initial and address stand in together",
            ),
        ),
        Tier.B: Rule(
            (BORN, ADDRESS.at("same", "building")),
            "the birth date, and the address or its building",
            "name, birth date and address are three kinds of evidence, and the given name is what twins do not share",
            Alternative("B.name", (SAME_FIRST, SAME_LAST)).means(
                "the exact name", why="the twin at this address has another given name"
            ),
            Alternative("B.names_swapped", (SWAPPED,)).means(
                "the two names in each other's field", why="they are the same two names"
            ),
        ),
        Tier.C: Rule(
            (BORN, SAME_ADDRESS),
            "the birth date and the full address",
            "a surname that is only similar may be a neighbour's: all else must agree",
            Alternative("C.similar_surname", (SAME_FIRST, SIMILAR_LAST)).means(
                "the exact given name, and the surname similar",
                why="a typing error, or one of two surnames; the given name of a twin may be as similar",
            ),
        ),
        Tier.D: Rule(
            (BORN,),
            "the birth date",
            "a mover is found by the name alone, where nobody else of that birth date is to be expected to bear it",
            Alternative("D.rare_name", (SAME_FIRST, SAME_LAST, RARE_NAME)).means(
                f"the exact name, with its middle initial where both sides give it, so rare that at most {RARE:.5f}"
                " other bearers are to be expected in the register",
                why="a rare name does the work of an address",
            ),
        ),
    },
)

# SQL: whether a pair reaches any tier; its tier, null without one.
ANY = "\n        OR ".join(f"({rule.sql})" for rule in RULES.values())
_whens = "".join(f"\n        WHEN {rule.sql} THEN '{tier}'" for tier, rule in RULES.items())
SQL = f"CASE\n        WHEN vetoes > 0 THEN NULL{_whens}\n      END"
