"""The address rules: one a code, over a_codes, which `expectations.address` derives from the raw fields alone. Codes
that are not `blocking` are for a person; with any other the address is not complete.

CROWDED looks at a whole batch, not at one row: `expectations.facts.crowding` puts it into a_codes. Each poison is the
raw address that carries its code and no other: CROWD where others live as well, beside `PREMISES` as the requester's
own address.
"""

from collections.abc import Mapping
from typing import Any

from expectations.base.duck import quote
from expectations.code import DMM, PUB28, REVIEW, STATUTE
from expectations.rules.rule import Phase, Rule, Words, registry, row_rule

PREMISES = ("500 12th St SW, Washington, DC 20024",)
CROWD = {"street": "1429 Alder St"}
CLEAN = {"address": None, "street": "1425 N Alder St", "unit": None, "city": "Houston", "state": "TX", "zip": "77002"}


def _rule(of: tuple[str, str, Mapping[str, Any]], words: Words, *, agreed: bool = False, blocking: bool = True) -> Rule:
    """What `expectations.address` makes of an address must not hold the code. `of`: code, source of law, poison."""
    code, source, poison = of
    head, predicate = (code.lower(), code, source), f"NOT list_contains(a_codes, {quote(code)})"
    says = {"agreed": agreed, "blocking": blocking}
    return row_rule(Phase.REQUEST, "address", head, ("a_codes",), predicate, poison, words, **says)


RULES = registry(
    _rule(
        ("NO_ADDRESS", f"{STATUTE}(B)(i)", {"street": None}),
        ("There is no address.", "Give street and number, city, state and ZIP."),
    ),
    _rule(
        ("PLACEHOLDER", f"{REVIEW}; {DMM}", {"street": "UNKNOWN ADDRESS"}),
        ("The address is a placeholder, not a place.", "Give the person's address."),
    ),
    _rule(
        ("NOT_PARSED", PUB28, {"street": "1425 N Al\ufffdder St"}),
        ("The address cannot be read as a delivery address.", "Write it in the form of Publication 28."),
    ),
    _rule(
        ("NO_NUMBER", f"{DMM}; {PUB28} 231", {"street": "Alder St"}),
        ("The house number is missing.", "Give the house number."),
    ),
    _rule(
        ("NO_STREET", f"{DMM}; {PUB28} 231", {"street": "1425"}),
        ("The street is missing.", "Give the street with its suffix."),
    ),
    _rule(
        ("NO_BOX", f"{PUB28} 241, 281", {"street": "PO Box"}), ("The box number is missing.", "Give the box number.")
    ),
    _rule(
        ("NO_CITY", f"{DMM}; agreement", {"city": None}),
        ("The city is left out or cannot be read.", "Give the city."),
        agreed=True,
    ),
    _rule(
        ("NO_STATE", DMM, {"state": "Zz"}),
        ("The state cannot be read, or is missing and no ZIP implies it.", "Give the state."),
    ),
    _rule(
        ("STATE_LEFT_OUT", f"{DMM}; agreement", {"state": None}),
        ("The state is left out, though the ZIP implies it.", "Give the state."),
        agreed=True,
    ),
    _rule(("NO_ZIP", DMM, {"zip": "7700"}), ("The ZIP is missing or not five (or nine) digits.", "Give the ZIP.")),
    _rule(
        ("ZIP_UNKNOWN", "USPS City State file", {"zip": "77000"}),
        ("There is no such ZIP, or it is not in use.", "Correct the ZIP."),
    ),
    _rule(
        ("ZIP_NOT_IN_STATE", "USPS City State file", {"city": "New York", "zip": "10001"}),
        ("The ZIP lies in another state.", "Correct the ZIP or the state."),
    ),
    _rule(
        ("FACILITY", REVIEW, {"street": "1425 N Alder St, Harris County Jail"}),
        ("The address is a detention facility, a shelter or an office, not a residence.", "Give the person's address."),
    ),
    _rule(
        (
            "REQUESTER_ADDRESS",
            "agreement",
            {"street": "500 12th Street SW", "unit": "STE 4", "city": "Washington", "state": "DC", "zip": "20024"},
        ),
        ("The address is the requester's own.", "Give the person's address."),
        agreed=True,
    ),
    _rule(
        ("CROWDED", "agreement", CROWD),
        ("More persons than the agreement allows share this address in the batch.", "Check these addresses."),
        agreed=True,
    ),
    _rule(
        ("GENERAL_DELIVERY", f"{PUB28} 26", {"street": "General Delivery"}),
        ("General delivery names no place of residence.", "Give a street address or a box."),
        blocking=False,
    ),
    _rule(
        ("UNIQUE_ZIP", "USPS City State file", {"city": "Schenectady", "state": "NY", "zip": "12345"}),
        ("The ZIP belongs to one organisation.", "Give the person's own ZIP."),
        blocking=False,
    ),
    _rule(
        ("CITY_NOT_IN_ZIP", "USPS City State file", {"city": "Dallas"}),
        ("The city is not among those of the ZIP.", "Correct the city or the ZIP."),
        blocking=False,
    ),
    _rule(
        ("PRIVATE_MAILBOX", f"{PUB28} 284", {"unit": "PMB 12"}),
        ("A private mailbox at a commercial agent is not a residence.", "Give a street address."),
        blocking=False,
    ),
)
