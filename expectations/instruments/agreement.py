"""An agreement between the holder and a requester: who, for what, within which limits."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationInfo, field_validator
from pydantic.functional_validators import model_validator

from expectations.base.forms import Strict
from expectations.instruments.recall_terms import RecallTerms
from expectations.instruments.safeguards import Safeguards
from expectations.instruments.terms import RELEASABLE, Key, ReleaseField
from expectations.instruments.thresholds import Thresholds
from expectations.rules import statutes

Tier = Literal["A", "B", "C", "D"]
TIERS: tuple[Tier, ...] = ("A", "B", "C", "D")
_PARTY = {"id": "department-of-examples", "name": "Department of Examples", "address": "1000 Example Ave"}


class Party(Strict):
    """The holder, or the requester. For the accounting: 5 USC 552a(c) asks for the recipient's name and address."""

    id: Key = Field(description="short name, the one that letters and orders use", examples=["department-of-examples"])
    name: str = Field(description="full name", examples=["Department of Examples"])
    address: str = Field(description="its address", examples=["1000 Example Ave, Washington DC 20001"])
    premises: tuple[str, ...] = Field(
        default=(),
        description="its own addresses, one line each: never a person's address",
        examples=[["1000 Example Ave, Washington DC 20001"]],
    )


class Signer(Strict):
    """Someone who may sign for an office, from a day to a day (both included)."""

    name: str = Field(description="as the letter names the signatory", examples=["A. Head"])
    office: str = Field(description="one of offices", examples=["Head of agency"])
    valid_from: date = Field(description="first day", examples=[date(2026, 1, 1)])
    valid_to: date | None = Field(
        default=None, description="last day; left out: no last day", examples=[date(2027, 12, 31)]
    )


class Keys(Strict):
    """Who may sign letters, and to whom packages are sealed."""

    signing: tuple[str, ...] = Field(
        description="OpenSSH public keys that may sign letters", examples=[["ssh-ed25519 AAAA..."]]
    )
    recipient: str = Field(description="the age recipient to whom packages are sealed", examples=["age1..."])


class Agreement(Strict):
    """26 USC 6103(i)(2), as two parties have settled its use."""

    kind: Literal["agreement"] = Field(description="says that this is an agreement", examples=["agreement"])
    id: Key = Field(description="its name; a file with the same id is a new version of it", examples=["sandbox-2026"])
    title: str = Field(description="what people call it", examples=["Memorandum of understanding"])
    source: str = Field(description="where its text is to be found", examples=["Memorandum of 7 April 2025"])
    holder: Party = Field(description="who keeps the register", examples=[_PARTY])
    requester: Party = Field(description="who may ask", examples=[_PARTY])
    valid_from: date = Field(description="first day, in zone", examples=[date(2026, 1, 1)])
    valid_to: date = Field(description="last day, in zone", examples=[date(2031, 12, 31)])
    received_on: date = Field(description="day on which the holder had it", examples=[date(2026, 1, 1)])
    zone: str = Field(
        description="time zone (IANA name) in which all legal dates are counted", examples=["America/New_York"]
    )
    supersedes: tuple[Key, ...] = Field(
        default=(), description="agreements that end when this one begins", examples=[["sandbox-2025"]]
    )
    statutes: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="the criminal statutes that a letter may designate", examples=[["8 USC 1253(a)(1)"]]
    )
    offices: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="offices that may sign a letter: 26 USC 6103(i)(2)(A)", examples=[["Head of agency"]]
    )
    signatories: tuple[Signer, ...] = Field(
        default=(),
        description="who may sign for these offices, and when; left out: whoever holds the office",
        examples=[[{"name": "A. Head", "office": "Head of agency", "valid_from": date(2026, 1, 1)}]],
    )
    purposes: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="purposes that a letter may state: 26 USC 6103(i)(2)(A)(i) to (iii)",
        examples=[["Criminal proceeding", "Grand jury proceeding"]],
    )
    fields: Annotated[tuple[ReleaseField, ...], Field(min_length=1)] = Field(
        description=f"what may be released: {', '.join(RELEASABLE)}", examples=[["street", "city", "state", "zip"]]
    )
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)] = Field(
        default=TIERS, description="the evidence demanded: matches of these tiers only", examples=[["A", "B"]]
    )
    addresses_that_corroborate: Literal["current", "current_and_earlier"] = Field(
        default="current_and_earlier",
        description="which addresses on file a request's address is compared with",
        examples=["current"],
    )
    earlier_addresses_years: Annotated[int, Field(gt=0, le=200)] = Field(
        default=200, description="an earlier address counts if it ended within so many years", examples=[10]
    )
    may_be_left_out: tuple[Literal["state", "city"], ...] = Field(
        default=(),
        description="what an address may leave out beside its ZIP; else STATE_LEFT_OUT or NO_CITY blocks it",
        examples=[["state"]],
    )
    retention_years: Annotated[int, Field(ge=5)] = Field(
        default=5,
        description="how long accounting and evidence are kept at least: 5 USC 552a(c)(2)",
        examples=[5],
    )
    thresholds: Thresholds = Field(description="what is tolerated", examples=[{"rows_per_batch": 1500000}])
    recall: RecallTerms = Field(
        default=RecallTerms(), description="by when the recipient answers a recall", examples=[{"copies_days": 10}]
    )
    safeguards: Safeguards = Field(
        description="the recipient's safeguards: 26 USC 6103(p)(4)", examples=[{"reviewed_on": date(2026, 1, 1)}]
    )
    keys: Keys = Field(
        description="the requester's keys", examples=[{"signing": ["ssh-ed25519 AAAA..."], "recipient": "age1..."}]
    )

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
        if not self.signatories or office not in self.offices:
            return True
        return any(
            (s.name, s.office) == (name, office) and s.valid_from <= day and (s.valid_to is None or day <= s.valid_to)
            for s in self.signatories
        )
