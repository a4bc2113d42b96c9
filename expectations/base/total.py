"""Closed lists are total: a table over the members of an enum has an entry for each, or the module does not import."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from expectations.base.errors import Fault

_E = TypeVar("_E", bound=Enum)
_V = TypeVar("_V")


def total(members: type[_E], table: Mapping[_E, _V]) -> Mapping[_E, _V]:
    """`table` as it is; raises Fault naming the members of the list that it has no entry for."""
    missing = [member.name for member in members if member not in table]
    if missing:
        raise Fault("LIST_INCOMPLETE", f"{members.__name__} has members without behaviour: {', '.join(missing)}")
    return table
