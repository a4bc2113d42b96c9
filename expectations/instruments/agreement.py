"""An agreement between the holder and a requester: who, for what, within which limits."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationInfo, field_validator, model_validator

from expectations.base.forms import Strict, entry
from expectations.contracts.lists import Tier
from expectations.instruments.terms import RELEASABLE, Key, ReleaseField
from expectations.instruments.thresholds import Thresholds
from expectations.rules import statutes

RecallDays = Annotated[int, Field(gt=0, le=365)]
_PARTY = {"id": "department-of-examples", "name": "Department of Examples", "address": "1000 Example Ave"}


class Party(Strict):
    """The holder, or the requester. For the accounting: 5 USC 552a(c) asks for the recipient's name and address."""

    id: Key = entry("short name, the one that letters and orders use", "department-of-examples")
    name: str = entry("full name", "Department of Examples")
    address: str = entry("its address", "1000 Example Ave, Washington DC 20001")
    premises: tuple[str, ...] = entry(
        "its own addresses, one line each: never a person's address",
        ["1000 Example Ave, Washington DC 20001"],
        default=(),
    )


class Signer(Strict):
    """Someone who may sign for an office, from a day to a day (both included)."""

    name: str = entry("as the letter names the signatory", "A. Head")
    office: str = entry("one of offices", "Head of agency")
    valid_from: date = entry("first day", date(2026, 1, 1))
    valid_to: date | None = entry("last day; left out: no last day", date(2027, 12, 31), default=None)


class Keys(Strict):
    """Who may sign letters, and to whom packages are sealed."""

    signing: tuple[str, ...] = entry("OpenSSH public keys that may sign letters", ["ssh-ed25519 AAAA..."])
    recipient: str = entry("the age recipient to whom packages are sealed", "age1...")


class Finding(Strict):
    """A finding of a safeguard review. A corrective plan counts from the day it was filed to the day it is due."""

    id: Key = entry("name of the finding", "access-logs")
    opened_on: date = entry("day on which it was found", date(2026, 1, 15))
    plan_filed_on: date | None = entry("day on which a corrective plan was filed", date(2026, 2, 1), default=None)
    plan_due_on: date | None = entry("last day on which that plan counts", date(2026, 8, 1), default=None)
    closed_on: date | None = entry("day from which it is fixed", date(2026, 7, 1), default=None)

    @model_validator(mode="after")
    def _ordered(self) -> Finding:
        if (self.plan_filed_on is None) != (self.plan_due_on is None):
            raise ValueError("a corrective plan has both plan_filed_on and plan_due_on")
        if any(day and day < self.opened_on for day in (self.plan_filed_on, self.closed_on)):
            raise ValueError("plan_filed_on or closed_on lies before opened_on")
        return self

    def stands_open(self, day: date) -> bool:
        """Open on `day`, and no corrective plan under way."""
        is_open = self.opened_on <= day and (self.closed_on is None or day < self.closed_on)
        planned = self.plan_filed_on and self.plan_due_on and self.plan_filed_on <= day <= self.plan_due_on
        return is_open and not planned


class Safeguards(Strict):
    """26 USC 6103(p)(4): in force on a day if the last review still counts, and no finding stands open without a
    plan."""

    reviewed_on: date = entry("day of the last review", date(2026, 1, 1))
    review_due_on: date | None = entry(
        "the review counts up to this day; left out: until findings", date(2028, 12, 31), default=None
    )
    findings: tuple[Finding, ...] = entry(
        "what reviews found", [{"id": "access-logs", "opened_on": date(2026, 1, 15)}], default=()
    )

    def in_force(self, day: date) -> bool:
        reviewed = self.reviewed_on <= day and (self.review_due_on is None or day <= self.review_due_on)
        return reviewed and not any(f.stands_open(day) for f in self.findings)


class RecallTerms(Strict):
    """Days for each step, counted from the step before. The incident report has no term here: its 24 hours are not
    agreed."""

    copies_days: RecallDays = entry("for the recipient to list its copies, from the notice on", 10, default=10)
    disposal_days: RecallDays = entry("to dispose of them or return them, from the list on", 30, default=30)
    attestation_days: RecallDays = entry("to attest it, from the last disposal on", 10, default=10)
    closing_days: RecallDays = entry("for the holder to close the case, from the attestation on", 10, default=10)


class Agreement(Strict):
    """26 USC 6103(i)(2), as two parties have settled its use."""

    kind: Literal["agreement"] = entry("says that this is an agreement", "agreement")
    id: Key = entry("its name; a file with the same id is a new version of it", "sandbox-2026")
    title: str = entry("what people call it", "Memorandum of understanding")
    source: str = entry("where its text is to be found", "Memorandum of 7 April 2025")
    holder: Party = entry("who keeps the register", _PARTY)
    requester: Party = entry("who may ask", _PARTY)
    valid_from: date = entry("first day, in zone", date(2026, 1, 1))
    valid_to: date = entry("last day, in zone", date(2031, 12, 31))
    received_on: date = entry("day on which the holder had it", date(2026, 1, 1))
    zone: str = entry("time zone (IANA name) in which all legal dates are counted", "America/New_York")
    supersedes: tuple[Key, ...] = entry("agreements that end when this one begins", ["sandbox-2025"], default=())
    statutes: tuple[str, ...] = entry(
        "the criminal statutes that a letter may designate", ["8 USC 1253(a)(1)"], min_length=1
    )
    offices: tuple[str, ...] = entry(
        "offices that may sign a letter: 26 USC 6103(i)(2)(A)", ["Head of agency"], min_length=1
    )
    signatories: tuple[Signer, ...] = entry(
        "who may sign for these offices, and when; left out: whoever holds the office",
        [{"name": "A. Head", "office": "Head of agency", "valid_from": date(2026, 1, 1)}],
        default=(),
    )
    purposes: tuple[str, ...] = entry(
        "purposes that a letter may state: 26 USC 6103(i)(2)(A)(i) to (iii)",
        ["Criminal proceeding", "Grand jury proceeding"],
        min_length=1,
    )
    fields: tuple[ReleaseField, ...] = entry(
        f"what may be released: {', '.join(RELEASABLE)}", ["street", "city", "state", "zip"], min_length=1
    )
    tiers: tuple[Tier, ...] = entry(
        "the evidence demanded: matches of these tiers only", ["A", "B"], default=tuple(Tier), min_length=1
    )
    addresses_that_corroborate: Literal["current", "current_and_earlier"] = entry(
        "which addresses on file a request's address is compared with", "current", default="current_and_earlier"
    )
    earlier_addresses_years: int = entry(
        "an earlier address counts if it ended within so many years", 10, default=200, gt=0, le=200
    )
    may_be_left_out: tuple[Literal["state", "city"], ...] = entry(
        "what an address may leave out beside its ZIP; else STATE_LEFT_OUT or NO_CITY blocks it", ["state"], default=()
    )
    retention_years: int = entry(
        "how long accounting and evidence are kept at least: 5 USC 552a(c)(2)", 5, default=5, ge=5
    )
    thresholds: Thresholds = entry("what is tolerated", {"rows_per_batch": 1500000})
    recall: RecallTerms = entry("by when the recipient answers a recall", {"copies_days": 10}, default=RecallTerms())
    safeguards: Safeguards = entry("the recipient's safeguards: 26 USC 6103(p)(4)", {"reviewed_on": date(2026, 1, 1)})
    keys: Keys = entry("the requester's keys", {"signing": ["ssh-ed25519 AAAA..."], "recipient": "age1..."})

    @field_validator("statutes")
    @classmethod
    def _with_rules(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(one not in statutes.STATUTES for one in value):
            raise ValueError(f"statutes that there are rules for are {', '.join(statutes.STATUTES)}")
        return value

    @field_validator("thresholds")
    @classmethod
    def _not_below_the_statute(cls, value: Thresholds, info: ValidationInfo) -> Thresholds:
        for name, number in statutes.lowest(info.data.get("statutes", ())).items():
            if getattr(value, name) < number:
                raise ValueError(f"{name} is below the {number} that the statute asks for")
        return value

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("no time zone of this name; write one like America/New_York") from None
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Agreement:
        if self.valid_to < self.valid_from:
            raise ValueError("valid_to lies before valid_from")
        if any(s.office not in self.offices for s in self.signatories):
            raise ValueError("signatories: an office is not among offices")
        if self.id in self.supersedes:
            raise ValueError("supersedes: an instrument cannot supersede itself")
        return self

    def in_force(self, day: date) -> bool:
        """From the first day on, to the last one included."""
        return self.valid_from <= day <= self.valid_to

    def may_sign(self, name: str, office: str, day: date) -> bool:
        """Whether this signatory may sign for the office on that day (26 USC 6103(i)(2)(A)); whoever holds it may, if
        nobody is named. That the office is one that may sign is not asked here."""
        named = [s for s in self.signatories if (s.name, s.office) == (name, office)]
        may = any(s.valid_from <= day and (s.valid_to is None or day <= s.valid_to) for s in named)
        return may or not self.signatories or office not in self.offices
