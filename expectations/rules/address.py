"""The address rules: one a code, over a_codes, which `expectations.address` derives from the raw fields alone.

CROWDED looks at a whole batch, not at one row: `expectations.crowding` puts it into a_codes. Each poison is the raw address
that carries its code and no other: CROWD where others live as well, beside `PREMISES` as the requester's own address.
"""

from __future__ import annotations

from typing import Any

from expectations.address import complete
from expectations.duck import quote
from expectations.rules.rule import Disposition, Phase, Rule, Scope, registry

PREMISES = ("500 12th St SW, Washington, DC 20024",)
CROWD = {"street": "1429 Alder St"}
CLEAN = {"address": None, "street": "1425 N Alder St", "unit": None, "city": "Houston", "state": "TX", "zip": "77002"}

_POISON: dict[str, dict[str, Any]] = {
    "NO_ADDRESS": {"street": None},
    "PLACEHOLDER": {"street": "UNKNOWN ADDRESS"},
    "NOT_PARSED": {"street": "1425 N Al\ufffdder St"},
    "NO_NUMBER": {"street": "Alder St"},
    "NO_STREET": {"street": "1425"},
    "NO_BOX": {"street": "PO Box"},
    "NO_CITY": {"city": None},
    "NO_STATE": {"state": "Zz"},
    "STATE_LEFT_OUT": {"state": None},
    "NO_ZIP": {"zip": "7700"},
    "ZIP_UNKNOWN": {"zip": "77000"},
    "ZIP_NOT_IN_STATE": {"city": "New York", "zip": "10001"},
    "FACILITY": {"street": "1425 N Alder St, Harris County Jail"},
    "REQUESTER_ADDRESS": {"street": "500 12th Street SW", "unit": "STE 4", "city": "Washington", "state": "DC", "zip": "20024"},
    "CROWDED": CROWD,
    "GENERAL_DELIVERY": {"street": "General Delivery"},
    "UNIQUE_ZIP": {"city": "Schenectady", "state": "NY", "zip": "12345"},
    "CITY_NOT_IN_ZIP": {"city": "Dallas"},
    "PRIVATE_MAILBOX": {"unit": "PMB 12"},
}  # fmt: skip


def _rule(code: str, poison: dict[str, Any]) -> Rule:
    return Rule(
        id=f"address.{code.lower()}",
        scope=Scope.ROW,
        phase=Phase.REQUEST,
        inputs=("a_codes",),
        predicate=f"NOT list_contains(a_codes, {quote(code)})",
        disposition=Disposition.HOLD_ROW,
        code=code,
        poison=poison,
    )


RULES: dict[str, Rule] = registry(_rule(code, poison) for code, poison in _POISON.items())


def sql_complete(codes: str = "a_codes") -> str:
    """SQL that is TRUE where a list of codes holds no blocking address code: the address is complete."""
    return complete(codes)
