"""Whether the request says who is meant: row rules on name, birth date and TIN (26 USC 6103(i)(2)(B)(i)).

Birth date and TIN may be left out. A given one that cannot be right is a defect of the request, never silently ignored:
evidence would otherwise be dropped exactly where it contradicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from expectations.code import STATUTE
from expectations.rules.rule import Phase, Rule, Words, registry, row_rule
from expectations.rules.sql import blank, unless

# What stands in name fields for "unknown" (FNU, LNU: first, last name unknown).
NO_NAMES = ("FNU", "LNU", "NFN", "NLN", "TBD", "UNK", "UNKNOWN")
_NO_NAMES = ", ".join(f"'{n}'" for n in NO_NAMES)


def _rule(
    name: str,
    inputs: tuple[str, ...],
    predicate: str,
    poison: Mapping[str, Any],
    **words: Unpack[Words],
) -> Rule:
    return row_rule(Phase.REQUEST, f"identity.{name}", inputs, predicate, poison, **words)


RULES = registry(
    [
        _rule(
            "name",
            ("s_first", "s_last"),
            f"s_first NOT IN ({_NO_NAMES}) AND s_last NOT IN ({_NO_NAMES})",
            {"first_name": "FNU", "full_name": None},
            code="NO_NAME",
            message="A given name and a surname are needed.",
            fix="Give both names.",
            source=f"{STATUTE}(B)(i)",
        ),
        _rule(
            "birth_date",
            ("request_id", "birth_date", "s_birth", "decided_on"),
            unless(blank("birth_date"), "s_birth BETWEEN DATE '1890-01-01' AND decided_on"),
            {"birth_date": "1980-02-30"},
            code="BAD_BIRTH_DATE",
            message="The birth date is not a possible date (YYYY-MM-DD).",
            fix="Write it as YYYY-MM-DD, or leave it out.",
            source="agreement",
        ),
        _rule(
            "tin",
            ("request_id", "tin", "s_tin"),
            unless(blank("tin"), "s_tin IS NOT NULL"),
            {"tin": "000-12-3456"},
            code="BAD_TIN",
            message="The TIN is not nine digits that can be an SSN, ITIN or ATIN.",
            fix="Correct it, or leave it out.",
            source="agreement",
        ),
    ]
)
