"""An agreement between the holder and a requester: who, for what, within which limits."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationInfo, field_validator
from pydantic.functional_validators import model_validator

from expectations.codes import BLOCKING_ADDRESS_CODES
from expectations.forms import Strict
from expectations.instruments.terms import Key, ReleaseField, Share
from expectations.rules import statutes

Tier = Literal["A", "B", "C", "D"]
TIERS: tuple[Tier, ...] = ("A", "B", "C", "D")


class Party(Strict):
    id: Key
    name: str
    address: str  # for the accounting: 5 USC 552a(c) asks for the recipient's name and address
    premises: tuple[str, ...] = ()  # its own addresses, one line each: never a person's address


class Thresholds(Strict):
    """What the agreement tolerates. Shares are of all submitted rows, rejects included."""

    incomplete_share: Share
    incomplete_share_per_file: Share
    incomplete_share_30_days: Share | None = (
        None  # this batch and what passed in the 30 days before; none: incomplete_share
    )
    incomplete_share_by_code: dict[str, Share] = Field(default={})  # limits for single codes, below incomplete_share
    match_rate_floor: Share
    match_rate_ceiling: Share
    weak_tiers_ceiling: Share = Field(
        default=0.25, description="share of the matches that may be of tiers C and D; judged from 100 matches on"
    )
    letter_age_days: Annotated[int, Field(ge=0)]
    attestation_days: Annotated[int, Field(ge=0)] = Field(
        default=365, description="how many days an attestation counts, from the day it was made to receipt"
    )
    rows_per_batch: Annotated[int, Field(gt=0)]
    rows_30_days: Annotated[int, Field(gt=0)] | None = Field(
        default=None, description="this batch and what passed intake in the 30 days before; none: no cap"
    )
    matters_per_officer: Annotated[int, Field(gt=0)]
    identical_reason_share: Share
    persons_per_address: Annotated[int, Field(gt=0)]
    tries_per_person: Annotated[int, Field(gt=0)]
    held_days: Annotated[int, Field(gt=0)]
    days_after_final_order: Annotated[int, Field(ge=0)] = 90

    @field_validator("incomplete_share_by_code")
    @classmethod
    def _known_codes(cls, value: dict[str, float]) -> dict[str, float]:
        if any(code not in BLOCKING_ADDRESS_CODES for code in value):
            raise ValueError(f"codes that can have a limit are {', '.join(BLOCKING_ADDRESS_CODES)}")
        return value


class Finding(Strict):
    """A finding of a safeguard review. A corrective plan counts from the day it was filed to the day it is due."""

    id: Key
    opened_on: date
    plan_filed_on: date | None = None
    plan_due_on: date | None = None
    closed_on: date | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Finding:
        if (self.plan_filed_on is None) != (self.plan_due_on is None):
            raise ValueError("a corrective plan has both plan_filed_on and plan_due_on")
        if any(day and day < self.opened_on for day in (self.plan_filed_on, self.closed_on)):
            raise ValueError("plan_filed_on or closed_on lies before opened_on")
        return self

    def stands_open(self, day: date) -> bool:
        """Open on `day`, and no corrective plan under way."""
        if day < self.opened_on or (self.closed_on is not None and self.closed_on <= day):
            return False
        planned = self.plan_filed_on is not None and self.plan_due_on is not None
        return not (planned and self.plan_filed_on <= day <= self.plan_due_on)  # type: ignore[operator]


class Safeguards(Strict):
    """26 USC 6103(p)(4): in force on a day if the last review still counts, and no finding stands open without a plan."""

    reviewed_on: date
    review_due_on: date | None = Field(
        default=None, description="the review counts up to this day; none: until findings"
    )
    findings: tuple[Finding, ...] = ()

    def in_force(self, day: date) -> bool:
        reviewed = self.reviewed_on <= day and (self.review_due_on is None or day <= self.review_due_on)
        return reviewed and not any(f.stands_open(day) for f in self.findings)


class Signer(Strict):
    """Someone who may sign for an office, from a day to a day (both included)."""

    name: str
    office: str
    valid_from: date
    valid_to: date | None = None


class Keys(Strict):
    """Who may sign letters (OpenSSH public keys), and to whom packages are sealed (an age recipient)."""

    signing: tuple[str, ...]
    recipient: str


class Agreement(Strict):
    """26 USC 6103(i)(2), as two parties have settled its use. `supersedes`: agreements that end when this one begins."""

    kind: Literal["agreement"]
    id: Key
    title: str
    source: str
    holder: Party
    requester: Party
    valid_from: date
    valid_to: date
    received_on: date
    zone: str
    supersedes: tuple[Key, ...] = ()
    statutes: Annotated[tuple[str, ...], Field(min_length=1)]
    offices: Annotated[tuple[str, ...], Field(min_length=1)]
    signatories: tuple[Signer, ...] = Field(
        default=(), description="who may sign for these offices, and when; none: whoever holds the office"
    )
    purposes: Annotated[tuple[str, ...], Field(min_length=1)]
    fields: Annotated[tuple[ReleaseField, ...], Field(min_length=1)]
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)] = Field(
        default=TIERS, description="the evidence demanded: matches of these tiers only"
    )
    addresses_that_corroborate: Literal["current", "current_and_earlier"] = "current_and_earlier"
    earlier_addresses_years: Annotated[int, Field(gt=0, le=200)] = 200  # an earlier one counts if it ended within them
    may_be_left_out: tuple[Literal["state", "city"], ...] = Field(
        default=(),
        description="what an address may leave out beside its ZIP: state, city; else STATE_LEFT_OUT or NO_CITY blocks it",
    )
    retention_years: Annotated[int, Field(ge=5)] = Field(
        default=5, description="how long accounting and evidence are kept at least: 5 USC 552a(c)(2)"
    )
    thresholds: Thresholds
    safeguards: Safeguards
    keys: Keys

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
        """Whether this signatory may sign for the office on that day (26 USC 6103(i)(2)(A)); whoever holds it may, if nobody
        is named. That the office is one that may sign is not asked here."""
        if not self.signatories or office not in self.offices:
            return True
        return any(
            (s.name, s.office) == (name, office) and s.valid_from <= day and (s.valid_to is None or day <= s.valid_to)
            for s in self.signatories
        )
