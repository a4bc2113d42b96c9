"""Whether the request says who is meant: row rules on name, birth date and TIN (26 USC 6103(i)(2)(B)(i)).

Birth date and TIN may be left out. A given one that cannot be right is a defect of the request, never silently ignored:
evidence would otherwise be dropped exactly where it contradicts.
"""

from __future__ import annotations

from expectations.rules.rule import Disposition, Phase, Rule, Scope, registry
from expectations.rules.sql import blank, unless

# What stands in name fields for "unknown" (FNU, LNU: first, last name unknown).
NO_NAMES = ("FNU", "LNU", "NFN", "NLN", "TBD", "UNK", "UNKNOWN")
_NO_NAMES = ", ".join(f"'{n}'" for n in NO_NAMES)


def _rule(name: str, inputs: tuple[str, ...], predicate: str, code: str, poison: dict[str, object]) -> Rule:
    return Rule(
        f"identity.{name}", Scope.ROW, Phase.REQUEST, inputs, predicate, Disposition.HOLD_ROW, code, poison
    )  # fmt: skip


RULES = registry(
    [
        _rule(
            "name",
            ("s_first", "s_last"),
            f"s_first NOT IN ({_NO_NAMES}) AND s_last NOT IN ({_NO_NAMES})",
            "NO_NAME",
            {"first_name": "FNU", "full_name": None},
        ),
        _rule(
            "birth_date",
            ("request_id", "birth_date", "s_birth", "decided_on"),
            unless(blank("birth_date"), "s_birth BETWEEN DATE '1890-01-01' AND decided_on"),
            "BAD_BIRTH_DATE",
            {"birth_date": "1980-02-30"},
        ),
        _rule(
            "tin",
            ("request_id", "tin", "s_tin"),
            unless(blank("tin"), "s_tin IS NOT NULL"),
            "BAD_TIN",
            {"tin": "000-12-3456"},
        ),
    ]
)
