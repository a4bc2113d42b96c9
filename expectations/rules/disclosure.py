"""Register-phase rules: what must hold between a request and the facts on file before anything may be released.

They read the verdict row joined with its canonical row, and the constants of the agreement and of court orders
(`facts.register_constants`). Each failure reads
NOT_CONFIRMED to the requester (infra/docs/invariants.md, 9). Nothing here looks at the tier: no match, TIN included, stands in
for the address (infra/docs/incident.md).
"""

from __future__ import annotations

from datetime import date

from expectations.persons import SECRET
from expectations.rules.rule import Disposition, Phase, Rule, Scope, registry

_NO_CURRENT = {
    "street": "1 OLD ST", "unit": None, "urbanization": None, "city": "SPRINGFIELD", "state": "IL", "zip": "62701",
    "valid_from": date(2010, 1, 1), "valid_to": date(2012, 1, 1),
}  # fmt: skip


def _rule(name: str, inputs: tuple[str, ...], predicate: str, code: str, poison: dict[str, object]) -> Rule:
    return Rule(f"disclosure.{name}", Scope.ROW, Phase.REGISTER, inputs, predicate, Disposition.HOLD_ROW, code, poison)


RULES: dict[str, Rule] = registry(
    [
        _rule(
            "corroborated",
            ("corroboration",),
            "corroboration = 'same'",
            "NOT_CORROBORATED",
            {"corroboration": "differs"},
        ),
        # an address without its unit is complete only where the building needs none; boxes and routes have no units
        _rule(
            "unit_given",
            ("a_kind", "a_unit", "units_on_file"),
            "a_kind <> 'street' OR (a_kind = 'street' AND (a_unit IS NOT NULL OR units_on_file < 2))",
            "UNIT_NEEDED",
            {"a_kind": "street", "a_unit": None, "units_on_file": 2},
        ),
        # without a limit a requester could guess a person's address, one request after the other
        _rule(
            "few_tries",
            ("earlier_tries", "max_tries_per_person"),
            "earlier_tries < max_tries_per_person",
            "TOO_MANY_TRIES",
            {"earlier_tries": 3, "max_tries_per_person": 3},
        ),
        _rule(
            "address_on_file",
            ("addresses_on_file",),
            "len(list_filter(addresses_on_file, a -> a.valid_to IS NULL AND a.street IS NOT NULL)) > 0",
            "NO_ADDRESS_ON_FILE",
            {"addresses_on_file": [_NO_CURRENT]},
        ),
        # (i)(6), and whoever else the holder protects
        _rule(
            "not_protected",
            ("lists",),
            f"NOT list_has_any(lists, {list(SECRET)})",
            "PROTECTED",
            {"lists": [SECRET[0]]},
        ),
        # court orders speak of persons: the holder's decoys are none
        _rule(
            "persons_allowed",
            ("origin", "lists", "lists_required"),
            "origin = 'decoy' OR (origin = 'request' AND list_has_all(lists, lists_required))",
            "COURT_ORDER_PERSON",
            {"origin": "request", "lists_required": ["plaintiffs"]},
        ),
        # a place that is not known may lie in the district
        _rule(
            "place_allowed",
            ("origin", "a_state", "addresses_on_file", "states_withheld"),
            "origin = 'decoy' OR (origin = 'request' AND (len(states_withheld) = 0"
            " OR (NOT list_contains(states_withheld, a_state) AND len(list_filter(addresses_on_file,"
            " a -> coalesce(list_contains(states_withheld, upper(trim(a.state))), true))) = 0)))",
            "COURT_ORDER_PLACE",
            {"origin": "request", "states_withheld": ["TX", "IL"]},
        ),
    ]
)
