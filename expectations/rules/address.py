"""The address rules: one a code, over a_codes, which `expectations.address` derives from the raw fields alone. Codes
that are not `blocking` are for a person; with any other the address is not complete.

CROWDED looks at a whole batch, not at one row: `expectations.facts.crowding` puts it into a_codes. Each poison is the
raw address that carries its code and no other: CROWD where others live as well, beside `PREMISES` as the requester's
own address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from expectations.base.duck import quote
from expectations.code import DMM, PUB28, REVIEW, STATUTE
from expectations.rules.rule import Phase, Rule, Words, registry, row_rule

PREMISES = ("500 12th St SW, Washington, DC 20024",)
CROWD = {"street": "1429 Alder St"}
CLEAN = {"address": None, "street": "1425 N Alder St", "unit": None, "city": "Houston", "state": "TX", "zip": "77002"}


def _rule(poison: Mapping[str, Any], *, agreed: bool = False, **words: Unpack[Words]) -> Rule:
    """What `expectations.address` makes of an address must not hold the code."""
    code = words["code"]
    predicate = f"NOT list_contains(a_codes, {quote(code)})"
    return row_rule(Phase.REQUEST, f"address.{code.lower()}", ("a_codes",), predicate, poison, agreed=agreed, **words)


RULES = registry(
    [
        _rule(
            {"street": None},
            code="NO_ADDRESS",
            message="There is no address.",
            fix="Give street and number, city, state and ZIP.",
            source=f"{STATUTE}(B)(i)",
        ),
        _rule(
            {"street": "UNKNOWN ADDRESS"},
            code="PLACEHOLDER",
            message="The address is a placeholder, not a place.",
            fix="Give the person's address.",
            source=f"{REVIEW}; {DMM}",
        ),
        _rule(
            {"street": "1425 N Al\ufffdder St"},
            code="NOT_PARSED",
            message="The address cannot be read as a delivery address.",
            fix="Write it in the form of Publication 28.",
            source=PUB28,
        ),
        _rule(
            {"street": "Alder St"},
            code="NO_NUMBER",
            message="The house number is missing.",
            fix="Give the house number.",
            source=f"{DMM}; {PUB28} 231",
        ),
        _rule(
            {"street": "1425"},
            code="NO_STREET",
            message="The street is missing.",
            fix="Give the street with its suffix.",
            source=f"{DMM}; {PUB28} 231",
        ),
        _rule(
            {"street": "PO Box"},
            code="NO_BOX",
            message="The box number is missing.",
            fix="Give the box number.",
            source=f"{PUB28} 241, 281",
        ),
        _rule(
            {"city": None},
            code="NO_CITY",
            message="The city is left out or cannot be read.",
            fix="Give the city.",
            source=f"{DMM}; agreement",
            agreed=True,
        ),
        _rule(
            {"state": "Zz"},
            code="NO_STATE",
            message="The state cannot be read, or is missing and no ZIP implies it.",
            fix="Give the state.",
            source=DMM,
        ),
        _rule(
            {"state": None},
            code="STATE_LEFT_OUT",
            message="The state is left out, though the ZIP implies it.",
            fix="Give the state.",
            source=f"{DMM}; agreement",
            agreed=True,
        ),
        _rule(
            {"zip": "7700"},
            code="NO_ZIP",
            message="The ZIP is missing or not five (or nine) digits.",
            fix="Give the ZIP.",
            source=DMM,
        ),
        _rule(
            {"zip": "77000"},
            code="ZIP_UNKNOWN",
            message="There is no such ZIP, or it is not in use.",
            fix="Correct the ZIP.",
            source="USPS City State file",
        ),
        _rule(
            {"city": "New York", "zip": "10001"},
            code="ZIP_NOT_IN_STATE",
            message="The ZIP lies in another state.",
            fix="Correct the ZIP or the state.",
            source="USPS City State file",
        ),
        _rule(
            {"street": "1425 N Alder St, Harris County Jail"},
            code="FACILITY",
            message="The address is a detention facility, a shelter or an office, not a residence.",
            fix="Give the person's address.",
            source=REVIEW,
        ),
        _rule(
            {"street": "500 12th Street SW", "unit": "STE 4", "city": "Washington", "state": "DC", "zip": "20024"},
            code="REQUESTER_ADDRESS",
            message="The address is the requester's own.",
            fix="Give the person's address.",
            source="agreement",
            agreed=True,
        ),
        _rule(
            CROWD,
            code="CROWDED",
            message="More persons than the agreement allows share this address in the batch.",
            fix="Check these addresses.",
            source="agreement",
            agreed=True,
        ),
        _rule(
            {"street": "General Delivery"},
            code="GENERAL_DELIVERY",
            message="General delivery names no place of residence.",
            fix="Give a street address or a box.",
            source=f"{PUB28} 26",
            blocking=False,
        ),
        _rule(
            {"city": "Schenectady", "state": "NY", "zip": "12345"},
            code="UNIQUE_ZIP",
            message="The ZIP belongs to one organisation.",
            fix="Give the person's own ZIP.",
            source="USPS City State file",
            blocking=False,
        ),
        _rule(
            {"city": "Dallas"},
            code="CITY_NOT_IN_ZIP",
            message="The city is not among those of the ZIP.",
            fix="Correct the city or the ZIP.",
            source="USPS City State file",
            blocking=False,
        ),
        _rule(
            {"unit": "PMB 12"},
            code="PRIVATE_MAILBOX",
            message="A private mailbox at a commercial agent is not a residence.",
            fix="Give a street address.",
            source=f"{PUB28} 284",
            blocking=False,
        ),
    ]
)
