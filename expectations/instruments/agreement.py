"""An agreement between the holder and a requester: who, for what, within which limits."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from expectations.base.forms import Strict, entry
from expectations.contracts.lists import Tier
from expectations.instruments.law import MEANT, Office, Purpose, is_new, listed_office, listed_purpose, may_ask
from expectations.instruments.parties import Keys, Party, Requester, Signer
from expectations.instruments.terms import RELEASABLE, Key, ReleaseField
from expectations.instruments.thresholds import Thresholds
from expectations.rules import statutes

RecallDays = Annotated[int, Field(gt=0, le=365)]
ListedOffice = Annotated[str, AfterValidator(listed_office), Field(json_schema_extra={"enum": list(Office)})]
ListedPurpose = Annotated[str, AfterValidator(listed_purpose), Field(json_schema_extra={"enum": list(Purpose)})]
_FIRST = date(2026, 1, 1)
_PARTY = {"id": "department-of-examples", "name": "Department of Examples", "address": "1000 Example Ave"}


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
    """Days for each step, counted from the step before. The incident report has no term here: it is the holder's
    own duty, not agreed."""

    copies_days: RecallDays = entry("for the recipient to list its copies, from the notice on", 10, default=10)
    disposal_days: RecallDays = entry("to dispose of them or return them, from the list on", 30, default=30)
    attestation_days: RecallDays = entry("to attest it, from the last disposal on", 10, default=10)
    persons_days: RecallDays = entry(
        "for the holder to settle who notifies the persons concerned, and to notify them, from the discovery on",
        60,
        default=60,
    )
    closing_days: RecallDays = entry("for the holder to close the case, from the attestation on", 10, default=10)


class Agreement(Strict):
    """26 USC 6103(i)(2), as two parties have settled its use."""

    kind: Literal["agreement"] = entry("says that this is an agreement", "agreement")
    id: Key = entry("its name; a file with the same id is a new version of it", "sandbox-2026")
    title: str = entry("what people call it", "Memorandum of understanding")
    source: str = entry("where its text is to be found", "Memorandum of 7 April 2025")
    holder: Party = entry("who keeps the register", _PARTY)
    requester: Requester = entry("who may ask", _PARTY)
    valid_from: date = entry("first day, in zone", date(2026, 1, 1))
    valid_to: date = entry("last day, in zone", date(2031, 12, 31))
    received_on: date = entry("day on which the holder had it", date(2026, 1, 1))
    zone: str = entry("time zone (IANA name) in which all legal dates are counted", "America/New_York")
    supersedes: tuple[Key, ...] = entry("agreements that end when this one begins", ["sandbox-2025"], default=())
    statutes: tuple[str, ...] = entry(
        "the criminal statutes that a letter may designate", ["8 USC 1253(a)(1)"], min_length=1
    )
    offices: tuple[ListedOffice, ...] = entry(
        "offices that may sign a letter, of those that 26 USC 6103(i)(2)(A) lists", ["Head of agency"], min_length=1
    )
    signatories: tuple[Signer, ...] = entry(
        "who may sign for these offices, when, and with which keys; at least one person",
        [{"name": "A. Head", "office": "Head of agency", "keys": ["ssh-ed25519 AAAA..."], "valid_from": _FIRST}],
        default=(),
    )
    purposes: tuple[ListedPurpose, ...] = entry(
        f"purposes that a letter may state (26 USC 6103(i)(2)(A)): {'; '.join(f'{p}: {MEANT[p]}' for p in Purpose)}",
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
    kept_from_person: bool = entry(
        "disclosures are made under 5 USC 552a(b)(7): their accounting is not given to the person (552a(c)(3))",
        True,
        default=False,
    )
    bars_enrollers: bool = entry(
        "whoever signed the enrolment of this agreement, or of an order or determination that stands for it, decides "
        "on none of its batches; at least two other approvers must be there",
        True,
        default=False,
    )
    bars_receivers: bool = entry(
        "whoever takes a batch in by command decides nothing on it, and has to say who it is; at least three approvers "
        "must be there. What comes through the inbox by itself is taken in by nobody",
        True,
        default=False,
    )
    thresholds: Thresholds = entry("what is tolerated", {"rows_per_batch": 1500000})
    recall: RecallTerms = entry("by when the recipient answers a recall", {"copies_days": 10}, default=RecallTerms())
    safeguards: Safeguards = entry("the recipient's safeguards: 26 USC 6103(p)(4)", {"reviewed_on": date(2026, 1, 1)})
    keys: Keys = entry("the requester's keys", {"recipient": "age1..."})

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
        if self.keyed and len({(k, s.name) for s in self.signatories for k in s.keys}) > len(self.letter_keys):
            raise ValueError("signatories: two persons have one key; give each a key of their own")
        if self.id in self.supersedes:
            raise ValueError("supersedes: an instrument cannot supersede itself")
        return self

    @model_validator(mode="after")
    def _within_the_law(self, info: ValidationInfo) -> Agreement:
        """What a new agreement must have, and those enrolled by older versions may lack."""
        if not is_new(info):
            return self
        if not self.signatories or not all(s.keys and s.name.strip() for s in self.signatories):
            raise ValueError(
                "signatories: name at least one person, and for each the keys with which they sign letters"
            )
        if not all(may_ask(office, justice=self.requester.justice) for office in self.offices):
            alone = "an office that signs for the Department of Justice alone; requester.justice says who that is"
            raise ValueError(f"offices: {alone}")
        return self

    @property
    def keyed(self) -> bool:
        """Whether it says who signs with which key: only the versions that older ones of this system enrolled do
        not."""
        return any(s.keys for s in self.signatories)

    @property
    def letter_keys(self) -> tuple[str, ...]:
        """The keys that sign letters, each once."""
        keys = [k for s in self.signatories for k in s.keys] if self.keyed else self.keys.signing
        return tuple(dict.fromkeys(keys))

    @property
    def attesting_keys(self) -> tuple[str, ...]:
        """The keys that sign the attestation of a recall."""
        return tuple(dict.fromkeys((*self.keys.signing, *(k for s in self.signatories for k in s.keys))))

    def in_force(self, day: date) -> bool:
        """From the first day on, to the last one included."""
        return self.valid_from <= day <= self.valid_to

    def may_sign(self, name: str, office: str, day: date, key: str | None = None) -> bool:
        """Whether this person may sign for the office on that day, with this key (26 USC 6103(i)(2)(A)).

        Without a key: whether they may at all. Who holds an office may sign where nobody is named, in versions of
        before. That the office is one that may sign is not asked here.
        """
        if not self.signatories or office not in self.offices:
            return True
        named = [s for s in self.signatories if (s.name, s.office) == (name, office) and s.on(day)]
        return any(key is None or not self.keyed or key in s.keys for s in named)

    def signatory_with(self, key: str, name: str, office: str) -> int | None:
        """The number of the signatory whose key this is, from 1: of those of one person the one of this name and
        office. None: of nobody, in a version that does not say whose the keys are."""
        theirs = [n for n, s in enumerate(self.signatories, 1) if key in s.keys]
        named = [n for n in theirs if (self.signatories[n - 1].name, self.signatories[n - 1].office) == (name, office)]
        return next(iter((*named, *theirs)), None)

    def with_keys_of(self, then: Agreement) -> Agreement:
        """This version, for a letter that was signed under `then`: the keys of that day count as well, each for whom it
        counted. Where `then` did not say whose they were, for whomever the letter names."""
        older = {s.name: s.keys for s in then.signatories} if then.keyed else {}
        anybody = () if then.keyed else then.keys.signing
        merged = [(s, (*s.keys, *older.get(s.name, ()), *anybody)) for s in self.signatories]
        if self.keyed:
            signers = tuple(s.model_copy(update={"keys": tuple(dict.fromkeys(keys))}) for s, keys in merged)
            return self.model_copy(update={"signatories": signers})
        signing = tuple(dict.fromkeys((*self.keys.signing, *then.letter_keys)))
        return self.model_copy(update={"keys": self.keys.model_copy(update={"signing": signing})})
