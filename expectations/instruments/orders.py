"""A court order: what it does, to whom, from when. Whatever it is, it can only narrow what the agreements allow."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import field_validator, model_validator

from expectations.base.forms import Strict, entry
from expectations.contracts.lists import SECRET
from expectations.instruments.districts import state_of
from expectations.instruments.effects import EFFECTS, Does, Effect
from expectations.instruments.terms import Key, ReleaseField


class OrderScope(Strict):
    """What an order stands against; an empty list means: any.

    A ZIP does not tell the district within a state, so every row of the state counts: in doubt it is withheld.
    """

    agreements: tuple[str, ...] = entry("requests under these agreements", ["sandbox-2026"], default=())
    requesters: tuple[str, ...] = entry("requests by these requesters", ["department-of-examples"], default=())
    statutes: tuple[str, ...] = entry("requests under these statutes", ["8 USC 1253(a)(1)"], default=())
    fields: tuple[ReleaseField, ...] = entry(
        "of the package: these are taken away from it", ["street", "unit"], default=()
    )
    districts: tuple[str, ...] = entry(
        "federal judicial districts: rows of persons who live in their states, or may",
        ["D. Mass.", "N.D. Cal."],
        default=(),
    )

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

    fields: tuple[ReleaseField, ...] | None = entry("only these fields may be released", ["city", "zip"], default=None)
    purposes: tuple[str, ...] | None = entry("only for these purposes", ["Grand jury proceeding"], default=None)
    persons: Key | None = entry("a list of the holder's persons.csv: only persons on it", "plaintiffs", default=None)


class CourtOrder(Strict):
    """What a court has ordered. Its days are legal dates in the zone of the agreement that it meets."""

    kind: Literal["court_order"] = entry("says that this is a court order", "court_order")
    id: Key = entry("its name; a file with the same id is a new version of it", "stay-2025-11-21-ddc")
    court: str = entry("who ordered it", "United States District Court for the District of Columbia")
    docket: str = entry("in which case", "No. 1:25-cv-12822")
    title: str = entry("what people call it", "Center for Taxpayer Rights v. IRS: stay")
    source: str = entry("where its text is to be found", "Stay of 21 November 2025 (D.D.C.)")
    received_on: date | None = entry("day on which the holder had it", date(2025, 11, 22), default=None)
    served_on: date | None = entry("day on which it was served on the holder", date(2025, 11, 22), default=None)
    text_sha256: str | None = entry(
        "SHA-256 of the order's text as it was served, in hex", "0" * 64, default=None, pattern=r"^[0-9a-f]{64}$"
    )
    confirm_by: date | None = entry(
        "last day on which the holder must confirm that it complies; watched until an operator signs that it did",
        date(2025, 12, 1),
        default=None,
    )
    effective_on: date = entry("first day on which it applies", date(2025, 11, 21))
    lifted_on: date | None = entry("day from which it no longer applies", date(2026, 6, 1), default=None)
    supersedes: tuple[Key, ...] = entry("orders that end when this one begins", ["stay-2025-11-21-ddc"], default=())
    effect: Effect = entry("; ".join(f"{effect}: {does.meaning}" for effect, does in EFFECTS.items()), "forbid")
    only: Only | None = entry(
        "of an order that restricts: what it still allows", {"fields": ["city", "zip"]}, default=None
    )
    barred: Key | None = entry(
        "of an order that bars: a list of the holder's persons.csv; nothing on the persons of it may be released",
        "plaintiffs",
        default=None,
    )
    lifts: tuple[Key, ...] = entry(
        "of an order that lifts: the orders that it ends", ["stay-2025-11-21-ddc"], default=()
    )
    preserve: bool = entry(
        "parties must keep what they hold, untouched: no recall may have it destroyed or returned", True, default=False
    )
    disposal_despite: tuple[Key, ...] = entry(
        "orders that preserve, despite which what was disclosed may be destroyed or returned",
        ["injunction-2026-02-05-dmass"],
        default=(),
    )
    scope: OrderScope = entry("what it stands against", {"agreements": ["sandbox-2026"]}, default=OrderScope())

    @model_validator(mode="after")
    def _whole(self) -> CourtOrder:
        if self.does.restricts != (self.only is not None):
            raise ValueError("an order that restricts has a table [only], and no other has")
        if self.only is not None and self.only == Only():
            raise ValueError("only: name fields, purposes or persons")
        if self.does.bars != (self.barred is not None):
            raise ValueError("an order that bars persons names their list in barred, and no other does")
        if self.barred in SECRET:
            raise ValueError("barred: this list is the holder's own; give the order a list of its own")
        if self.barred is not None and not self.whole:
            raise ValueError("scope: an order that bars persons bars them whatever the field or the district")
        if self.confirm_by is not None and (self.served_on is None or self.confirm_by < self.served_on):
            raise ValueError("confirm_by: write the day of service in served_on, which comes before")
        if self.does.lifts != bool(self.lifts):
            raise ValueError("an order that lifts names the orders in lifts, and no other does")
        if self.supersedes and not self.does.supersedes:
            raise ValueError('supersedes: a declaration ends no order; write effect = "lift" if it did')
        if self.preserve and not self.does.preserves:
            raise ValueError("preserve: an order that lifts or declares preserves nothing; write another order")
        if self.disposal_despite and not self.does.disposes:
            raise ValueError("disposal_despite: a declaration allows nothing")
        if self.scope.fields and self.scope.districts:
            raise ValueError("scope: fields or districts, not both; write two orders")
        if self.lifted_on is not None and self.lifted_on < self.effective_on:
            raise ValueError("lifted_on lies before effective_on")
        if self.id in (*self.supersedes, *self.lifts, *self.disposal_despite):
            raise ValueError("an order cannot supersede or lift itself, nor allow despite itself")
        return self

    @property
    def does(self) -> Does:
        """What an order of this effect does."""
        return EFFECTS[self.effect]

    @property
    def whole(self) -> bool:
        """It stands against a batch as a whole, not against some fields or rows of it."""
        return not self.scope.fields and not self.scope.districts

    def in_force(self, day: date) -> bool:
        """From its effective day on; on the day it is lifted it no longer applies."""
        return self.effective_on <= day and (self.lifted_on is None or day < self.lifted_on)

    def covers(self, agreement: str, requester: str, statute: str) -> bool:
        """Whether it speaks of requests by this requester under this agreement and statute."""
        scope = self.scope
        asked = ((scope.agreements, agreement), (scope.requesters, requester), (scope.statutes, statute))
        return all(not named or one in named for named, one in asked)
