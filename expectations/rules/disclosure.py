"""Register-phase rules: what must hold between a request and the facts on file before anything may be released.

They read the verdict row joined with its canonical row, and facts of the agreement and of court orders (`facts.sql`).
Each failure reads NOT_CONFIRMED to the requester (infra/docs/invariants.md, 9). Nothing here looks at the tier: no
match, TIN included, stands in for the address (infra/docs/incident.md).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from expectations.code import STAY
from expectations.contracts.lists import SECRET
from expectations.rules.rule import Head, Phase, Rule, registry, row_rule

_NO_CURRENT = {
    "street": "1 OLD ST",
    "unit": None,
    "urbanization": None,
    "city": "SPRINGFIELD",
    "state": "IL",
    "zip": "62701",
    "valid_from": date(2010, 1, 1),
    "valid_to": date(2012, 1, 1),
}


def _rule(
    head: Head,
    inputs: tuple[str, ...],
    predicate: str,
    poison: Mapping[str, Any],
    message: str,
    *,
    agreed: bool = False,
) -> Rule:
    """Without a fix: the requester never reads these words."""
    return row_rule(Phase.REGISTER, "disclosure", head, inputs, predicate, poison, (message, ""), agreed=agreed)


RULES = registry(
    _rule(
        ("corroborated", "NOT_CORROBORATED", STAY),
        ("corroboration",),
        "corroboration = 'same'",
        {"corroboration": "differs"},
        "The request's address equals no address on file.",
        agreed=True,
    ),
    # an address without its unit is complete only where the building needs none; boxes and routes have no units
    _rule(
        ("unit_given", "UNIT_NEEDED", "USPS delivery point validation: secondary number"),
        ("a_kind", "a_unit", "units_on_file"),
        "a_kind <> 'street' OR (a_kind = 'street' AND (a_unit IS NOT NULL OR units_on_file < 2))",
        {"a_kind": "street", "a_unit": None, "units_on_file": 2},
        "The building has several units on file and the request names none.",
    ),
    # without a limit a requester could guess a person's address, birth date or TIN, one request after the other
    _rule(
        ("few_tries", "TOO_MANY_TRIES", "agreement"),
        ("earlier_tries", "tries_per_person"),
        "earlier_tries < tries_per_person",
        {"earlier_tries": 3, "tries_per_person": 3},
        "Too many different values were tried on this person.",
    ),
    # which of several guesses is right would show by the one that is released
    _rule(
        ("tried_alone", "TRIED_TOGETHER", "agreement"),
        ("tried_beside",),
        "tried_beside = 0",
        {"tried_beside": 1},
        "Other rows of the batch try other values on this person.",
    ),
    _rule(
        ("address_on_file", "NO_ADDRESS_ON_FILE", "26 CFR 301.6212-2"),
        ("addresses_on_file",),
        "len(list_filter(addresses_on_file, a -> a.valid_to IS NULL AND a.street IS NOT NULL)) > 0",
        {"addresses_on_file": [_NO_CURRENT]},
        "There is no last known address to give.",
    ),
    # (i)(6), and whoever else the holder protects
    _rule(
        ("not_protected", "PROTECTED", "26 USC 6103(i)(6)"),
        ("lists",),
        f"NOT list_has_any(lists, {list(SECRET)})",
        {"lists": [SECRET[0]]},
        "The holder protects this person's record.",
    ),
    # court orders speak of persons: the holder's control rows are none
    _rule(
        ("persons_allowed", "COURT_ORDER_PERSON", "court order"),
        ("origin", "lists", "lists_required"),
        "origin = 'decoy' OR (origin = 'request' AND list_has_all(lists, lists_required))",
        {"origin": "request", "lists_required": ["plaintiffs"]},
        "A court order allows disclosure of certain persons only.",
    ),
    # whoever nobody lists may be the one: a barred list that nobody is on was lost, or never written
    _rule(
        ("persons_not_barred", "COURT_ORDER_BARS_PERSON", "court order"),
        ("origin", "lists", "lists_barred", "lists_on_file"),
        "origin = 'decoy' OR (origin = 'request' AND NOT list_has_any(lists, lists_barred)"
        " AND list_has_all(lists_on_file, lists_barred))",
        {"origin": "request", "lists": ["class"], "lists_barred": ["class"], "lists_on_file": ["class"]},
        "A court order bars disclosure of this person, or bars a list that the holder does not have.",
    ),
    # a place that is not known may lie in the district
    _rule(
        ("place_allowed", "COURT_ORDER_PLACE", "court order"),
        ("origin", "a_state", "addresses_on_file", "states_withheld"),
        "origin = 'decoy' OR (origin = 'request' AND (len(states_withheld) = 0"
        " OR (NOT list_contains(states_withheld, a_state) AND len(list_filter(addresses_on_file,"
        " a -> coalesce(list_contains(states_withheld, upper(trim(a.state))), true))) = 0)))",
        {"origin": "request", "states_withheld": ["TX", "IL"]},
        "A court order forbids disclosure in this district.",
    ),
)
