"""Whether the request says who is meant: row rules on name, birth date and TIN (26 USC 6103(i)(2)(B)(i)).

Birth date and TIN may be left out. A given one that cannot be right is a defect of the request, never silently ignored:
evidence would otherwise be dropped exactly where it contradicts.
"""

from functools import partial

from expectations.code import STATUTE
from expectations.rules.rule import Phase, registry, row_rule
from expectations.rules.sql import blank, unless

# What stands in name fields for "unknown" (FNU, LNU: first, last name unknown).
NO_NAMES = ("FNU", "LNU", "NFN", "NLN", "TBD", "UNK", "UNKNOWN")
_NO_NAMES = ", ".join(f"'{n}'" for n in NO_NAMES)

_rule = partial(row_rule, Phase.REQUEST, "identity")
RULES = registry(
    _rule(
        ("name", "NO_NAME", f"{STATUTE}(B)(i)"),
        ("s_first", "s_last"),
        f"s_first NOT IN ({_NO_NAMES}) AND s_last NOT IN ({_NO_NAMES})",
        {"first_name": "FNU", "full_name": None},
        ("A given name and a surname are needed.", "Give both names."),
    ),
    _rule(
        ("birth_date", "BAD_BIRTH_DATE", "agreement"),
        ("request_id", "birth_date", "s_birth", "decided_on"),
        unless(blank("birth_date"), "s_birth BETWEEN DATE '1890-01-01' AND decided_on"),
        {"birth_date": "1980-02-30"},
        ("The birth date is not a possible date (YYYY-MM-DD).", "Write it as YYYY-MM-DD, or leave it out."),
    ),
    _rule(
        ("tin", "BAD_TIN", "agreement"),
        ("request_id", "tin", "s_tin"),
        unless(blank("tin"), "s_tin IS NOT NULL"),
        {"tin": "000-12-3456"},
        ("The TIN is not nine digits that can be an SSN, ITIN or ATIN.", "Correct it, or leave it out."),
    ),
)
