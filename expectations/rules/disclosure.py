"""Register-phase rules: what must hold between a request and the facts on file before anything may be released.

They read the verdict row joined with its canonical row, and facts of the agreement and of court orders (`facts.sql`).
Each failure reads NOT_CONFIRMED to the requester (infra/docs/invariants.md, 9). Nothing here looks at the tier: no
match, TIN included, stands in for the address (infra/docs/incident.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Unpack

from expectations.code import STAY
from expectations.facts.persons import SECRET
from expectations.rules.rule import Phase, Rule, Words, registry, row_rule

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
    name: str,
    inputs: tuple[str, ...],
    predicate: str,
    poison: Mapping[str, Any],
    *,
    agreed: bool = False,
    **words: Unpack[Words],
) -> Rule:
    return row_rule(Phase.REGISTER, f"disclosure.{name}", inputs, predicate, poison, agreed=agreed, **words)


RULES: dict[str, Rule] = registry(
    [
        _rule(
            "corroborated",
            ("corroboration",),
            "corroboration = 'same'",
            {"corroboration": "differs"},
            code="NOT_CORROBORATED",
            message="The request's address equals no address on file.",
            source=STAY,
            agreed=True,
        ),
        # an address without its unit is complete only where the building needs none; boxes and routes have no units
        _rule(
            "unit_given",
            ("a_kind", "a_unit", "units_on_file"),
            "a_kind <> 'street' OR (a_kind = 'street' AND (a_unit IS NOT NULL OR units_on_file < 2))",
            {"a_kind": "street", "a_unit": None, "units_on_file": 2},
            code="UNIT_NEEDED",
            message="The building has several units on file and the request names none.",
            source="USPS delivery point validation: secondary number",
        ),
        # without a limit a requester could guess a person's address, one request after the other
        _rule(
            "few_tries",
            ("earlier_tries", "tries_per_person"),
            "earlier_tries < tries_per_person",
            {"earlier_tries": 3, "tries_per_person": 3},
            code="TOO_MANY_TRIES",
            message="Too many different addresses were tried for this person.",
            source="agreement",
        ),
        _rule(
            "address_on_file",
            ("addresses_on_file",),
            "len(list_filter(addresses_on_file, a -> a.valid_to IS NULL AND a.street IS NOT NULL)) > 0",
            {"addresses_on_file": [_NO_CURRENT]},
            code="NO_ADDRESS_ON_FILE",
            message="There is no last known address to give.",
            source="26 CFR 301.6212-2",
        ),
        # (i)(6), and whoever else the holder protects
        _rule(
            "not_protected",
            ("lists",),
            f"NOT list_has_any(lists, {list(SECRET)})",
            {"lists": [SECRET[0]]},
            code="PROTECTED",
            message="The holder protects this person's record.",
            source="26 USC 6103(i)(6)",
        ),
        # court orders speak of persons: the holder's control rows are none
        _rule(
            "persons_allowed",
            ("origin", "lists", "lists_required"),
            "origin = 'decoy' OR (origin = 'request' AND list_has_all(lists, lists_required))",
            {"origin": "request", "lists_required": ["plaintiffs"]},
            code="COURT_ORDER_PERSON",
            message="A court order allows disclosure of certain persons only.",
            source="court order",
        ),
        # a place that is not known may lie in the district
        _rule(
            "place_allowed",
            ("origin", "a_state", "addresses_on_file", "states_withheld"),
            "origin = 'decoy' OR (origin = 'request' AND (len(states_withheld) = 0"
            " OR (NOT list_contains(states_withheld, a_state) AND len(list_filter(addresses_on_file,"
            " a -> coalesce(list_contains(states_withheld, upper(trim(a.state))), true))) = 0)))",
            {"origin": "request", "states_withheld": ["TX", "IL"]},
            code="COURT_ORDER_PLACE",
            message="A court order forbids disclosure in this district.",
            source="court order",
        ),
    ]
)
