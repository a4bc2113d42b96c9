"""A court order: what it does, to whom, from when. Whatever it is, it can only narrow what the agreements allow."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator
from pydantic.functional_validators import model_validator

from expectations.forms import Strict
from expectations.instruments.districts import state_of
from expectations.instruments.terms import Key, ReleaseField


class Effect(StrEnum):
    """What an order does within its scope."""

    FORBID = "forbid"  # nothing may be disclosed
    RESTRICT = "restrict"  # only what `only` names may be
    HOLD = "hold"  # batches wait, until the order is lifted
    RECALL = "recall"  # what was disclosed is to be got back, and nothing more may be disclosed
    LIFT = "lift"  # ends the orders in `lifts`
    DECLARE = "declare"  # says what the law is; ends no order and allows nothing by itself


class OrderScope(Strict):
    """What an order stands against; an empty list means: any.

    fields      of the package: an order within some fields takes these away from it
    districts   federal judicial districts (D. Mass., N.D. Cal.): rows of persons who live there, or may. A ZIP does not tell
                the district within a state, so every row of the state counts: in doubt it is withheld
    """

    agreements: tuple[str, ...] = ()
    requesters: tuple[str, ...] = ()
    statutes: tuple[str, ...] = ()
    fields: tuple[ReleaseField, ...] = ()
    districts: tuple[str, ...] = ()

    @field_validator("districts")
    @classmethod
    def _known_districts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(state_of(district) is None for district in value):
            raise ValueError("a district is written like D. Mass. or N.D. Cal.")
        return value

    @property
    def states(self) -> frozenset[str]:
        """The states (two letters) that the districts lie in."""
        return frozenset(s for d in self.districts if (s := state_of(d)))


class Only(Strict):
    """What a restricting order still allows; what it does not speak of stays as it is."""

    fields: tuple[ReleaseField, ...] | None = None
    purposes: tuple[str, ...] | None = None
    persons: Key | None = Field(default=None, description="a list of the holder's persons.csv: only persons on it")


class CourtOrder(Strict):
    """`received_on`: when the holder had it; `supersedes`: orders that end when this one begins."""

    kind: Literal["court_order"]
    id: Key
    court: str
    docket: str
    title: str
    source: str
    received_on: date | None = None
    effective_on: date
    lifted_on: date | None = None
    supersedes: tuple[Key, ...] = ()
    effect: Effect
    only: Only | None = None
    lifts: tuple[Key, ...] = ()
    scope: OrderScope = OrderScope()

    @model_validator(mode="after")
    def _whole(self) -> CourtOrder:
        if (self.effect is Effect.RESTRICT) != (self.only is not None):
            raise ValueError("an order that restricts has a table [only], and no other has")
        if self.only is not None and self.only == Only():
            raise ValueError("only: name fields, purposes or persons")
        if (self.effect is Effect.LIFT) != bool(self.lifts):
            raise ValueError("an order that lifts names the orders in lifts, and no other does")
        if self.effect is Effect.DECLARE and self.supersedes:
            raise ValueError('supersedes: a declaration ends no order; write effect = "lift" if it did')
        if self.scope.fields and self.scope.districts:
            raise ValueError("scope: fields or districts, not both; write two orders")
        if self.lifted_on is not None and self.lifted_on < self.effective_on:
            raise ValueError("lifted_on lies before effective_on")
        if self.id in (*self.supersedes, *self.lifts):
            raise ValueError("an order cannot supersede or lift itself")
        return self

    def in_force(self, day: date) -> bool:
        """From its effective day on; on the day it is lifted it no longer applies."""
        return self.effective_on <= day and (self.lifted_on is None or day < self.lifted_on)

    def covers(self, agreement: str, requester: str, statute: str) -> bool:
        """Whether it speaks of requests by this requester under this agreement and statute."""
        scope = self.scope
        return (
            (not scope.agreements or agreement in scope.agreements)
            and (not scope.requesters or requester in scope.requesters)
            and (not scope.statutes or statute in scope.statutes)
        )
